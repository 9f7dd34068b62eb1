//! Where a WAV file tells when it was recorded: the chunks `bext` and `LIST`, before the data or after them.

use std::io::{Read, Seek, SeekFrom};

use super::recorded_at::RecordedAt;
use super::wav::padded;
use super::wav_format::u32_at;
use super::{read_full, truncated_header, unreadable};
use crate::error::BlockError;

/// Most bytes of a chunk that are looked at.
const MAX_BYTES: u32 = 1 << 16;
/// Most chunks of such a kind that are looked into.
const MAX_LOOKS: u32 = 16;
/// Most chunks after the data that are walked.
const MAX_CHUNKS_BEHIND: u32 = 64;
/// Where a `bext` chunk has its date and time.
const BEXT_DATE: std::ops::Range<usize> = 320..330;
const BEXT_TIME: std::ops::Range<usize> = 330..338;

/// The time stamps found so far, one of each kind.
#[derive(Default)]
pub(super) struct Stamps {
    bext: Option<RecordedAt>,
    comment: Option<RecordedAt>,
    date: Option<RecordedAt>,
    n_looks: u32,
}

impl Stamps {
    /// Whether a chunk of this name may hold one.
    pub(super) fn are_in(&self, name: &[u8]) -> bool {
        matches!(name, b"bext" | b"LIST") && self.n_looks < MAX_LOOKS
    }

    /// Looks into a chunk, and leaves the reader behind it.
    pub(super) fn read<R: Read + Seek>(
        &mut self,
        reader: &mut R,
        name: &[u8],
        n_bytes: u32,
    ) -> Result<(), BlockError> {
        self.n_looks += 1;
        let mut body = vec![0; n_bytes.min(MAX_BYTES) as usize];
        if read_full(reader, &mut body)? < body.len() {
            return Err(truncated_header());
        }
        let n_left = padded(n_bytes) - body.len() as u64;
        reader.seek_relative(n_left as i64).map_err(unreadable)?;
        if name == b"bext" {
            self.note_bext(&body);
        } else if let Some(entries) = body.strip_prefix(b"INFO") {
            self.note_info(entries);
        }
        Ok(())
    }

    fn note_bext(&mut self, body: &[u8]) {
        if let (Some(date), Some(time)) = (body.get(BEXT_DATE), body.get(BEXT_TIME)) {
            self.bext = self.bext.or(RecordedAt::from_bext(date, time));
        }
    }

    fn note_info(&mut self, mut entries: &[u8]) {
        while let Some((head, rest)) = entries.split_first_chunk::<8>() {
            let n_bytes = u32_at(head, 4);
            let body = &rest[..rest.len().min(n_bytes as usize)];
            match &head[..4] {
                b"ICMT" => self.comment = self.comment.or(RecordedAt::from_comment(body)),
                b"ICRD" => self.date = self.date.or(RecordedAt::from_iso(body)),
                _ => {}
            }
            let n_step = usize::try_from(padded(n_bytes)).unwrap_or(usize::MAX);
            entries = rest.get(n_step..).unwrap_or(&[]);
        }
    }

    /// Walks the chunks after the data, unless a stamp was found before them; the reader comes back to where it was.
    pub(super) fn look_behind<R: Read + Seek>(
        &mut self,
        reader: &mut R,
        data_bytes: u64,
    ) -> Result<(), BlockError> {
        let start = reader.stream_position().map_err(unreadable)?;
        let behind = data_bytes.checked_next_multiple_of(2);
        let behind = behind.and_then(|n_bytes| start.checked_add(n_bytes));
        if let (None, Some(behind)) = (self.best(), behind) {
            // What stands there may be anything; a fault in it costs the stamp alone.
            let _ = reader
                .seek(SeekFrom::Start(behind))
                .map_err(unreadable)
                .and_then(|_| self.walk(reader));
        }
        reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        Ok(())
    }

    fn walk<R: Read + Seek>(&mut self, reader: &mut R) -> Result<(), BlockError> {
        for _ in 0..MAX_CHUNKS_BEHIND {
            let mut head = [0; 8];
            if read_full(reader, &mut head)? < head.len() {
                break;
            }
            let (name, n_bytes) = (&head[..4], u32_at(&head, 4));
            if self.are_in(name) {
                self.read(reader, name, n_bytes)?;
            } else {
                reader
                    .seek_relative(padded(n_bytes) as i64)
                    .map_err(unreadable)?;
            }
        }
        Ok(())
    }

    /// The stamp of the recorder's own chunk, else of its comment, else of the list's date.
    pub(super) fn best(&self) -> Option<RecordedAt> {
        self.bext.or(self.comment).or(self.date)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{chunk, decode, format_body, open, riff};
    use super::*;

    fn bext(date: &str, time: &str) -> Vec<u8> {
        let mut body = vec![0; 602];
        body[BEXT_DATE].copy_from_slice(date.as_bytes());
        body[BEXT_TIME].copy_from_slice(time.as_bytes());
        chunk(b"bext", &body)
    }

    fn list(entries: &[(&[u8; 4], &str)]) -> Vec<u8> {
        let entries = entries
            .iter()
            .map(|(name, text)| chunk(name, text.as_bytes()));
        chunk(
            b"LIST",
            &[b"INFO".to_vec(), entries.collect::<Vec<_>>().concat()].concat(),
        )
    }

    fn recorded_at(before: &[Vec<u8>], after: &[Vec<u8>]) -> Option<String> {
        let format = chunk(b"fmt ", &format_body(1, 1, 16_000, 16));
        let data = chunk(b"data", &[0, 64, 0, 192]);
        let bytes = riff(&[before.concat(), format, data, after.concat()]);
        assert_eq!(decode(&bytes), (vec![0.5, -0.5], None));
        open(&bytes).recorded_at().map(|at| at.to_string())
    }

    #[test]
    fn the_stamp_is_found_before_and_after_the_data() {
        let stamped = bext("2026-05-04", "21-00-00");
        let expected = Some("2026-05-04T21:00:00".to_owned());
        assert_eq!(recorded_at(std::slice::from_ref(&stamped), &[]), expected);
        assert_eq!(
            recorded_at(
                &[chunk(b"LIST", b"adtl")],
                &[chunk(b"junk", b"odd"), stamped]
            ),
            expected
        );
        assert_eq!(recorded_at(&[], &[]), None);
        assert_eq!(
            recorded_at(&[], &[b"LIST\xFF\xFF\xFF\xFFINFO".to_vec()]),
            None
        );
    }

    #[test]
    fn the_list_tells_it_by_comment_or_date() {
        let comment = (
            b"ICMT",
            "Recorded at 23:00:00 04/05/2026 (UTC+2) by AudioMoth 24F3 at medium gain",
        );
        let utc = Some("2026-05-04T21:00:00Z".to_owned());
        assert_eq!(recorded_at(&[list(&[(b"IART", "odd"), comment])], &[]), utc);
        assert_eq!(
            recorded_at(&[], &[list(&[(b"ICRD", "2026-05-04T21:00:00Z\0")])]),
            utc
        );
        assert_eq!(
            recorded_at(
                &[list(&[(b"ICRD", "2026-05-04"), (b"ICMT", "Anna and Ben")])],
                &[]
            ),
            None
        );
        let both = [list(&[comment]), bext("2026:05:05", "07:08:09")];
        assert_eq!(
            recorded_at(&both, &[]),
            Some("2026-05-05T07:08:09".to_owned())
        );
    }

    #[test]
    fn few_and_small_chunks_are_looked_into() {
        let many = vec![list(&[(b"ICMT", "none")]); MAX_LOOKS as usize];
        let stamped = bext("2026-05-04", "21:00:00");
        assert_eq!(recorded_at(&[many.concat(), stamped], &[]), None);
        let long = "x".repeat(MAX_BYTES as usize);
        let late = list(&[(b"ISFT", &long), (b"ICRD", "2026-05-04T21:00:00")]);
        assert_eq!(recorded_at(&[late], &[]), None);
    }
}
