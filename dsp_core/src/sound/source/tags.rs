//! Tags around frames: skipped unread, whatever they hold.
//!
//! # Source
//! ID3v2.4.0 main structure, sections 3.1 and 3.4; ID3v1; APEv2; Lyrics3.

use std::io::{Read, Seek, SeekFrom};

use super::{read_full, truncated_header, unreadable};
use crate::error::BlockError;

/// Most tags before the sound.
const MAX_TAGS: u32 = 16;
const N_HEAD: usize = 10;
/// What a tag behind the last frame begins with.
const BEHIND: [&[u8]; 3] = [b"TAG", b"APETAGEX", b"LYRICSBEGIN"];

/// Goes over ID3v2 tags; answers where they end.
pub(super) fn skip_tags<R: Read + Seek>(reader: &mut R) -> Result<u64, BlockError> {
    let mut start = reader.stream_position().map_err(unreadable)?;
    for _ in 0..MAX_TAGS {
        let mut head = [0; N_HEAD];
        let n_read = read_full(reader, &mut head)?;
        if !head.starts_with(b"ID3") {
            break;
        }
        if n_read < N_HEAD {
            return Err(truncated_header());
        }
        // The length is written seven bits a byte; a footer repeats the header.
        let body = head[6..]
            .iter()
            .fold(0, |n, &byte| n << 7 | u64::from(byte & 0x7F));
        let footer = if head[5] & 0x10 == 0 {
            0
        } else {
            N_HEAD as u64
        };
        start += N_HEAD as u64 + body + footer;
        reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    }
    reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    Ok(start)
}

/// Whether a tag begins here, or the beginning of one.
pub(super) fn is_tag(bytes: &[u8]) -> bool {
    let begins = |name: &&[u8]| bytes.starts_with(name) || name.starts_with(bytes);
    BEHIND.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn tags_are_gone_over_with_their_footers() {
        let tag =
            |flags: u8, n: usize| [b"ID3\x04\0", &[flags, 0, 0, 1, 2][..], &vec![0xFF; n]].concat();
        let bytes = [tag(0, 130), tag(0x10, 140), b"sound".to_vec()].concat();
        let mut reader = Cursor::new(bytes);
        assert_eq!(skip_tags(&mut reader).unwrap(), 290);
        let mut rest = String::new();
        reader.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "sound");
        assert!(skip_tags(&mut Cursor::new(b"ID3\x04\0\0")).is_err());
        assert_eq!(skip_tags(&mut Cursor::new(b"")).unwrap(), 0);
    }

    #[test]
    fn tags_behind_the_sound_are_known() {
        assert!(is_tag(b"TAGa") && is_tag(b"APET") && is_tag(b"LY"));
        // Before the sound of a second file, which is not gone over in silence.
        assert!(!is_tag(b"ID3\x04"));
        assert!(!is_tag(b"\xFF\xFB\x90\0") && !is_tag(&[0; 4]));
    }
}
