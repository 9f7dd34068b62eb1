//! What a file is, by its first bytes.

use super::truncated_header;
use crate::error::{BlockError, Reason};

/// Bytes that tell the containers apart.
pub(super) const N_MAGIC: usize = 12;

/// The containers that are read.
pub(super) enum Container {
    Wav,
    Flac,
    Ogg,
}

/// Tells the container by its first bytes.
pub(super) fn container(magic: &[u8]) -> Result<Container, BlockError> {
    const WAV: [&[u8]; 3] = [b"RIFF", b"RF64", b"BW64"];
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
    if starts(b"RIFX") {
        let what = "a big-endian WAV";
        return Err(BlockError::new(
            Reason::UnsupportedEncoding,
            "a little-endian WAV",
            what,
        ));
    }
    let is_cut = |name: &&[u8]| name.starts_with(magic);
    if WAV.iter().chain(&[&b"fLaC"[..], b"OggS"]).any(is_cut) {
        return Err(truncated_header());
    }
    Err(BlockError::new(
        Reason::NotAudio,
        "WAV, FLAC or OGG",
        "something else",
    ))
}
