//! Boxes of an ISO media file: found by name, read within their bounds.
//!
//! # Source
//! ISO/IEC 14496-12, clause 4.2.

use std::io::{Read, Seek, SeekFrom};

use super::{corrupt, read_full, truncated_header, unreadable};
use crate::error::BlockError;

/// Most boxes looked at in search of one.
const MAX_BOXES: u32 = 4_096;

/// Where something lies in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Span {
    pub(super) fn n_bytes(self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// What is left behind the first bytes.
    pub(super) fn after(self, n_bytes: u64) -> Self {
        let start = self.end.min(self.start.saturating_add(n_bytes));
        Self { start, ..self }
    }
}

/// A file of boxes.
pub(super) struct Boxes<R> {
    pub(super) reader: R,
}

impl<R: Read + Seek> Boxes<R> {
    /// The whole file.
    pub(super) fn all(&mut self) -> Result<Span, BlockError> {
        let end = self.reader.seek(SeekFrom::End(0)).map_err(unreadable)?;
        Ok(Span { start: 0, end })
    }

    /// The content of the first box of a name. One that goes on behind `within` ends the search.
    pub(super) fn find(
        &mut self,
        within: Span,
        name: &[u8; 4],
    ) -> Result<Option<Span>, BlockError> {
        let mut left = within;
        for _ in 0..MAX_BOXES {
            let Some((found, content)) = self.head(left)? else {
                return Ok(None);
            };
            let is_cut = content.end > within.end;
            match (found == *name, is_cut) {
                (true, true) => return Err(truncated_header()),
                (true, false) => return Ok(Some(content)),
                (false, true) => return Ok(None),
                (false, false) => left.start = content.end,
            }
        }
        Err(corrupt(format!("at most {MAX_BOXES} boxes"), "more"))
    }

    /// The content of a box in a box in a box.
    pub(super) fn path(
        &mut self,
        within: Span,
        names: &[&[u8; 4]],
    ) -> Result<Option<Span>, BlockError> {
        let mut span = within;
        for name in names {
            match self.find(span, name)? {
                Some(content) => span = content,
                None => return Ok(None),
            }
        }
        Ok(Some(span))
    }

    /// As [`Boxes::path`], of what every sound track has.
    pub(super) fn need(&mut self, within: Span, names: &[&[u8; 4]]) -> Result<Span, BlockError> {
        let found = self.path(within, names)?;
        found.ok_or_else(|| corrupt("a sound track with its tables", "one without"))
    }

    /// Name and content of the box that begins here, if there is room for one.
    fn head(&mut self, at: Span) -> Result<Option<([u8; 4], Span)>, BlockError> {
        let mut head = [0; 16];
        let n_there = at.n_bytes().min(16) as usize;
        self.read_at(at.start, &mut head[..n_there])?;
        let (Some(size), Some(&name)) = (be32(&head[..n_there], 0), head[4..].first_chunk()) else {
            return Ok(None);
        };
        let (n_head, size) = match size {
            0 => (8, at.n_bytes()),
            1 => (16, be64(&head, 8).unwrap_or(0)),
            n => (8, u64::from(n)),
        };
        // Four bytes of padding may stand where no box has room.
        if n_there < 8 || size < n_head {
            return Ok(None);
        }
        let start = at.start.saturating_add(n_head);
        let end = at.start.saturating_add(size);
        Ok(Some((name, Span { start, end })))
    }

    /// The first bytes of a content, at most `max`.
    pub(super) fn read(&mut self, span: Span, max: usize) -> Result<Vec<u8>, BlockError> {
        let mut out = vec![0; span.n_bytes().min(max as u64) as usize];
        self.read_at(span.start, &mut out)?;
        Ok(out)
    }

    fn read_at(&mut self, at: u64, out: &mut [u8]) -> Result<(), BlockError> {
        self.reader.seek(SeekFrom::Start(at)).map_err(unreadable)?;
        if read_full(&mut self.reader, out)? < out.len() {
            return Err(truncated_header());
        }
        Ok(())
    }
}

/// A big-endian number, if it is there.
pub(super) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

/// A big-endian number, if it is there.
pub(super) fn be64(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn find(bytes: &[u8], names: &[&[u8; 4]]) -> Result<Option<(u64, u64)>, BlockError> {
        let mut boxes = Boxes {
            reader: Cursor::new(bytes.to_vec()),
        };
        let all = boxes.all()?;
        Ok(boxes.path(all, names)?.map(|span| (span.start, span.end)))
    }

    #[test]
    fn boxes_are_found_within_their_bounds() {
        let bytes = [
            &b"\0\0\0\x0Cfreexxxx"[..],
            b"\0\0\0\x01moov\0\0\0\0\0\0\0\x20\0\0\0\x0Amvhdab\0\0\0\0\0\0",
            b"\0\0\0\0mdatabc",
        ]
        .concat();
        assert_eq!(find(&bytes, &[b"moov"]), Ok(Some((28, 44))));
        assert_eq!(find(&bytes, &[b"moov", b"mvhd"]), Ok(Some((36, 38))));
        assert_eq!(find(&bytes, &[b"mdat"]), Ok(Some((52, 55))));
        assert_eq!(find(&bytes, &[b"mvhd"]), Ok(None));
        assert_eq!(find(&bytes, &[b"moov", b"mdat"]), Ok(None));
    }

    #[test]
    fn boxes_that_go_on_behind_the_file_end_the_search() {
        let bytes = b"\0\0\0\xFFmdatabc";
        assert_eq!(find(bytes, &[b"moov"]), Ok(None));
        assert!(find(bytes, &[b"mdat"]).is_err());
        let bytes = b"\0\0\0\x01mdat\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\x08moov";
        assert_eq!(find(bytes, &[b"moov"]), Ok(None));
        assert_eq!(find(b"\0\0\0\x07moov", &[b"moov"]), Ok(None));
    }
}
