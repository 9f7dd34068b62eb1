//! Uncompressed samples: the reader that WAV data and raw streams share.

use std::io::{Read, Seek, SeekFrom};

use zeroize::{Zeroize, Zeroizing};

use super::channel::Channel;
use super::decode::drop_samples;
use super::encoding::{PcmFormat, decode_into};
use super::{Decode, read_until, truncated, unreadable};
use crate::error::{BlockError, Reason};

/// Size of the read buffer: small enough for the cache, large enough that system calls do not count.
const RAW_BYTES: usize = 1 << 16;

/// Where the bytes come from.
pub(super) enum Input {
    /// A file: it goes forward without being read.
    File(Box<dyn ReadSeek>),
    /// A pipe: everything is read.
    Pipe(Box<dyn Read + Send>),
}

/// What can be read and moved in.
pub(super) trait ReadSeek: Read + Seek + Send {}

impl<R: Read + Seek + Send> ReadSeek for R {}

impl Input {
    fn reader(&mut self) -> &mut dyn Read {
        match self {
            Self::File(file) => file,
            Self::Pipe(pipe) => pipe,
        }
    }
}

/// Reads interleaved samples of one encoding.
pub(super) struct Linear {
    input: Input,
    format: PcmFormat,
    channel: Channel,
    /// Bytes of one sample of every channel.
    stride: usize,
    /// Bytes that the header still promises; `None`: as long as there are any.
    n_left: Option<u64>,
    n_stated: u64,
    raw: Zeroizing<Vec<u8>>,
}

impl Linear {
    /// `n_bytes`: length of the data as the header states it, if it does. Channels: 1 to 64.
    pub(super) fn new(
        input: Input,
        format: PcmFormat,
        channel: Channel,
        n_bytes: Option<u64>,
    ) -> Self {
        let stride = format.encoding.n_bytes() * format.n_channels.max(1) as usize;
        let raw = Zeroizing::new(vec![0; RAW_BYTES / stride * stride]);
        Self {
            input,
            format,
            channel,
            stride,
            n_left: n_bytes,
            n_stated: n_bytes.unwrap_or(0) / stride as u64,
            raw,
        }
    }

    /// Goes forward in a file by whole samples, as far as there are any; answers how many.
    fn seek(&mut self, n_samples: u64) -> Result<u64, BlockError> {
        let Input::File(file) = &mut self.input else {
            return Ok(0);
        };
        let stride = self.stride as u64;
        let start = file.stream_position().map_err(unreadable)?;
        let end = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let n_there = end.saturating_sub(start);
        let n_bytes = self.n_left.map_or(n_there, |n| n.min(n_there));
        let n_samples = n_samples.min(n_bytes / stride);
        file.seek(SeekFrom::Start(start + n_samples * stride))
            .map_err(unreadable)?;
        self.n_left = self.n_left.map(|n| n - n_samples * stride);
        Ok(n_samples)
    }

    /// Reads and decodes one buffer; `true` once the stream is over.
    fn fill_once(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<bool, BlockError> {
        let n_bytes = (n_wanted - out.len())
            .saturating_mul(self.stride)
            .min(self.raw.len());
        let n_asked = self
            .n_left
            .map_or(n_bytes, |n| n.min(n_bytes as u64) as usize);
        let raw = &mut self.raw[..n_asked];
        let (n_read, outcome) = read_until(self.input.reader(), raw);
        decode_into(&self.format, self.channel, &raw[..n_read], out);
        raw[..n_read].zeroize();
        outcome?;
        self.n_left = self.n_left.map(|n| n - n_read as u64);
        if n_read < n_asked {
            return self.end_early(n_read);
        }
        if !n_read.is_multiple_of(self.stride) {
            return Err(partial_sample(n_read % self.stride, self.stride));
        }
        Ok(n_asked < n_bytes || n_asked == 0)
    }

    /// The stream ended before the buffer was full.
    fn end_early(&self, n_read: usize) -> Result<bool, BlockError> {
        if let Some(n_left) = self.n_left {
            let n_missing = n_left.div_ceil(self.stride as u64);
            return Err(truncated(
                self.n_stated,
                self.n_stated.saturating_sub(n_missing),
            ));
        }
        match n_read % self.stride {
            0 => Ok(true),
            n => Err(partial_sample(n, self.stride)),
        }
    }
}

impl Decode for Linear {
    fn fill(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<(), BlockError> {
        while out.len() < n_wanted && !self.fill_once(out, n_wanted)? {}
        Ok(())
    }

    fn skip(&mut self, n_samples: u64) -> (u64, Result<(), BlockError>) {
        match self.input {
            Input::File(_) => match self.seek(n_samples) {
                // What the end is like, a read of what is left there tells.
                Ok(n_skipped) if n_skipped < n_samples => {
                    (n_skipped, self.fill(&mut Vec::new(), 1))
                }
                Ok(n_skipped) => (n_skipped, Ok(())),
                Err(error) => (0, Err(error)),
            },
            Input::Pipe(_) => drop_samples(self, n_samples),
        }
    }
}

fn partial_sample(n: usize, stride: usize) -> BlockError {
    let expected = format!("samples of {stride} bytes");
    BlockError::new(
        Reason::PartialSample,
        expected,
        format!("{n} bytes at the end"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::testing::{drain, raw};
    use super::super::{PcmEncoding, Source};
    use super::*;

    #[test]
    fn the_first_of_many_channels_is_taken() {
        let frames = [[1_i16, 2, 3], [4, 5, 6]].concat();
        let bytes: Vec<u8> = frames.iter().flat_map(|x| x.to_le_bytes()).collect();
        let (samples, error) = drain(&mut raw(&bytes, PcmEncoding::S16Le, 3), &[1_000]);
        assert_eq!(
            (samples, error),
            (vec![1.0 / 32_768.0, 4.0 / 32_768.0], None)
        );
    }

    #[test]
    fn a_stream_that_ends_inside_a_sample_says_so_after_its_samples() {
        let (samples, error) = drain(&mut raw(&[0, 0, 0, 64, 9], PcmEncoding::S16Le, 1), &[1]);
        assert_eq!(
            (samples, error.unwrap().reason),
            (vec![0.0, 0.5], Reason::PartialSample)
        );
        let (samples, error) = drain(&mut raw(&[1, 2, 3], PcmEncoding::S16Le, 2), &[1]);
        assert_eq!(
            (samples.len(), error.unwrap().reason),
            (0, Reason::PartialSample)
        );
        let (_, error) = drain(&mut raw(&[], PcmEncoding::U8, 1), &[1]);
        assert_eq!(error.unwrap().reason, Reason::Empty);
    }

    #[test]
    fn what_is_not_finite_is_named_by_position_after_the_samples_before_it() {
        let mut x = vec![0.5_f32; 70_000];
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            x[69_000] = bad;
            let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
            let (samples, error) = drain(&mut raw(&bytes, PcmEncoding::F32Le, 1), &[50_000]);
            let error = error.unwrap();
            assert_eq!((samples.len(), error.reason), (69_000, Reason::NotFinite));
            assert!(error.actual.contains("sample 69000"), "{error}");
        }
        let too_large = 1e300_f64.to_le_bytes();
        let (_, error) = drain(&mut raw(&too_large, PcmEncoding::F64Le, 1), &[1]);
        assert_eq!(error.unwrap().reason, Reason::NotFinite);
    }

    struct Breaks(u8);
    impl Read for Breaks {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            self.0 += 1;
            out[..3].fill(0);
            if self.0 < 3 {
                Ok(3)
            } else {
                Err(std::io::Error::other("gone"))
            }
        }
    }

    #[test]
    fn a_read_error_comes_after_the_samples_before_it() {
        let format = PcmFormat {
            sample_rate: 8_000,
            encoding: PcmEncoding::S16Le,
            n_channels: 1,
        };
        let mut source = Source::pcm(Box::new(Breaks(0)), 1, format, Channel::FIRST).unwrap();
        let (samples, error) = drain(&mut source, &[100]);
        assert_eq!(
            (samples.len(), error.unwrap().reason),
            (3, Reason::Unreadable)
        );
    }

    #[test]
    fn impossible_formats_are_refused() {
        let reason = |sample_rate, n_channels| {
            let format = PcmFormat {
                sample_rate,
                encoding: PcmEncoding::F64Le,
                n_channels,
            };
            Source::pcm(Box::new(std::io::empty()), 1, format, Channel::FIRST)
                .err()
                .map(|error| error.reason)
        };
        assert_eq!(reason(16_000, 64), None);
        assert_eq!(reason(0, 1), Some(Reason::BadRate));
        assert_eq!(reason(7_999, 1), Some(Reason::BadRate));
        assert_eq!(reason(192_001, 1), Some(Reason::BadRate));
        assert_eq!(reason(16_000, 0), Some(Reason::BadChannels));
        assert_eq!(reason(16_000, 65), Some(Reason::BadChannels));
        assert_eq!(reason(16_000, u32::MAX), Some(Reason::BadChannels));
    }
}
