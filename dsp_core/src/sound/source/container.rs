//! What a file is, by its first bytes.

use super::frame_header::{FrameHeader, N_HEAD};
use super::{truncated_header, unsupported};
use crate::error::{BlockError, Reason};

/// Bytes that tell the containers apart.
pub(super) const N_MAGIC: usize = 12;

/// The containers that are read.
pub(super) enum Container {
    Wav,
    Flac,
    Ogg,
    /// MP3 or ADTS; the second frame will tell.
    Frames,
    Mp4,
}

const WAV: [&[u8]; 3] = [b"RIFF", b"RF64", b"BW64"];

/// Tells the container by its first bytes.
pub(super) fn container(magic: &[u8]) -> Result<Container, BlockError> {
    let starts = |name: &[u8]| magic.starts_with(name);
    let is_frame = |head: &[u8; N_HEAD]| FrameHeader::parse(head).is_some();
    if WAV.iter().any(|name| starts(name)) && (magic.len() < N_MAGIC || &magic[8..] == b"WAVE") {
        return Ok(Container::Wav);
    }
    if starts(b"fLaC") {
        return Ok(Container::Flac);
    }
    if starts(b"OggS") {
        return Ok(Container::Ogg);
    }
    if magic.get(4..8) == Some(b"ftyp") {
        return Ok(Container::Mp4);
    }
    if magic.first_chunk().is_some_and(is_frame) {
        return Ok(Container::Frames);
    }
    Err(refusal(magic))
}

/// Why nothing can be made of the first bytes.
fn refusal(magic: &[u8]) -> BlockError {
    let is_cut = |name: &&[u8]| name.starts_with(magic);
    let is_cut_frame = magic.len() < N_HEAD && magic.first() == Some(&0xFF);
    if magic.is_empty() {
        return BlockError::new(Reason::Empty, "a file with sound", "0 bytes");
    }
    if magic.starts_with(b"RIFX") {
        return unsupported("a little-endian WAV", "a big-endian WAV");
    }
    if is_cut_frame || WAV.iter().chain(&[&b"fLaC"[..], b"OggS"]).any(is_cut) {
        return truncated_header();
    }
    not_audio()
}

pub(super) fn not_audio() -> BlockError {
    BlockError::new(
        Reason::NotAudio,
        "WAV, FLAC, OGG, MP3 or M4A",
        "something else",
    )
}
