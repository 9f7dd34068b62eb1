//! How one sample is written: names, widths, and the way to `f32`.

use super::channel::{Channel, index};
use super::g711::{ALAW, MULAW};
use crate::error::ParameterError;

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

/// Decodes what is heard of whole frames; a rest shorter than a frame is left out.
pub(super) fn decode_into(format: &PcmFormat, channel: Channel, raw: &[u8], out: &mut Vec<f32>) {
    let frames = Frames {
        n_channels: format.n_channels as usize,
        channel,
        raw,
    };
    match format.encoding {
        PcmEncoding::U8 => frames.convert(out, |[x]| (f32::from(x) - 128.0) / 128.0),
        PcmEncoding::S16Le => frames.convert(out, |x| f32::from(i16::from_le_bytes(x)) / 32_768.0),
        PcmEncoding::S24Le => frames.convert(out, |[a, b, c]| {
            // In the upper three bytes, so that the sign is where an i32 has it.
            i32::from_le_bytes([0, a, b, c]) as f32 / 2_147_483_648.0
        }),
        PcmEncoding::S32Le => {
            frames.convert(out, |x| i32::from_le_bytes(x) as f32 / 2_147_483_648.0)
        }
        PcmEncoding::F32Le => frames.convert(out, f32::from_le_bytes),
        PcmEncoding::F64Le => frames.convert(out, |x| f64::from_le_bytes(x) as f32),
        PcmEncoding::Alaw => frames.convert(out, |[x]| ALAW[usize::from(x)]),
        PcmEncoding::Mulaw => frames.convert(out, |[x]| MULAW[usize::from(x)]),
    }
}

/// Interleaved samples, and what of them is heard.
struct Frames<'a> {
    n_channels: usize,
    channel: Channel,
    raw: &'a [u8],
}

impl Frames<'_> {
    /// Samples of `N` bytes, converted. One channel has its own loop: the compiler vectorises it.
    fn convert<const N: usize>(&self, out: &mut Vec<f32>, convert: impl Fn([u8; N]) -> f32) {
        let samples = self.raw.as_chunks::<N>().0;
        let frames = samples.chunks_exact(self.n_channels);
        match self.channel {
            _ if self.n_channels == 1 => out.extend(samples.iter().map(|&x| convert(x))),
            Channel::Number(number) => {
                let i = index(number).unwrap_or(usize::MAX);
                let heard = frames.filter_map(|frame| frame.get(i));
                out.extend(heard.map(|&x| convert(x)));
            }
            Channel::Mean => {
                let n_channels = self.n_channels as f32;
                let sum =
                    |frame: &[[u8; N]]| frame.iter().map(|&x| convert(x)).reduce(|a, b| a + b);
                out.extend(frames.map(|frame| sum(frame).unwrap_or(0.0) / n_channels));
            }
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn names_lead_back_to_their_encoding() {
        for encoding in PcmEncoding::ALL {
            assert_eq!(PcmEncoding::from_name(encoding.name()), Ok(encoding));
        }
        let error = PcmEncoding::from_name("s16be").unwrap_err();
        assert_eq!(error.name, "encoding");
        assert!(error.expected.contains("s16le") && error.actual == "s16be");
    }
}
