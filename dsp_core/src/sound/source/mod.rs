//! `Source`: a file or a raw stream in, `AudioBlock`s out. The only room of the core that reads anything.
//!
//! The container is found by content, never by name. Of several channels the first is used. Memory is bounded whatever the
//! length: one block, one read buffer of 64 kB, and for FLAC and Vorbis what one frame or page decodes to. The core's own
//! buffers are wiped; the decoder's inner ones are not, and the recording that they came from exists anyway.
//!
//! | container | encodings |
//! |---|---|
//! | WAV, also `WAVE_FORMAT_EXTENSIBLE`, RF64, BW64 | 8, 16, 24, 32-bit integers, 32 and 64-bit floats, A-law, µ-law |
//! | FLAC | 4 to 32 bits |
//! | OGG | Vorbis; chained streams of one rate |
//! | none | the encodings of [`PcmEncoding`] |
//!
//! An n-bit integer becomes `x / 2^(n-1)`, so that full scale is ±1; more than 24 bits are rounded to the nearest `f32`.

mod codec;

mod encoding;

mod flac;

mod g711;

mod ogg;

mod pcm;

mod setup;

mod skip;

mod vorbis;

mod wav;

mod wav_format;

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use zeroize::{Zeroize, Zeroizing};

use crate::error::{BlockError, Reason};
use crate::sound::block::{AudioBlock, check_sample_rate, first_fault};

pub use encoding::{PcmEncoding, PcmFormat};

/// Most samples in one block: 65 s at 16 kHz. A larger wish is cut to it, so that no caller can ask for unbounded memory.
pub const MAX_BLOCK_SAMPLES: usize = 1 << 20;
/// Most channels of a stream.
pub const MAX_CHANNELS: u32 = 64;
/// Bytes that tell the containers apart.
const N_MAGIC: usize = 12;

/// What a stream says of itself before its first sample.
struct StreamFormat {
    sample_rate: u32,
    n_channels: u32,
    bits_per_sample: u32,
    n_samples: Option<u64>,
}

/// Delivers the first channel of one stream, in order.
trait Decode: Send {
    /// Appends samples to `out` until it holds `n_wanted`, without growing it; fewer only if the stream is over.
    ///
    /// Before an error every sample that precedes it is appended.
    fn fill(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<(), BlockError>;
}

/// An opened stream of one sensor.
///
/// # Guarantee
/// The samples leave only as [`AudioBlock`]s, which nothing outside this crate can read. Error texts and `Debug` hold
/// names, sizes and positions. The same bytes give the same samples, however the reads and the blocks are cut.
pub struct Source {
    sensor_id: u32,
    format: StreamFormat,
    decoder: Box<dyn Decode>,
    position: u64,
    n_skipped: u64,
    pending: Option<BlockError>,
    is_over: bool,
}

impl Source {
    /// Opens a regular file and finds out by its first bytes what it is.
    ///
    /// # Errors
    /// `Unreadable`, `Empty`, `NotAudio`, `TruncatedHeader`, `UnsupportedEncoding`, `CorruptData`, `BadRate` (outside 8 000
    /// to 192 000 Hz), `BadChannels` (outside 1 to 64).
    pub fn open(path: &Path, sensor_id: u32) -> Result<Self, BlockError> {
        // Looked at before it is opened: opening a named pipe waits for its writer.
        let metadata = std::fs::metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            let kind = if metadata.is_dir() {
                "a directory"
            } else {
                "a pipe or a device"
            };
            return Err(BlockError::new(Reason::Unreadable, "a regular file", kind));
        }
        Self::from_reader(File::open(path).map_err(unreadable)?, sensor_id)
    }

    /// As [`Source::open`], from anything that can seek.
    fn from_reader<R>(mut reader: R, sensor_id: u32) -> Result<Self, BlockError>
    where
        R: Read + Seek + Send + Sync + 'static,
    {
        let mut magic = [0; N_MAGIC];
        let n_read = read_full(&mut reader, &mut magic)?;
        reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        match container(&magic[..n_read])? {
            Container::Wav => {
                let header = wav::read_header(&mut reader)?;
                let decoder = pcm::Linear::new(Box::new(reader), &header.pcm, header.n_bytes);
                Self::new(sensor_id, header.stream_format(), Box::new(decoder))
            }
            Container::Flac => {
                let (format, decoder) = flac::Flac::open(reader)?;
                Self::new(sensor_id, format, Box::new(decoder))
            }
            Container::Ogg => {
                let (format, decoder) = vorbis::Vorbis::open(Box::new(reader))?;
                Self::new(sensor_id, format, Box::new(decoder))
            }
        }
    }

    /// Takes a raw stream, such as a pipe, in a stated format. Nothing is read yet.
    ///
    /// # Errors
    /// `BadRate`, `BadChannels`.
    pub fn pcm(
        reader: Box<dyn Read + Send>,
        sensor_id: u32,
        format: PcmFormat,
    ) -> Result<Self, BlockError> {
        let stream_format = StreamFormat {
            sample_rate: format.sample_rate,
            n_channels: format.n_channels,
            bits_per_sample: format.encoding.n_bits(),
            n_samples: None,
        };
        check_channels(format.n_channels)?;
        let decoder = pcm::Linear::new(reader, &format, None);
        Self::new(sensor_id, stream_format, Box::new(decoder))
    }

    fn new(
        sensor_id: u32,
        format: StreamFormat,
        decoder: Box<dyn Decode>,
    ) -> Result<Self, BlockError> {
        check_sample_rate(format.sample_rate)?;
        check_channels(format.n_channels)?;
        Ok(Self {
            sensor_id,
            format,
            decoder,
            position: 0,
            n_skipped: 0,
            pending: None,
            is_over: false,
        })
    }

    /// Sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.format.sample_rate
    }

    /// Number of samples that the header states; `None` where it states none (raw PCM, OGG, a WAV written to a pipe).
    pub fn n_samples(&self) -> Option<u64> {
        self.format.n_samples
    }

    /// Bits per sample of the source encoding; 8 for A-law and µ-law, 16 for Vorbis.
    pub fn bits_per_sample(&self) -> u32 {
        self.format.bits_per_sample
    }

    /// Number of channels in the source, of which the first is used.
    pub fn n_channels(&self) -> u32 {
        self.format.n_channels
    }

    /// Position of the next block's first sample: the number of samples delivered.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next samples; `None` once the stream is over.
    ///
    /// A pipe is waited for until the block is full. A block is short only where the stream ends, in order or not: the
    /// samples before a fault are delivered first, the fault comes with the next call, and `None` ever after.
    ///
    /// # Shape
    /// At most `max_samples` samples; the wish is taken as 1 to [`MAX_BLOCK_SAMPLES`].
    ///
    /// # Errors
    /// `Empty` (a stream without a sample), `TruncatedData`, `PartialSample`, `NotFinite` and `OutOfRange` (which name the
    /// position), `CorruptData`, `Unreadable`, `Mismatch` (a chained stream of another rate).
    pub fn next_block(&mut self, max_samples: usize) -> Result<Option<AudioBlock>, BlockError> {
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        if self.is_over {
            return Ok(None);
        }
        let n_wanted = max_samples.clamp(1, MAX_BLOCK_SAMPLES);
        let mut samples = Zeroizing::new(Vec::with_capacity(self.n_expected(n_wanted)));
        let filled = self.decoder.fill(&mut samples, n_wanted);
        let error = cut_at_fault(&mut samples, self.n_skipped + self.position).or(filled.err());
        self.is_over = error.is_some() || samples.len() < n_wanted;
        if samples.is_empty() {
            return self.end(error);
        }
        self.pending = error;
        let block = AudioBlock::new(
            self.sensor_id,
            self.format.sample_rate,
            self.position,
            std::mem::take(&mut *samples),
        )?;
        self.position += block.n_samples() as u64;
        Ok(Some(block))
    }

    /// Room for one block, and no more than the header promises: a vector that grows leaves copies behind.
    fn n_expected(&self, n_wanted: usize) -> usize {
        let left = self
            .format
            .n_samples
            .map(|n| n.saturating_sub(self.n_skipped + self.position));
        left.map_or(n_wanted, |n| n.clamp(1, n_wanted as u64) as usize)
    }

    fn end(&self, error: Option<BlockError>) -> Result<Option<AudioBlock>, BlockError> {
        match error {
            Some(error) => Err(error),
            None if self.position == 0 && self.n_skipped == 0 => {
                Err(BlockError::new(Reason::Empty, "at least 1 sample", 0))
            }
            None => Ok(None),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source")
            .field("sensor_id", &self.sensor_id)
            .field("sample_rate", &self.format.sample_rate)
            .field("n_channels", &self.format.n_channels)
            .field("n_samples", &self.format.n_samples)
            .field("position", &self.position)
            .finish()
    }
}

/// The containers that are read.
enum Container {
    Wav,
    Flac,
    Ogg,
}

/// Tells the container by its first bytes.
fn container(magic: &[u8]) -> Result<Container, BlockError> {
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

/// Keeps the samples before the first that is unfit, and wipes what follows.
fn cut_at_fault(samples: &mut Vec<f32>, position: u64) -> Option<BlockError> {
    let (i, fault) = first_fault(samples, position)?;
    samples[i..].zeroize();
    samples.truncate(i);
    Some(fault)
}

fn check_channels(n_channels: u32) -> Result<(), BlockError> {
    if (1..=MAX_CHANNELS).contains(&n_channels) {
        return Ok(());
    }
    let expected = format!("1 to {MAX_CHANNELS} channels");
    Err(BlockError::new(Reason::BadChannels, expected, n_channels))
}

/// Reads until the buffer is full or the stream ends, however small the pieces come.
fn read_full(reader: &mut dyn Read, out: &mut [u8]) -> Result<usize, BlockError> {
    let (n_read, outcome) = read_until(reader, out);
    outcome.map(|()| n_read)
}

/// As [`read_full`]; tells also how much was read before an error.
fn read_until(reader: &mut dyn Read, out: &mut [u8]) -> (usize, Result<(), BlockError>) {
    let mut n_read = 0;
    while n_read < out.len() {
        match reader.read(&mut out[n_read..]) {
            Ok(0) => break,
            // A reader that claims more than it was given room for is taken at the room.
            Ok(n) => n_read = out.len().min(n_read.saturating_add(n)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (n_read, Err(unreadable(error))),
        }
    }
    (n_read, Ok(()))
}

/// Names what the operating system said, but not the path: paths tell of people and places.
fn unreadable(error: io::Error) -> BlockError {
    BlockError::new(Reason::Unreadable, "a readable file", error)
}

fn truncated_header() -> BlockError {
    BlockError::new(
        Reason::TruncatedHeader,
        "a complete header",
        "one that ends early",
    )
}

fn truncated(n_expected: u64, n_actual: u64) -> BlockError {
    let expected = format!("{n_expected} samples");
    BlockError::new(Reason::TruncatedData, expected, n_actual)
}

fn corrupt(expected: impl Into<String>, actual: impl fmt::Display) -> BlockError {
    BlockError::new(Reason::CorruptData, expected, actual)
}

fn unsupported(expected: impl Into<String>, actual: impl fmt::Display) -> BlockError {
    BlockError::new(Reason::UnsupportedEncoding, expected, actual)
}
