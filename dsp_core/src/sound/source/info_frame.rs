//! The frame before the sound of an MP3: how many frames follow, and what the encoder put around the sound.
//!
//! It is a frame of silence with a table in it, written by LAME, FFmpeg and others (`Xing`, `Info`) or Fraunhofer's encoder
//! (`VBRI`, of which nothing but its place is used).

use super::frame_header::{FrameHeader, Kind};

/// Bytes of the table of positions.
const N_POSITIONS: usize = 100;
/// Bytes from the encoder's name to delay and padding.
const DELAY_AT: usize = 21;

/// What it says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Info {
    /// Number of frames that follow.
    pub(super) n_frames: Option<u64>,
    /// Samples that the encoder put before and after the sound.
    pub(super) delay_and_padding: Option<(u32, u32)>,
}

impl Info {
    /// Reads it from a whole frame, if the frame is one.
    pub(super) fn parse(header: &FrameHeader, frame: &[u8]) -> Option<Self> {
        let Kind::Mp3 { is_mpeg1 } = header.kind else {
            return None;
        };
        // Side information has the same length in all frames of a kind; a checksum may stand before it.
        let n_side = match (is_mpeg1, header.n_channels) {
            (true, 2) => 32,
            (true, _) | (false, 2) => 17,
            _ => 9,
        };
        let begins = |at: usize, names: &[&[u8]]| {
            let rest = frame.get(at..)?;
            names
                .iter()
                .any(|name| rest.starts_with(name))
                .then_some(rest)
        };
        let table = [4 + n_side, 6 + n_side]
            .iter()
            .find_map(|&at| begins(at, &[b"Xing", b"Info"]));
        match table {
            Some(table) => Some(Self::parse_table(&table[4..])),
            None => begins(36, &[b"VBRI"]).map(|_| Self {
                n_frames: None,
                delay_and_padding: None,
            }),
        }
    }

    fn parse_table(table: &[u8]) -> Self {
        let word = |at: usize| {
            table
                .get(at..)?
                .first_chunk()
                .map(|x| u32::from_be_bytes(*x))
        };
        let flags = word(0).unwrap_or(0);
        let has = |flag: u32| flags & flag != 0;
        let n_frames = if has(1) { word(4) } else { None };
        let at =
            [(1, 4), (2, 4), (4, N_POSITIONS), (8, 4)]
                .iter()
                .fold(
                    4,
                    |at, &(flag, n_bytes)| if has(flag) { at + n_bytes } else { at },
                );
        let encoder = table.get(at..).unwrap_or(&[]);
        let is_known = [b"LAME", b"Lavf", b"Lavc"]
            .iter()
            .any(|name| encoder.starts_with(*name));
        let bits = encoder.get(DELAY_AT..DELAY_AT + 3).filter(|_| is_known);
        let bits = bits.map(|x| u32::from_be_bytes([0, x[0], x[1], x[2]]));
        Self {
            n_frames: n_frames.filter(|&n| n > 0).map(u64::from),
            delay_and_padding: bits.map(|bits| (bits >> 12, bits & 0xFFF)),
        }
    }
}
