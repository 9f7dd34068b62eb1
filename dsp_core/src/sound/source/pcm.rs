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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::Source;
    use super::super::testing::{drain, raw};
    use super::*;

    fn decoded(encoding: PcmEncoding, bytes: &[u8]) -> Vec<f32> {
        let (samples, error) = drain(&mut raw(bytes, encoding, 1), &[3, 1]);
        assert_eq!(error, None);
        samples
    }

    #[test]
    fn integers_are_divided_by_their_full_scale() {
        assert_eq!(
            decoded(PcmEncoding::U8, &[0, 128, 192, 255]),
            [-1.0, 0.0, 0.5, 127.0 / 128.0]
        );
        let ends = [i16::MIN, -1, 0, 1, i16::MAX]
            .map(i16::to_le_bytes)
            .concat();
        let lsb = 1.0 / 32_768.0;
        assert_eq!(
            decoded(PcmEncoding::S16Le, &ends),
            [-1.0, -lsb, 0.0, lsb, 1.0 - lsb]
        );
        let ends = [[0, 0, 0x80], [0xFF; 3], [1, 0, 0], [0xFF, 0xFF, 0x7F]].concat();
        let lsb = 1.0 / 8_388_608.0;
        assert_eq!(
            decoded(PcmEncoding::S24Le, &ends),
            [-1.0, -lsb, lsb, 1.0 - lsb]
        );
        let ends = [i32::MIN, 1 << 30, 1].map(i32::to_le_bytes).concat();
        assert_eq!(
            decoded(PcmEncoding::S32Le, &ends),
            [-1.0, 0.5, 1.0 / 2_147_483_648.0]
        );
    }

    #[test]
    fn floats_pass_and_doubles_are_rounded() {
        let x = [0.25_f32, -1.5, 1e-30];
        assert_eq!(
            decoded(PcmEncoding::F32Le, &x.map(f32::to_le_bytes).concat()),
            x
        );
        let y = [0.1_f64, -1.5, 1e-30];
        let rounded = y.map(|y| y as f32);
        assert_eq!(
            decoded(PcmEncoding::F64Le, &y.map(f64::to_le_bytes).concat()),
            rounded
        );
    }

    /// The decision and reconstruction values that G.711 prints, in its own units.
    #[test]
    fn g711_tables_hold_the_values_of_the_recommendation() {
        let of = |table: &[f32; 256], scale: f32| table.map(|x| (x * scale) as i32);
        let (a, mu) = (of(&ALAW, 4_096.0), of(&MULAW, 8_192.0));
        // Table 1a: character signals, even bits inverted, of the reconstruction values 1, 31, 33, 66, 1 056, 2 112, 4 032.
        for (code, value) in [
            (0x00, 1),
            (0x0F, 31),
            (0x10, 33),
            (0x20, 66),
            (0x60, 1_056),
            (0x70, 2_112),
            (0x7F, 4_032),
        ] {
            let at = usize::from(code ^ 0x55_u8);
            assert_eq!(
                (a[at | 0x80], a[at & 0x7F]),
                (value, -value),
                "A-law {code:#x}"
            );
        }
        // Table 2a: values 0, 2, 30, 33, 99, 3 999, 8 031.
        for (code, value) in [
            (0x00, 0),
            (0x01, 2),
            (0x0F, 30),
            (0x10, 33),
            (0x20, 99),
            (0x6F, 3_999),
            (0x7F, 8_031),
        ] {
            let at = usize::from(!code & 0x7F_u8);
            assert_eq!((mu[at | 0x80], mu[at]), (value, -value), "µ-law {code:#x}");
        }
    }

    /// Segments double their step, values rise with the code, and positive and negative halves mirror each other.
    #[test]
    fn g711_tables_are_monotonic_and_symmetric() {
        for (table, mask, scale) in [(&ALAW, 0x55, 4_096.0), (&MULAW, 0x7F, 8_192.0)] {
            let half: Vec<f32> = (0..128)
                .map(|code| table[usize::from(code ^ mask) | 0x80])
                .collect();
            let half = if mask == 0x7F {
                half
            } else {
                (0..128)
                    .map(|c: u8| table[usize::from((c | 0x80) ^ mask)])
                    .collect()
            };
            assert!(half.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(half.iter().all(|x| x * scale == (x * scale).trunc()));
            let steps: Vec<i32> = half
                .windows(2)
                .map(|pair| ((pair[1] - pair[0]) * scale) as i32)
                .collect();
            assert!((1..8).all(|segment| steps[16 * segment] >= steps[16 * segment - 16]));
            assert!(
                (0..128_u8)
                    .all(|code| table[usize::from(code)] == -table[usize::from(code | 0x80)])
            );
        }
    }

    #[test]
    fn names_lead_back_to_their_encoding() {
        for encoding in PcmEncoding::ALL {
            assert_eq!(PcmEncoding::from_name(encoding.name()), Ok(encoding));
        }
        let error = PcmEncoding::from_name("s16be").unwrap_err();
        assert_eq!(error.name, "encoding");
        assert!(error.expected.contains("s16le") && error.actual == "s16be");
    }

    #[test]
    fn the_first_of_many_channels_is_taken() {
        let frames = [[1_i16, 2, 3], [4, 5, 6]].concat();
        let bytes: Vec<u8> = frames.iter().flat_map(|x| x.to_le_bytes()).collect();
        let (samples, error) = drain(&mut raw(&bytes, PcmEncoding::S16Le, 3), &[1_000]);
        assert_eq!(
            (samples, error),
            (vec![1.0 / 32_768.0, 4.0 / 32_768.0], None)
        );
    }

    #[test]
    fn a_stream_that_ends_inside_a_sample_says_so_after_its_samples() {
        let (samples, error) = drain(&mut raw(&[0, 0, 0, 64, 9], PcmEncoding::S16Le, 1), &[1]);
        assert_eq!(
            (samples, error.unwrap().reason),
            (vec![0.0, 0.5], Reason::PartialSample)
        );
        let (samples, error) = drain(&mut raw(&[1, 2, 3], PcmEncoding::S16Le, 2), &[1]);
        assert_eq!(
            (samples.len(), error.unwrap().reason),
            (0, Reason::PartialSample)
        );
        let (_, error) = drain(&mut raw(&[], PcmEncoding::U8, 1), &[1]);
        assert_eq!(error.unwrap().reason, Reason::Empty);
    }

    #[test]
    fn what_is_not_finite_is_named_by_position_after_the_samples_before_it() {
        let mut x = vec![0.5_f32; 70_000];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            x[69_000] = bad;
            let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
            let (samples, error) = drain(&mut raw(&bytes, PcmEncoding::F32Le, 1), &[50_000]);
            let error = error.unwrap();
            assert_eq!((samples.len(), error.reason), (69_000, Reason::NotFinite));
            assert!(error.actual.contains("sample 69000"), "{error}");
        }
        let too_large = 1e300_f64.to_le_bytes();
        let (_, error) = drain(&mut raw(&too_large, PcmEncoding::F64Le, 1), &[1]);
        assert_eq!(error.unwrap().reason, Reason::NotFinite);
    }

    struct Breaks(u8);
    impl Read for Breaks {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            out[..3].fill(0);
            if self.0 < 3 {
                Ok(3)
            } else {
                Err(std::io::Error::other("gone"))
            }
        }
    }

    #[test]
    fn a_read_error_comes_after_the_samples_before_it() {
        let format = PcmFormat {
            sample_rate: 8_000,
            encoding: PcmEncoding::S16Le,
            n_channels: 1,
        };
        let mut source = Source::pcm(Box::new(Breaks(0)), 1, format).unwrap();
        let (samples, error) = drain(&mut source, &[100]);
        assert_eq!(
            (samples.len(), error.unwrap().reason),
            (3, Reason::Unreadable)
        );
    }

    #[test]
    fn impossible_formats_are_refused() {
        let reason = |sample_rate, n_channels| {
            let format = PcmFormat {
                sample_rate,
                encoding: PcmEncoding::F64Le,
                n_channels,
            };
            Source::pcm(Box::new(std::io::empty()), 1, format)
                .err()
                .map(|error| error.reason)
        };
        assert_eq!(reason(16_000, 64), None);
        assert_eq!(reason(0, 1), Some(Reason::BadRate));
        assert_eq!(reason(7_999, 1), Some(Reason::BadRate));
        assert_eq!(reason(192_001, 1), Some(Reason::BadRate));
        assert_eq!(reason(16_000, 0), Some(Reason::BadChannels));
        assert_eq!(reason(16_000, 65), Some(Reason::BadChannels));
        assert_eq!(reason(16_000, u32::MAX), Some(Reason::BadChannels));
    }
}
