//! Where the packets of an MP4 track lie: its tables, read from the file a few entries at a time.
//!
//! # Source
//! ISO/IEC 14496-12, clauses 8.7.3 (`stsz`), 8.7.4 (`stsc`), 8.7.5 (`stco`, `co64`).

use std::io::{Read, Seek, SeekFrom};

use super::frame_header::AAC_PACKET_SAMPLES;
use super::mp4_boxes::{Boxes, Span, be32, be64};
use super::packeted::{MAX_PACKET_BYTES, Packets, Trim};
use super::{corrupt, read_full, truncated, unreadable, unsupported};
use crate::error::{BlockError, Reason};

/// Entries of a table that are read at a time.
const N_CACHED: u64 = 512;
/// Bytes of sound that are read at a time.
const N_AHEAD: usize = 1 << 14;

/// One table: entries of one size, of which some are in memory.
struct Table {
    span: Span,
    n_entry_bytes: u64,
    n: u64,
    first_cached: u64,
    cache: Vec<u8>,
}

impl Table {
    /// A box with a count before its entries.
    fn open<R: Read + Seek>(
        boxes: &mut Boxes<R>,
        span: Span,
        n_head: u64,
        n_entry_bytes: u64,
    ) -> Result<Self, BlockError> {
        let head = boxes.read(span, n_head as usize)?;
        let n = u64::from(be32(&head, n_head as usize - 4).unwrap_or(0));
        let entries = span.after(n_head);
        if n > entries.n_bytes() / n_entry_bytes {
            return Err(corrupt(format!("{n} entries of a table"), "fewer"));
        }
        Ok(Self {
            span: entries,
            n_entry_bytes,
            n,
            first_cached: 0,
            cache: Vec::new(),
        })
    }

    /// The bytes of one entry; there must be one of this number.
    fn entry<R: Read + Seek>(&mut self, reader: &mut R, i: u64) -> Result<&[u8], BlockError> {
        if i >= self.n {
            return Err(corrupt(
                format!("{} entries of a table", self.n),
                "a need for more",
            ));
        }
        let n_cached = self.cache.len() as u64 / self.n_entry_bytes;
        if !(self.first_cached..self.first_cached + n_cached).contains(&i) {
            let n = N_CACHED.min(self.n - i);
            self.cache.resize((n * self.n_entry_bytes) as usize, 0);
            self.first_cached = i;
            let at = self.span.start + i * self.n_entry_bytes;
            reader.seek(SeekFrom::Start(at)).map_err(unreadable)?;
            if read_full(reader, &mut self.cache)? < self.cache.len() {
                self.cache.clear();
                return Err(corrupt("a whole table", "one that ends early"));
            }
        }
        let at = ((i - self.first_cached) * self.n_entry_bytes) as usize;
        Ok(&self.cache[at..at + self.n_entry_bytes as usize])
    }

    fn word<R: Read + Seek>(
        &mut self,
        reader: &mut R,
        i: u64,
        at: usize,
    ) -> Result<u32, BlockError> {
        Ok(be32(self.entry(reader, i)?, at).unwrap_or(0))
    }
}

/// The tables of a track.
pub(super) struct Samples {
    /// Sizes of the packets, where they are not all of one.
    sizes: Table,
    /// The size of every packet, if they are all of one.
    size: u32,
    chunks: Table,
    runs: Table,
}

impl Samples {
    /// Finds the tables of a track in its `stbl` box.
    pub(super) fn open<R: Read + Seek>(
        boxes: &mut Boxes<R>,
        table: Span,
    ) -> Result<Self, BlockError> {
        let sizes_box = boxes.find(table, b"stsz")?;
        let sizes_box =
            sizes_box.ok_or_else(|| unsupported("a table of packet sizes (stsz)", "none"))?;
        let size = be32(&boxes.read(sizes_box, 12)?, 4).unwrap_or(0);
        let sizes = match size {
            0 => Table::open(boxes, sizes_box, 12, 4)?,
            _ => Self::of_one_size(boxes, sizes_box)?,
        };
        if sizes.n == 0 {
            let is_fragmented = "none, or fragments";
            return Err(BlockError::new(
                Reason::Empty,
                "packets of sound",
                is_fragmented,
            ));
        }
        let chunks = match boxes.find(table, b"co64")? {
            Some(chunks) => Table::open(boxes, chunks, 8, 8)?,
            None => {
                let chunks = boxes.need(table, &[b"stco"])?;
                Table::open(boxes, chunks, 8, 4)?
            }
        };
        let runs = boxes.need(table, &[b"stsc"])?;
        let runs = Table::open(boxes, runs, 8, 12)?;
        Ok(Self {
            sizes,
            size,
            chunks,
            runs,
        })
    }

    /// A table of which nothing but the count is there.
    fn of_one_size<R: Read + Seek>(boxes: &mut Boxes<R>, span: Span) -> Result<Table, BlockError> {
        let n = u64::from(be32(&boxes.read(span, 12)?, 8).unwrap_or(0));
        Ok(Table {
            span,
            n_entry_bytes: 4,
            n,
            first_cached: 0,
            cache: Vec::new(),
        })
    }

    pub(super) fn n_packets(&self) -> u64 {
        self.sizes.n
    }

    /// The packets that hold what is sound.
    pub(super) fn packets<R: Read + Seek + Send>(self, reader: R, trim: Trim) -> Located<R> {
        let n_samples = trim.n_samples.map(|n| n.saturating_add(trim.n_before));
        let n_wanted = n_samples.map_or(u64::MAX, |n| n.div_ceil(u64::from(AAC_PACKET_SAMPLES)));
        Located {
            n_packets: self.sizes.n.min(n_wanted),
            samples: self,
            reader,
            trim,
            i_packet: 0,
            i_chunk: 0,
            i_run: 0,
            n_in_chunk: 0,
            at: 0,
            ahead: Vec::new(),
            ahead_at: 0,
        }
    }
}

/// Reads the packets one after another.
pub(super) struct Located<R> {
    samples: Samples,
    reader: R,
    trim: Trim,
    n_packets: u64,
    i_packet: u64,
    /// The chunk after the one that is read.
    i_chunk: u64,
    /// The run of chunks that it is in.
    i_run: u64,
    /// Packets left in the chunk that is read.
    n_in_chunk: u32,
    /// Where the next packet lies.
    at: u64,
    /// Bytes read ahead, and where they lie.
    ahead: Vec<u8>,
    ahead_at: u64,
}

impl<R: Read + Seek + Send> Located<R> {
    /// Goes to the beginning of the next chunk.
    fn next_chunk(&mut self) -> Result<(), BlockError> {
        let Samples { runs, chunks, .. } = &mut self.samples;
        // Chunks are numbered from 1; a run goes on to the first chunk of the next.
        while self.i_run + 1 < runs.n
            && u64::from(runs.word(&mut self.reader, self.i_run + 1, 0)?) <= self.i_chunk + 1
        {
            self.i_run += 1;
        }
        self.n_in_chunk = runs.word(&mut self.reader, self.i_run, 4)?;
        if self.n_in_chunk == 0 {
            return Err(corrupt("packets in every chunk", "none"));
        }
        let entry = chunks.entry(&mut self.reader, self.i_chunk)?;
        self.at = match entry.len() {
            8 => be64(entry, 0).unwrap_or(0),
            _ => u64::from(be32(entry, 0).unwrap_or(0)),
        };
        self.i_chunk += 1;
        Ok(())
    }

    /// Bytes at the current place, read with those that follow.
    fn read(&mut self, n_bytes: usize, out: &mut Vec<u8>) -> Result<(), BlockError> {
        let is_there = |from: u64, n: usize| {
            from <= self.at
                && self.at.saturating_add(n_bytes as u64) <= from.saturating_add(n as u64)
        };
        if !is_there(self.ahead_at, self.ahead.len()) {
            self.ahead.resize(N_AHEAD, 0);
            self.ahead_at = self.at;
            self.reader
                .seek(SeekFrom::Start(self.at))
                .map_err(unreadable)?;
            let n_read = read_full(&mut self.reader, &mut self.ahead)?;
            self.ahead.truncate(n_read);
        }
        let from = (self.at - self.ahead_at) as usize;
        match self.ahead.get(from..from + n_bytes) {
            Some(bytes) => out.extend_from_slice(bytes),
            None => return Err(self.ended_early()),
        }
        Ok(())
    }

    fn ended_early(&self) -> BlockError {
        let decoded = self.i_packet * u64::from(AAC_PACKET_SAMPLES);
        let n_there = decoded.saturating_sub(self.trim.n_before);
        truncated(self.trim.n_samples.unwrap_or(n_there + 1), n_there)
    }
}

impl<R: Read + Seek + Send> Packets for Located<R> {
    fn next(&mut self, packet: &mut Vec<u8>) -> Result<bool, BlockError> {
        if self.i_packet >= self.n_packets {
            return Ok(false);
        }
        if self.n_in_chunk == 0 {
            self.next_chunk()?;
        }
        let n_bytes = match self.samples.size {
            0 => self
                .samples
                .sizes
                .word(&mut self.reader, self.i_packet, 0)?,
            size => size,
        };
        if n_bytes as usize > MAX_PACKET_BYTES {
            return Err(corrupt(
                format!("packets of at most {MAX_PACKET_BYTES} bytes"),
                n_bytes,
            ));
        }
        self.read(n_bytes as usize, packet)?;
        self.at = self.at.saturating_add(u64::from(n_bytes));
        self.n_in_chunk -= 1;
        self.i_packet += 1;
        Ok(true)
    }
}
