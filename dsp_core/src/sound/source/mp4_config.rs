//! What a sound track's description says of its codec: AAC-LC of one or two channels, or a refusal.

use super::frame_header::AAC_RATES;
use super::mp4_boxes::be32;
use super::{corrupt, unsupported};
use crate::error::BlockError;

/// Tags of the descriptors in an `esds` box.
const ES: u8 = 3;
const DECODER: u8 = 4;
const DECODER_INFO: u8 = 5;
/// Object types of MPEG-4 AAC and MPEG-2 AAC-LC.
const AAC: [u8; 2] = [0x40, 0x67];
/// AAC-LC among the audio object types.
const LC: u32 = 2;

/// The codec's configuration.
pub(super) struct Config {
    pub(super) sample_rate: u32,
    pub(super) n_channels: u32,
    /// As the decoder takes it.
    pub(super) bytes: Vec<u8>,
}

/// Reads the content of an `stsd` box: its first entry.
pub(super) fn read_config(description: &[u8]) -> Result<Config, BlockError> {
    let missing = || corrupt("a description of the sound", "an incomplete one");
    let entry = description.get(8..).ok_or_else(missing)?;
    match entry.get(4..8) {
        Some(b"mp4a") => {}
        Some(b"alac") => return Err(unsupported("AAC-LC in MP4", "ALAC")),
        Some(_) => return Err(unsupported("AAC-LC in MP4", "another codec")),
        None => return Err(missing()),
    }
    // QuickTime's versions 1 and 2 have more fields, and the descriptor in a box of its own.
    let n_fields = match entry.get(17) {
        Some(1) => 52,
        Some(2) => 72,
        _ => 36,
    };
    let boxes = entry.get(n_fields..).ok_or_else(missing)?;
    let wave = child(boxes, b"wave").unwrap_or(boxes);
    let descriptors = child(wave, b"esds")
        .and_then(|esds| esds.get(4..))
        .ok_or_else(missing)?;
    let bytes = decoder_info(descriptors)?;
    let config = parse(bytes)?;
    // With half the rate in the configuration, the upper octave is coded apart (HE-AAC, signalled implicitly).
    let told_rate = be32(entry, 32).unwrap_or(0) >> 16;
    if told_rate == 2 * config.sample_rate {
        return Err(unsupported("AAC-LC", "HE-AAC"));
    }
    Ok(config)
}

/// The content of the first box of a name.
fn child<'a>(mut boxes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    loop {
        let n_bytes = be32(boxes, 0)? as usize;
        let content = boxes.get(8..n_bytes)?;
        if boxes.get(4..8)? == name {
            return Some(content);
        }
        boxes = &boxes[n_bytes..];
    }
}

/// The decoder's configuration in the descriptors (ISO/IEC 14496-1, clause 7.2.6).
fn decoder_info(descriptors: &[u8]) -> Result<&[u8], BlockError> {
    let missing = || corrupt("a description of the decoder", "an incomplete one");
    let stream = descriptor(descriptors, ES).ok_or_else(missing)?;
    let flags = *stream.get(2).ok_or_else(missing)?;
    if flags & 0x40 != 0 {
        return Err(unsupported("sound in this file", "one at another address"));
    }
    let n_fields =
        3 + if flags & 0x80 == 0 { 0 } else { 2 } + if flags & 0x20 == 0 { 0 } else { 2 };
    let decoder = stream
        .get(n_fields..)
        .and_then(|rest| descriptor(rest, DECODER));
    let decoder = decoder.ok_or_else(missing)?;
    if !decoder
        .first()
        .is_some_and(|object_type| AAC.contains(object_type))
    {
        return Err(unsupported("AAC-LC in MP4", "another codec"));
    }
    decoder
        .get(13..)
        .and_then(|rest| descriptor(rest, DECODER_INFO))
        .ok_or_else(missing)
}

/// The content of the descriptor that stands first, if it has this tag.
fn descriptor(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let (&found, rest) = bytes.split_first()?;
    // The length has seven bits a byte, in up to four bytes.
    let n_head = 1 + rest.iter().take(4).position(|byte| byte & 0x80 == 0)?;
    let n_bytes = rest[..n_head]
        .iter()
        .fold(0, |n, &byte| n << 7 | usize::from(byte & 0x7F));
    let content = rest.get(n_head..n_head + n_bytes)?;
    (found == tag).then_some(content)
}

/// Object type, rate and channels of an `AudioSpecificConfig`.
fn parse(bytes: &[u8]) -> Result<Config, BlockError> {
    let bits = bytes
        .iter()
        .chain(&[0; 5])
        .take(5)
        .fold(0, |bits: u64, &byte| bits << 8 | u64::from(byte));
    let field = |first: u32, n: u32| (bits >> (40 - first - n) & ((1 << n) - 1)) as u32;
    let (object_type, rate_index) = (field(0, 5), field(5, 4));
    if object_type != LC {
        let other = if matches!(object_type, 5 | 29) {
            "HE-AAC"
        } else {
            "another kind of AAC"
        };
        return Err(unsupported("AAC-LC", other));
    }
    let (sample_rate, n_channels) = match AAC_RATES.get(rate_index as usize) {
        Some(&rate) => (rate, field(9, 4)),
        None if rate_index == 15 => (field(9, 24), field(33, 4)),
        None => return Err(corrupt("a sample rate by index", rate_index)),
    };
    if !matches!(n_channels, 1 | 2) {
        return Err(unsupported(
            "AAC of one or two channels",
            format!("configuration {n_channels}"),
        ));
    }
    Ok(Config {
        sample_rate,
        n_channels,
        bytes: bytes.to_vec(),
    })
}
