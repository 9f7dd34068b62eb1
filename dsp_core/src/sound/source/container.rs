//! What a file is, by its first bytes.

use super::frame_header::{FrameHeader, N_HEAD};
use super::truncated_header;
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
    if magic.is_empty() {
        return Err(BlockError::new(
            Reason::Empty,
            "a file with sound",
            "0 bytes",
        ));
    }
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
    if magic
        .first_chunk()
        .is_some_and(|head| FrameHeader::parse(head).is_some())
    {
        return Ok(Container::Frames);
    }
    Err(refusal(magic))
}

/// Why first bytes that begin no container are refused: a form that is not read, too few of them, or no sound.
fn refusal(magic: &[u8]) -> BlockError {
    if magic.starts_with(b"RIFX") {
        let (expected, actual) = ("a little-endian WAV", "a big-endian WAV");
        return BlockError::new(Reason::UnsupportedEncoding, expected, actual);
    }
    let is_cut_frame = magic.len() < N_HEAD && magic[0] == 0xFF;
    let is_cut = |name: &&[u8]| name.starts_with(magic);
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
