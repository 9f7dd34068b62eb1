//! OGG pages (RFC 3533), read strictly: every page must follow the last one and carry its own checksum.
//!
//! A street recording is whole or it is not; a reader that looks for the next good page would move the time of all that
//! follows.

use std::io::{BufReader, Read};

use super::{corrupt, read_full};
use crate::error::{BlockError, Reason};

const N_HEAD: usize = 27;
/// Most bytes of a packet: audio packets have less than 100 kB, set-ups less still.
const MAX_PACKET_BYTES: usize = 1 << 20;

/// One page; `body` holds the segments, `lacing` their lengths.
#[derive(Default)]
pub(super) struct Page {
    head: Vec<u8>,
    lacing: Vec<u8>,
    body: Vec<u8>,
}

impl Page {
    fn flag(&self, mask: u8) -> bool {
        self.head.get(5).is_some_and(|flags| flags & mask != 0)
    }

    pub(super) fn is_continued(&self) -> bool {
        self.flag(1)
    }

    pub(super) fn is_first(&self) -> bool {
        self.flag(2)
    }

    pub(super) fn is_last(&self) -> bool {
        self.flag(4)
    }

    fn u32_at(&self, at: usize) -> u32 {
        let bytes = self.head.get(at..).and_then(|bytes| bytes.first_chunk());
        bytes.map_or(0, |x| u32::from_le_bytes(*x))
    }

    /// Position of the last sample that is complete on this page; `None` if no packet ends here.
    pub(super) fn end_sample(&self) -> Option<u64> {
        let granule = u64::from(self.u32_at(6)) | u64::from(self.u32_at(10)) << 32;
        (granule != u64::MAX).then_some(granule)
    }

    pub(super) fn serial(&self) -> u32 {
        self.u32_at(14)
    }

    pub(super) fn sequence(&self) -> u32 {
        self.u32_at(18)
    }

    /// Number of packets that end on this page.
    pub(super) fn n_packets(&self) -> usize {
        self.lacing.iter().filter(|&&n| n < 255).count()
    }

    /// Bytes from the beginning of the page's first segment.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }
}

/// What follows in the file.
pub(super) enum Next {
    /// A page, which can be looked at now.
    Page,
    /// Something that is no page.
    Other,
    /// Nothing.
    End,
}

/// Reads one page after another.
pub(super) struct Pages {
    reader: BufReader<Box<dyn Read + Send>>,
    pub(super) page: Page,
}

impl Pages {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        let page = Page::default();
        Self {
            reader: BufReader::new(reader),
            page,
        }
    }

    /// Reads what follows.
    pub(super) fn next_page(&mut self) -> Result<Next, BlockError> {
        let page = &mut self.page;
        page.head.resize(N_HEAD, 0);
        let n_read = read_full(&mut self.reader, &mut page.head)?;
        if n_read == 0 {
            return Ok(Next::End);
        }
        if !page.head[..n_read.min(4)].starts_with(&b"OggS"[..n_read.min(4)]) {
            return Ok(Next::Other);
        }
        if n_read < N_HEAD {
            return Err(ended_early());
        }
        page.lacing.resize(usize::from(page.head[26]), 0);
        if read_full(&mut self.reader, &mut page.lacing)? < page.lacing.len() {
            return Err(ended_early());
        }
        page.body
            .resize(page.lacing.iter().map(|&n| usize::from(n)).sum(), 0);
        if read_full(&mut self.reader, &mut page.body)? < page.body.len() {
            return Err(ended_early());
        }
        let stated = page.u32_at(22);
        page.head[22..26].fill(0);
        let parts = [&page.head, &page.lacing, &page.body];
        if parts.into_iter().fold(0, |crc, part| checksum(crc, part)) != stated {
            return Err(corrupt("a page with its checksum", "another checksum"));
        }
        if page.head[4] != 0 {
            return Err(corrupt("a page of version 0", page.head[4]));
        }
        Ok(Next::Page)
    }
}

/// The file ended inside a page or before the last one.
pub(super) fn ended_early() -> BlockError {
    BlockError::new(Reason::TruncatedData, "a last page", "an end before it")
}

/// A packet that may go on over several pages.
#[derive(Default)]
pub(super) struct Packet {
    pub(super) bytes: Vec<u8>,
    /// It was longer than any packet of sound, and only its beginning was kept.
    pub(super) is_cut: bool,
    is_open: bool,
}

impl Packet {
    /// Calls `each` with every packet that ends on the page, and keeps the beginning of one that does not.
    pub(super) fn split(
        &mut self,
        page: &Page,
        mut each: impl FnMut(&Self) -> Result<(), BlockError>,
    ) -> Result<(), BlockError> {
        if page.is_continued() != self.is_open {
            return Err(corrupt(
                "a page that continues the last one",
                "one that does not",
            ));
        }
        let mut rest = page.body();
        for &n in &page.lacing {
            let (segment, tail) = rest.split_at(rest.len().min(usize::from(n)));
            rest = tail;
            self.is_cut |= self.bytes.len() + segment.len() > MAX_PACKET_BYTES;
            if !self.is_cut {
                self.bytes.extend_from_slice(segment);
            }
            self.is_open = n == 255;
            if !self.is_open {
                each(self)?;
                self.bytes.clear();
                self.is_cut = false;
            }
        }
        Ok(())
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }
}

/// The CRC-32 of OGG: polynomial 0x04C11DB7, not reflected, starting from 0.
pub(super) fn checksum(crc: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(crc, |crc, &byte| {
        crc << 8 ^ CRC_TABLE[usize::from((crc >> 24) as u8 ^ byte)]
    })
}

static CRC_TABLE: [u32; 256] = crc_table();

const fn crc_table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut crc = (i as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 {
                crc << 1 ^ 0x04C1_1DB7
            } else {
                crc << 1
            };
            bit += 1;
        }
        table[i] = crc;
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::testing::golden;
    use super::*;

    #[test]
    fn checksums_are_those_of_another_writer() {
        let mut pages = Pages::new(Box::new(std::io::Cursor::new(golden("mono_vorbis.ogg"))));
        let mut n_pages = 0;
        while matches!(pages.next_page(), Ok(Next::Page)) {
            assert_eq!((pages.page.serial(), pages.page.sequence()), (17, n_pages));
            n_pages += 1;
        }
        assert!(n_pages >= 3 && pages.page.is_last());
    }

    #[test]
    fn long_packets_are_cut_and_not_kept() {
        let page = Page {
            head: vec![0; N_HEAD],
            lacing: vec![255; 255],
            body: vec![1; 65_025],
        };
        let mut more = Page {
            head: vec![0; N_HEAD],
            lacing: vec![255; 255],
            body: vec![1; 65_025],
        };
        more.head[5] = 1;
        let mut packet = Packet::default();
        packet.split(&page, |_| Ok(())).unwrap();
        for _ in 0..64 {
            packet.split(&more, |_| Ok(())).unwrap();
        }
        assert!(packet.is_cut && packet.is_open() && packet.bytes.len() <= MAX_PACKET_BYTES);
        assert!(packet.split(&page, |_| Ok(())).is_err());
    }
}
