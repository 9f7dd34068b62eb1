//! The format chunk of a WAV file, plain or `WAVE_FORMAT_EXTENSIBLE`.

use super::channel::check_channels;
use super::encoding::{PcmEncoding, PcmFormat};
use super::{corrupt, unsupported};
use crate::error::BlockError;
use crate::sound::block::check_sample_rate;

/// The 14 bytes of a sub-format GUID after the format tag: {0000xxxx-0000-0010-8000-00AA00389B71}.
const GUID_TAIL: [u8; 14] = [
    0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71,
];
const TAG_PCM: u16 = 1;
const TAG_FLOAT: u16 = 3;
const TAG_ALAW: u16 = 6;
const TAG_MULAW: u16 = 7;
const TAG_EXTENSIBLE: u16 = 0xFFFE;
/// Bytes of a format chunk that are looked at: all of `WAVEFORMATEXTENSIBLE`.
pub(super) const FMT_BYTES: usize = 40;

/// Format and bits per sample.
///
/// # Shape
/// `body`: 16 to 40 bytes.
pub(super) fn parse_format(body: &[u8]) -> Result<(PcmFormat, u32), BlockError> {
    let (n_channels, sample_rate) = (u32::from(u16_at(body, 2)), u32_at(body, 4));
    let (n_frame_bytes, n_bits) = (u16_at(body, 12), u16_at(body, 14));
    check_channels(n_channels)?;
    check_sample_rate(sample_rate)?;
    let (tag, n_valid_bits) = match u16_at(body, 0) {
        TAG_EXTENSIBLE => sub_format(body)?,
        tag => (tag, n_bits),
    };
    let encoding = match (tag, n_bits) {
        (TAG_PCM, 8) => PcmEncoding::U8,
        (TAG_PCM, 16) => PcmEncoding::S16Le,
        (TAG_PCM, 24) => PcmEncoding::S24Le,
        (TAG_PCM, 32) => PcmEncoding::S32Le,
        (TAG_FLOAT, 32) => PcmEncoding::F32Le,
        (TAG_FLOAT, 64) => PcmEncoding::F64Le,
        (TAG_ALAW, 8) => PcmEncoding::Alaw,
        (TAG_MULAW, 8) => PcmEncoding::Mulaw,
        _ => {
            let actual = format!("format tag {tag:#06x} with {n_bits} bits");
            return Err(unsupported("PCM, float, A-law or µ-law", actual));
        }
    };
    let stride = encoding.n_bytes() as u32 * n_channels;
    if u32::from(n_frame_bytes) != stride {
        return Err(unsupported(
            format!("{stride} bytes a frame"),
            n_frame_bytes,
        ));
    }
    // Samples of fewer valid bits fill the upper ones of their container, so the scale stays that of the container.
    let is_told = (1..n_bits).contains(&n_valid_bits);
    let bits_per_sample = u32::from(if is_told { n_valid_bits } else { n_bits });
    Ok((
        PcmFormat {
            sample_rate,
            encoding,
            n_channels,
        },
        bits_per_sample,
    ))
}

/// Format tag and valid bits of `WAVEFORMATEXTENSIBLE`.
fn sub_format(body: &[u8]) -> Result<(u16, u16), BlockError> {
    if body.len() < FMT_BYTES {
        let expected = format!("an extensible format chunk of {FMT_BYTES} bytes");
        return Err(corrupt(expected, body.len()));
    }
    if body[26..] != GUID_TAIL {
        return Err(unsupported("a sub-format of a format tag", "another GUID"));
    }
    Ok((u16_at(body, 24), u16_at(body, 18)))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |x| u16::from_le_bytes(*x))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |x| u32::from_le_bytes(*x))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chunk, extensible_body, format_body, refusal, riff};
    use crate::error::Reason;

    #[test]
    fn impossible_formats_are_refused() {
        let reason = |body: &[u8]| refusal(&riff(&[chunk(b"fmt ", body), chunk(b"data", &[0; 8])]));
        assert_eq!(reason(&format_body(1, 1, 0, 16)), Some(Reason::BadRate));
        assert_eq!(
            reason(&format_body(1, 1, 4_000_000_000, 16)),
            Some(Reason::BadRate)
        );
        assert_eq!(
            reason(&format_body(1, 0, 16_000, 16)),
            Some(Reason::BadChannels)
        );
        assert_eq!(
            reason(&format_body(1, 255, 16_000, 16)),
            Some(Reason::BadChannels)
        );
        for (tag, n_bits) in [
            (2, 4),
            (0x11, 4),
            (1, 12),
            (1, 0),
            (3, 16),
            (0x55, 0),
            (6, 16),
        ] {
            let found = reason(&format_body(tag, 1, 16_000, n_bits));
            assert_eq!(found, Some(Reason::UnsupportedEncoding), "{tag} {n_bits}");
        }
        let mut guid = extensible_body(1, 16, 16);
        guid[30] ^= 1;
        assert_eq!(reason(&guid), Some(Reason::UnsupportedEncoding));
        assert_eq!(
            reason(&extensible_body(1, 16, 16)[..24]),
            Some(Reason::CorruptData)
        );
        assert_eq!(
            reason(&format_body(1, 1, 16_000, 16)[..14]),
            Some(Reason::CorruptData)
        );
        let mut frame = format_body(1, 1, 16_000, 24);
        frame[12] = 4;
        assert_eq!(reason(&frame), Some(Reason::UnsupportedEncoding));
    }
}
