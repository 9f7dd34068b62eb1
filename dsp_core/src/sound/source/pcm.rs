//! Uncompressed samples: the encodings, and the reader that WAV data and raw streams share.

use std::io::Read;

use zeroize::{Zeroize, Zeroizing};

use super::{Decode, read_until, truncated};
use crate::error::{BlockError, ParameterError, Reason};

/// Size of the read buffer: small enough for the cache, large enough that system calls do not count.
const RAW_BYTES: usize = 1 << 16;

/// How one sample is written. Integers of n bits become `x / 2^(n-1)`; all are little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PcmEncoding {
    /// Unsigned 8-bit, 128 is silence.
    U8,
    /// Signed 16-bit.
    S16Le,
    /// Signed 24-bit in three bytes.
    S24Le,
    /// Signed 32-bit; rounded to the nearest `f32`.
    S32Le,
    /// 32-bit float.
    F32Le,
    /// 64-bit float; rounded to the nearest `f32`.
    F64Le,
    /// A-law of ITU-T G.711.
    Alaw,
    /// µ-law of ITU-T G.711.
    Mulaw,
}

impl PcmEncoding {
    /// Every encoding.
    pub const ALL: [Self; 8] = [
        Self::U8,
        Self::S16Le,
        Self::S24Le,
        Self::S32Le,
        Self::F32Le,
        Self::F64Le,
        Self::Alaw,
        Self::Mulaw,
    ];

    /// The encoding's name, as it stands in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::S16Le => "s16le",
            Self::S24Le => "s24le",
            Self::S32Le => "s32le",
            Self::F32Le => "f32le",
            Self::F64Le => "f64le",
            Self::Alaw => "alaw",
            Self::Mulaw => "mulaw",
        }
    }

    /// The encoding of a name.
    ///
    /// # Errors
    /// Any other name.
    pub fn from_name(name: &str) -> Result<Self, ParameterError> {
        let found = Self::ALL
            .into_iter()
            .find(|encoding| encoding.name() == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|encoding| encoding.name()).collect();
            ParameterError::new("encoding", names.join(", "), name)
        })
    }

    /// Bits of one sample.
    pub const fn n_bits(self) -> u32 {
        match self {
            Self::U8 | Self::Alaw | Self::Mulaw => 8,
            Self::S16Le => 16,
            Self::S24Le => 24,
            Self::S32Le | Self::F32Le => 32,
            Self::F64Le => 64,
        }
    }

    /// Bytes of one sample.
    pub(super) const fn n_bytes(self) -> usize {
        self.n_bits() as usize / 8
    }
}

/// The format of a raw stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PcmFormat {
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// How one sample is written.
    pub encoding: PcmEncoding,
    /// Number of interleaved channels.
    pub n_channels: u32,
}

/// Reads interleaved samples of one encoding.
pub(super) struct Linear {
    reader: Box<dyn Read + Send>,
    encoding: PcmEncoding,
    /// Bytes of one sample of every channel.
    stride: usize,
    /// Bytes that the header still promises; `None`: as long as there are any.
    n_left: Option<u64>,
    n_stated: u64,
    raw: Zeroizing<Vec<u8>>,
}

impl Linear {
    /// `n_bytes`: length of the data as the header states it, if it does. Channels: 1 to 64.
    pub(super) fn new(
        reader: Box<dyn Read + Send>,
        format: &PcmFormat,
        n_bytes: Option<u64>,
    ) -> Self {
        let stride = format.encoding.n_bytes() * format.n_channels.max(1) as usize;
        let raw = Zeroizing::new(vec![0; RAW_BYTES / stride * stride]);
        Self {
            reader,
            encoding: format.encoding,
            stride,
            n_left: n_bytes,
            n_stated: n_bytes.unwrap_or(0) / stride as u64,
            raw,
        }
    }

    /// Reads and decodes one buffer; `true` once the stream is over.
    fn fill_once(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<bool, BlockError> {
        let n_bytes = (n_wanted - out.len())
            .saturating_mul(self.stride)
            .min(self.raw.len());
        let n_asked = self
            .n_left
            .map_or(n_bytes, |n| n.min(n_bytes as u64) as usize);
        let raw = &mut self.raw[..n_asked];
        let (n_read, outcome) = read_until(&mut *self.reader, raw);
        decode_into(self.encoding, self.stride, &raw[..n_read], out);
        raw[..n_read].zeroize();
        outcome?;
        self.n_left = self.n_left.map(|n| n - n_read as u64);
        if n_read < n_asked {
            return self.end_early(n_read);
        }
        if !n_read.is_multiple_of(self.stride) {
            return Err(partial_sample(n_read % self.stride, self.stride));
        }
        Ok(n_asked < n_bytes || n_asked == 0)
    }

    /// The stream ended before the buffer was full.
    fn end_early(&self, n_read: usize) -> Result<bool, BlockError> {
        if let Some(n_left) = self.n_left {
            let n_missing = n_left.div_ceil(self.stride as u64);
            return Err(truncated(
                self.n_stated,
                self.n_stated.saturating_sub(n_missing),
            ));
        }
        match n_read % self.stride {
            0 => Ok(true),
            n => Err(partial_sample(n, self.stride)),
        }
    }
}

impl Decode for Linear {
    fn fill(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<(), BlockError> {
        while out.len() < n_wanted && !self.fill_once(out, n_wanted)? {}
        Ok(())
    }
}

/// Decodes the first channel of whole frames; a rest shorter than `stride` is left out.
fn decode_into(encoding: PcmEncoding, stride: usize, raw: &[u8], out: &mut Vec<f32>) {
    match encoding {
        PcmEncoding::U8 => firsts(raw, stride, out, |[x]| (f32::from(x) - 128.0) / 128.0),
        PcmEncoding::S16Le => firsts(raw, stride, out, |x| {
            f32::from(i16::from_le_bytes(x)) / 32_768.0
        }),
        PcmEncoding::S24Le => firsts(raw, stride, out, |[a, b, c]| {
            // In the upper three bytes, so that the sign is where an i32 has it.
            i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0
        }),
        PcmEncoding::S32Le => firsts(raw, stride, out, |x| {
            i32::from_le_bytes(x) as f32 / 2_147_483_648.0
        }),
        PcmEncoding::F32Le => firsts(raw, stride, out, f32::from_le_bytes),
        PcmEncoding::F64Le => firsts(raw, stride, out, |x| f64::from_le_bytes(x) as f32),
        PcmEncoding::Alaw => firsts(raw, stride, out, |[x]| ALAW[usize::from(x)]),
        PcmEncoding::Mulaw => firsts(raw, stride, out, |[x]| MULAW[usize::from(x)]),
    }
}

/// The first `N` bytes of every `stride`, converted. One channel has its own loop: the compiler vectorises it.
fn firsts<const N: usize>(
    raw: &[u8],
    stride: usize,
    out: &mut Vec<f32>,
    convert: impl Fn([u8; N]) -> f32,
) {
    if stride == N {
        out.extend(raw.as_chunks::<N>().0.iter().map(|&x| convert(x)));
    } else {
        let frames = raw.chunks_exact(stride);
        out.extend(frames.map(|frame| frame.first_chunk::<N>().map_or(0.0, |&x| convert(x))));
    }
}

/// ITU-T G.711, table 1a: even bits inverted, 13-bit values, full scale 4 096.
const fn alaw(code: u8) -> f32 {
    let bits = code ^ 0x55;
    let (segment, step) = ((bits >> 4) & 7, (bits & 15) as i32);
    let magnitude = match segment {
        0 => 2 * step + 1,
        _ => (2 * step + 33) << (segment - 1),
    };
    let value = if bits & 0x80 == 0 {
        -magnitude
    } else {
        magnitude
    };
    value as f32 / 4_096.0
}

/// ITU-T G.711, table 2a: all bits inverted, 14-bit values, full scale 8 192.
const fn mulaw(code: u8) -> f32 {
    let bits = !code;
    let (segment, step) = ((bits >> 4) & 7, (bits & 15) as i32);
    let magnitude = ((2 * step + 33) << segment) - 33;
    let value = if bits & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    };
    value as f32 / 8_192.0
}

const fn table(is_alaw: bool) -> [f32; 256] {
    let mut values = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        values[code] = if is_alaw {
            alaw(code as u8)
        } else {
            mulaw(code as u8)
        };
        code += 1;
    }
    values
}

static ALAW: [f32; 256] = table(true);
static MULAW: [f32; 256] = table(false);

fn partial_sample(n: usize, stride: usize) -> BlockError {
    let expected = format!("samples of {stride} bytes");
    BlockError::new(
        Reason::PartialSample,
        expected,
        format!("{n} bytes at the end"),
    )
}
