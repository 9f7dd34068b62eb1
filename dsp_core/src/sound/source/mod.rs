//! `Source`: a file or a raw stream in, `AudioBlock`s out. The only room of the core that reads anything.
//!
//! The container is found by content, never by name. Of several channels one is heard, or the mean of all. Memory is bounded whatever the
//! length: one block, one read buffer of 64 kB, and for what is compressed one frame or page and what it decodes to. The core's own
//! buffers are wiped; the decoder's inner ones are not, and the recording that they came from exists anyway.
//!
//! | container | encodings |
//! |---|---|
//! | WAV, also `WAVE_FORMAT_EXTENSIBLE`, RF64, BW64 | 8, 16, 24, 32-bit integers, 32 and 64-bit floats, A-law, µ-law |
//! | FLAC | 4 to 32 bits |
//! | OGG | Vorbis; chained streams of one rate |
//! | MP4 (M4A) | AAC-LC of one or two channels |
//! | none: frames | MP3; AAC-LC in ADTS |
//! | none: a pipe | the encodings of [`PcmEncoding`] |
//!
//! An n-bit integer becomes `x / 2^(n-1)`, so that full scale is ±1; more than 24 bits are rounded to the nearest `f32`.

mod channel;

mod codec;

mod container;

mod decode;

mod encoding;

mod flac;

mod frame_header;

mod frames;

mod g711;

mod info_frame;

mod mp4;

mod mp4_boxes;

mod mp4_config;

mod mp4_samples;

mod ogg;

mod packeted;

mod pcm;

mod reading;

mod recorded_at;

mod setup;

mod tags;

mod vorbis;

mod wav;

mod wav_format;

mod wav_stamp;

#[cfg(test)]
mod compressed_tests;

#[cfg(test)]
mod parts_tests;

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use zeroize::{Zeroize, Zeroizing};

use crate::error::{BlockError, Reason};
use crate::sound::block::{AudioBlock, check_sample_rate, first_fault};

use container::{Container, N_MAGIC, container};
use decode::{Decode, StreamFormat};
use reading::{
    corrupt, read_full, read_until, truncated, truncated_header, unreadable, unsupported,
};

pub use channel::Channel;
pub use encoding::{PcmEncoding, PcmFormat};
pub use recorded_at::RecordedAt;

/// Most samples in one block: 65 s at 16 kHz. A larger wish is cut to it, so that no caller can ask for unbounded memory.
pub const MAX_BLOCK_SAMPLES: usize = 1 << 20;
/// Most channels of a stream.
pub const MAX_CHANNELS: u32 = 64;

/// An opened stream of one sensor.
///
/// # Guarantee
/// The samples leave only as [`AudioBlock`]s, which nothing outside this crate can read. Error texts and `Debug` hold
/// names, sizes and positions. The same bytes give the same samples, however the reads and the blocks are cut.
pub struct Source {
    sensor_id: u32,
    format: StreamFormat,
    decoder: Box<dyn Decode>,
    /// Samples gone over before the first that is delivered.
    n_skipped: u64,
    /// Whether some were asked to be gone over.
    is_skipped: bool,
    position: u64,
    pending: Option<BlockError>,
    is_over: bool,
}

impl Source {
    /// Opens a regular file and finds out by its first bytes what it is.
    ///
    /// # Errors
    /// `Unreadable`, `Empty`, `NotAudio`, `TruncatedHeader`, `UnsupportedEncoding`, `CorruptData`, `BadRate` (outside 8 000
    /// to 192 000 Hz), `BadChannels` (outside 1 to 64, or without the channel that is asked for).
    pub fn open(path: &Path, sensor_id: u32, channel: Channel) -> Result<Self, BlockError> {
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
        Self::from_reader(File::open(path).map_err(unreadable)?, sensor_id, channel)
    }

    /// As [`Source::open`], from anything that can seek.
    fn from_reader<R>(mut reader: R, sensor_id: u32, channel: Channel) -> Result<Self, BlockError>
    where
        R: Read + Seek + Send + Sync + 'static,
    {
        let mut magic = [0; N_MAGIC];
        let start = tags::skip_tags(&mut reader)?;
        let n_read = read_full(&mut reader, &mut magic)?;
        if n_read == 0 && start > 0 {
            return Err(truncated_header());
        }
        reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        let (format, decoder): (_, Box<dyn Decode>) = match container(&magic[..n_read])? {
            Container::Wav => {
                let header = wav::read_header(&mut reader)?;
                let input = pcm::Input::File(Box::new(reader));
                channel.check(header.pcm.n_channels)?;
                let linear = pcm::Linear::new(input, header.pcm, channel, header.n_bytes);
                (header.stream_format(), Box::new(linear))
            }
            Container::Flac => {
                let (format, flac) = flac::Flac::open(reader, channel)?;
                (format, Box::new(flac))
            }
            Container::Ogg => {
                let (format, vorbis) = vorbis::Vorbis::open(Box::new(reader), channel)?;
                (format, Box::new(vorbis))
            }
            Container::Frames => {
                let (format, frames) = frames::open(reader, channel)?;
                (format, Box::new(frames))
            }
            Container::Mp4 => {
                let (format, mp4) = mp4::open(reader, channel)?;
                (format, Box::new(mp4))
            }
        };
        Self::new(sensor_id, format, decoder)
    }

    /// Takes a raw stream, such as a pipe, in a stated format. Nothing is read yet.
    ///
    /// # Errors
    /// `BadRate`, `BadChannels`.
    pub fn pcm(
        reader: Box<dyn Read + Send>,
        sensor_id: u32,
        format: PcmFormat,
        channel: Channel,
    ) -> Result<Self, BlockError> {
        Self::raw(pcm::Input::Pipe(reader), sensor_id, format, channel)
    }

    /// As [`Source::pcm`], from a regular file, which [`Source::skip`] goes over without reading. It begins where the
    /// file stands.
    ///
    /// # Errors
    /// `BadRate`, `BadChannels`.
    pub fn pcm_file(
        file: File,
        sensor_id: u32,
        format: PcmFormat,
        channel: Channel,
    ) -> Result<Self, BlockError> {
        Self::raw(pcm::Input::File(Box::new(file)), sensor_id, format, channel)
    }

    fn raw(
        input: pcm::Input,
        sensor_id: u32,
        format: PcmFormat,
        channel: Channel,
    ) -> Result<Self, BlockError> {
        let stream_format = StreamFormat {
            sample_rate: format.sample_rate,
            n_channels: format.n_channels,
            bits_per_sample: format.encoding.n_bits(),
            n_samples: None,
            recorded_at: None,
        };
        channel.check(format.n_channels)?;
        let decoder = pcm::Linear::new(input, format, channel, None);
        Self::new(sensor_id, stream_format, Box::new(decoder))
    }

    fn new(
        sensor_id: u32,
        format: StreamFormat,
        decoder: Box<dyn Decode>,
    ) -> Result<Self, BlockError> {
        check_sample_rate(format.sample_rate)?;
        Ok(Self {
            sensor_id,
            format,
            decoder,
            n_skipped: 0,
            is_skipped: false,
            position: 0,
            pending: None,
            is_over: false,
        })
    }

    /// Goes over samples before the first block, which then begins at position 0. WAV and raw files are gone over
    /// unread, whatever their length; other streams are decoded, and wiped.
    ///
    /// Answers how many samples there were: fewer than asked for if the stream ends before. It is over then, and says so
    /// with `None`, even if it held no sample at all. What is gone over is not looked at: only a fault after which nothing
    /// can be read (damage, a missing end) is told, with the next block.
    ///
    /// # Errors
    /// `OutOfOrder` after the first block.
    pub fn skip(&mut self, n_samples: u64) -> Result<u64, BlockError> {
        if self.position > 0 || (self.is_over && !self.is_skipped) {
            let actual = format!("one at sample {}", self.position);
            return Err(BlockError::new(
                Reason::OutOfOrder,
                "a stream of which nothing was read",
                actual,
            ));
        }
        if self.is_over {
            return Ok(0);
        }
        let (n_skipped, outcome) = self.decoder.skip(n_samples);
        self.n_skipped += n_skipped;
        self.is_skipped |= n_samples > 0;
        self.is_over = n_skipped < n_samples;
        self.pending = outcome.err();
        Ok(n_skipped)
    }

    /// Sample rate in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.format.sample_rate
    }

    /// Number of samples of the whole stream that the header states, skipped ones among them; `None` where it states none
    /// (raw PCM, OGG, frames without a table, a WAV written to a pipe).
    pub fn n_samples(&self) -> Option<u64> {
        self.format.n_samples
    }

    /// Bits per sample of the source encoding; 8 for A-law and µ-law, 16 for Vorbis, MP3 and AAC.
    pub fn bits_per_sample(&self) -> u32 {
        self.format.bits_per_sample
    }

    /// Number of channels in the source, of which one is heard, or the mean of all.
    pub fn n_channels(&self) -> u32 {
        self.format.n_channels
    }

    /// When the recording began, if the recorder says so in the header.
    pub fn recorded_at(&self) -> Option<RecordedAt> {
        self.format.recorded_at
    }

    /// Position of the next block's first sample: the number of samples delivered, those skipped not counted.
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
    /// `Empty` (a stream without a sample, unless some were to be skipped), `TruncatedData`, `PartialSample`, `NotFinite` and `OutOfRange` (which name the
    /// position), `CorruptData`, `Unreadable`, `Mismatch` (a chained stream of another rate),
    /// `BadChannels` (a chained stream without the channel).
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
        let error = cut_at_fault(&mut samples, self.position).or(filled.err());
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
            None if self.position == 0 && !self.is_skipped => {
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

/// Keeps the samples before the first that is unfit, and wipes what follows.
fn cut_at_fault(samples: &mut Vec<f32>, position: u64) -> Option<BlockError> {
    let (i, fault) = first_fault(samples, position)?;
    samples[i..].zeroize();
    samples.truncate(i);
    Some(fault)
}
