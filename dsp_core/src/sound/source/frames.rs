//! MP3 and ADTS: frames that follow each other without a container, walked strictly.
//!
//! Two headers that agree make a stream; every later frame must follow the last one and be of the same kind, rate and number
//! of channels. A reader that looks for the next good header would move the time of all that follows. The delay of the
//! encoder is cut off where an `Info` or `Xing` frame of LAME or FFmpeg states it; elsewhere (ADTS, recorders that write
//! none) it stays: the sound is late by 25 to 50 ms.

use std::io::{BufReader, Read, Seek, SeekFrom};

use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP3};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::default::codecs::{AacDecoder, MpaDecoder};

use super::channel::Channel;
use super::codec::guarded;
use super::container::not_audio;
use super::frame_header::{FrameHeader, Kind, N_HEAD};
use super::info_frame::Info;
use super::packeted::{Packeted, Packets, Trim};
use super::tags::is_tag;
use super::{StreamFormat, corrupt, read_full, truncated, truncated_header, unreadable};
use crate::error::BlockError;

/// Samples by which a decoder of layer III is late.
const MP3_DECODER_DELAY: u64 = 528 + 1;
/// MP3 and AAC have no width of their own; their encoders are fed 16 bits.
const BITS_PER_SAMPLE: u32 = 16;

/// Opens a stream of frames at which the reader stands.
pub(super) fn open<R>(
    mut reader: R,
    channel: Channel,
) -> Result<(StreamFormat, Packeted), BlockError>
where
    R: Read + Seek + Send + 'static,
{
    let (first, info) = read_first(&mut reader)?;
    channel.check(first.n_channels)?;
    let decoder = decoder(&first)?;
    let trim = trim(&first, info.as_ref());
    let format = StreamFormat {
        sample_rate: first.sample_rate,
        n_channels: first.n_channels,
        bits_per_sample: BITS_PER_SAMPLE,
        n_samples: trim.n_samples,
        recorded_at: None,
    };
    let frames = Frames {
        reader: BufReader::new(reader),
        first,
        n_stated: info.and_then(|info| info.n_frames),
        n_frames: 0,
    };
    Ok((
        format,
        Packeted::new(Box::new(frames), decoder, channel, trim),
    ))
}

/// The first header, which a second one must follow, and what an `Info` frame says; leaves the reader at the sound.
fn read_first<R: Read + Seek>(reader: &mut R) -> Result<(FrameHeader, Option<Info>), BlockError> {
    let start = reader.stream_position().map_err(unreadable)?;
    let first = read_header(reader)?;
    let second_at = start + first.n_bytes as u64;
    reader
        .seek(SeekFrom::Start(second_at))
        .map_err(unreadable)?;
    if !read_header(reader)?.is_alike(&first) {
        return Err(not_audio());
    }
    reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    let mut frame = vec![0; first.n_bytes];
    read_full(reader, &mut frame)?;
    let info = Info::parse(&first, &frame);
    if info.is_none() {
        reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    }
    Ok((first, info))
}

fn read_header<R: Read>(reader: &mut R) -> Result<FrameHeader, BlockError> {
    let mut head = [0; N_HEAD];
    if read_full(reader, &mut head)? < N_HEAD {
        return Err(truncated_header());
    }
    FrameHeader::parse(&head).ok_or_else(not_audio)
}

/// What is sound of the samples of all frames.
fn trim(first: &FrameHeader, info: Option<&Info>) -> Trim {
    let all = info
        .and_then(|info| info.n_frames)
        .map(|n| n * u64::from(first.n_samples));
    let Some((delay, padding)) = info.and_then(|info| info.delay_and_padding) else {
        return Trim {
            n_before: 0,
            n_samples: all,
        };
    };
    let n_before = u64::from(delay) + MP3_DECODER_DELAY;
    // The decoder's delay is covered by padding of as many samples, or the last ones are never decoded.
    let n_behind = u64::from(padding).saturating_sub(MP3_DECODER_DELAY);
    let n_samples = all.map(|n| n.saturating_sub(n_before + n_behind));
    Trim {
        n_before,
        n_samples,
    }
}

fn decoder(first: &FrameHeader) -> Result<Box<dyn AudioDecoder>, BlockError> {
    let mut params = AudioCodecParameters::new();
    let options = AudioDecoderOptions::default();
    let made = match first.kind {
        Kind::Mp3 { .. } => {
            params.for_codec(CODEC_ID_MP3);
            guarded(|| {
                Ok(Box::new(MpaDecoder::try_new(&params, &options)?) as Box<dyn AudioDecoder>)
            })
        }
        Kind::Adts { rate_index } => {
            // The configuration that an MP4 would carry (ISO/IEC 14496-3, clause 1.6.2.1): AAC-LC, rate, channels.
            let config = u16::from(rate_index) << 7 | (first.n_channels as u16) << 3 | 2 << 11;
            let config = config.to_be_bytes().to_vec().into_boxed_slice();
            params.for_codec(CODEC_ID_AAC).with_extra_data(config);
            guarded(|| {
                Ok(Box::new(AacDecoder::try_new(&params, &options)?) as Box<dyn AudioDecoder>)
            })
        }
    };
    made.map_err(|fault| fault.into_error())
}

/// Walks the frames.
struct Frames<R> {
    reader: BufReader<R>,
    first: FrameHeader,
    n_stated: Option<u64>,
    n_frames: u64,
}

impl<R: Read> Frames<R> {
    fn end(&self) -> Result<bool, BlockError> {
        match self.n_stated {
            Some(n) if self.n_frames < n => Err(self.ended_early()),
            _ => Ok(false),
        }
    }

    fn ended_early(&self) -> BlockError {
        let of = |n_frames: u64| n_frames * u64::from(self.first.n_samples);
        let n_expected = self.n_stated.unwrap_or(0).max(self.n_frames + 1);
        truncated(of(n_expected), of(self.n_frames))
    }
}

impl<R: Read + Send> Packets for Frames<R> {
    fn next(&mut self, packet: &mut Vec<u8>) -> Result<bool, BlockError> {
        let mut head = [0; N_HEAD];
        let n_read = read_full(&mut self.reader, &mut head)?;
        if n_read == 0 || is_tag(&head[..n_read]) {
            return self.end();
        }
        if n_read < N_HEAD {
            return Err(self.ended_early());
        }
        let header = FrameHeader::parse(&head).filter(|header| header.is_alike(&self.first));
        let header = header.ok_or_else(|| corrupt("a frame like the first", "something else"))?;
        if self.n_stated.is_some_and(|n| self.n_frames >= n) {
            return Err(corrupt(format!("{} frames", self.n_frames), "more"));
        }
        packet.extend_from_slice(&head);
        packet.resize(header.n_bytes.max(N_HEAD), 0);
        if read_full(&mut self.reader, &mut packet[N_HEAD..])? < packet.len() - N_HEAD {
            return Err(self.ended_early());
        }
        packet.drain(..header.n_before);
        self.n_frames += 1;
        Ok(true)
    }
}
