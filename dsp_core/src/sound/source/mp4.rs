//! AAC-LC in MP4 (M4A): the index is read here, the packets are decoded by symphonia.
//!
//! The first sound track is heard. Its tables stay in the file and are read as they are needed, so that memory does not grow
//! with them. What the encoder put around the sound is cut off as the file says it: by the comment `iTunSMPB`, else by the
//! edit list, else only at the end, by the length of the track. Not read: fragments (`moof`), more than two channels,
//! HE-AAC. A recording that was not finished has no index, and is refused.
//!
//! # Source
//! ISO/IEC 14496-12 (boxes), 14496-14 and 14496-1, clause 7.2.6 (`esds`), 14496-3, clause 1.6.2.1 (configuration).

use std::io::{Read, Seek};

use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::default::codecs::AacDecoder;

use super::channel::Channel;
use super::codec::guarded;
use super::frame_header::AAC_PACKET_SAMPLES;
use super::mp4_boxes::{Boxes, Span, be32, be64};
use super::mp4_config::{Config, read_config};
use super::mp4_samples::Samples;
use super::packeted::{Packeted, Trim};
use super::recorded_at::RecordedAt;
use super::{StreamFormat, corrupt, unsupported};
use crate::error::{BlockError, Reason};

/// Most tracks looked at.
const MAX_TRACKS: u32 = 64;
/// Most bytes of a description or comment that are looked at.
const MAX_BYTES: usize = 1 << 12;
/// AAC has no width of its own; its encoders are fed 16 bits.
const BITS_PER_SAMPLE: u32 = 16;

/// Opens a file from its beginning.
pub(super) fn open<R>(reader: R, channel: Channel) -> Result<(StreamFormat, Packeted), BlockError>
where
    R: Read + Seek + Send + 'static,
{
    let mut boxes = Boxes { reader };
    let all = boxes.all()?;
    let moov = boxes.find(all, b"moov")?.ok_or_else(no_index)?;
    let track = sound_track(&mut boxes, moov)?;
    let table = boxes.need(track, &[b"mdia", b"minf", b"stbl"])?;
    let config = sound_config(&mut boxes, table)?;
    channel.check(config.n_channels)?;
    let samples = Samples::open(&mut boxes, table)?;
    let trim = sound_of(&mut boxes, moov, track, &config, samples.n_packets())?;
    let format = StreamFormat {
        sample_rate: config.sample_rate,
        n_channels: config.n_channels,
        bits_per_sample: BITS_PER_SAMPLE,
        n_samples: trim.n_samples,
        recorded_at: creation_time(&mut boxes, moov)?,
    };
    let decoder = decoder(&config)?;
    let packets = Box::new(samples.packets(boxes.reader, trim));
    Ok((format, Packeted::new(packets, decoder, channel, trim)))
}

/// The first track whose handler is sound.
fn sound_track<R: Read + Seek>(boxes: &mut Boxes<R>, moov: Span) -> Result<Span, BlockError> {
    let mut left = moov;
    for _ in 0..MAX_TRACKS {
        let Some(track) = boxes.find(left, b"trak")? else {
            break;
        };
        if let Some(handler) = boxes.path(track, &[b"mdia", b"hdlr"])?
            && boxes.read(handler, 12)?.get(8..12) == Some(b"soun")
        {
            return Ok(track);
        }
        left.start = track.end;
    }
    Err(unsupported("an MP4 with a sound track", "none"))
}

fn sound_config<R: Read + Seek>(boxes: &mut Boxes<R>, table: Span) -> Result<Config, BlockError> {
    let description = boxes.need(table, &[b"stsd"])?;
    read_config(&boxes.read(description, MAX_BYTES)?)
}

fn decoder(config: &Config) -> Result<Box<dyn AudioDecoder>, BlockError> {
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(CODEC_ID_AAC)
        .with_extra_data(config.bytes.clone().into_boxed_slice());
    let options = AudioDecoderOptions::default();
    let made =
        guarded(|| Ok(Box::new(AacDecoder::try_new(&params, &options)?) as Box<dyn AudioDecoder>));
    made.map_err(|fault| fault.into_error())
}

/// What is sound of the samples that all packets hold.
fn sound_of<R: Read + Seek>(
    boxes: &mut Boxes<R>,
    moov: Span,
    track: Span,
    config: &Config,
    n_packets: u64,
) -> Result<Trim, BlockError> {
    let n_all = n_packets.saturating_mul(u64::from(AAC_PACKET_SAMPLES));
    let told = match gapless_comment(boxes, moov)? {
        Some(told) => Some(told),
        None => edit(boxes, moov, track, config.sample_rate)?,
    };
    let (n_before, n_samples) =
        told.unwrap_or((0, media_samples(boxes, track, config.sample_rate)?));
    let n_there = n_all.checked_sub(n_before).filter(|&n| n > 0);
    let n_there = n_there.ok_or_else(|| BlockError::new(Reason::Empty, "at least 1 sample", 0))?;
    let n_samples = if n_samples == 0 {
        n_there
    } else {
        n_samples.min(n_there)
    };
    Ok(Trim {
        n_before,
        n_samples: Some(n_samples),
    })
}

/// Delay and length in samples, from the comment that Apple's and other encoders write: hexadecimal words, of which the second
/// is the delay and the fourth the length.
fn gapless_comment<R: Read + Seek>(
    boxes: &mut Boxes<R>,
    moov: Span,
) -> Result<Option<(u64, u64)>, BlockError> {
    let Some(meta) = boxes.path(moov, &[b"udta", b"meta"])? else {
        return Ok(None);
    };
    let Some(mut list) = boxes.find(meta.after(4), b"ilst")? else {
        return Ok(None);
    };
    for _ in 0..MAX_TRACKS {
        let Some(entry) = boxes.find(list, b"----")? else {
            break;
        };
        list.start = entry.end;
        let (Some(name), Some(data)) = (boxes.find(entry, b"name")?, boxes.find(entry, b"data")?)
        else {
            continue;
        };
        if boxes.read(name.after(4), 16)? == b"iTunSMPB" {
            let text = boxes.read(data.after(8), 256)?;
            return Ok(parse_gapless(&text));
        }
    }
    Ok(None)
}

fn parse_gapless(text: &[u8]) -> Option<(u64, u64)> {
    let words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
    let mut words = words.map(|word| u64::from_str_radix(word, 16).ok());
    let (delay, length) = (words.nth(1)??, words.nth(1)??);
    // A second at any rate: encoders have a few thousand samples of delay.
    (delay < 200_000 && length > 0).then_some((delay, length))
}

/// Start and length in samples of the only part of the track that is to be heard; a length of 0 is all that follows.
fn edit<R: Read + Seek>(
    boxes: &mut Boxes<R>,
    moov: Span,
    track: Span,
    sample_rate: u32,
) -> Result<Option<(u64, u64)>, BlockError> {
    let Some(list) = boxes.path(track, &[b"edts", b"elst"])? else {
        return Ok(None);
    };
    let list = boxes.read(list, MAX_BYTES)?;
    let movie = movie_header(boxes, moov)?;
    let timescale =
        u64::from(be32(&movie, if movie.first() == Some(&1) { 20 } else { 12 }).unwrap_or(0));
    let Some((duration, start)) = only_edit(&list)? else {
        return Ok(None);
    };
    let media_timescale = u64::from(media_header(boxes, track)?.0);
    let n_before = rescale(start, media_timescale, sample_rate);
    let n_media = media_samples(boxes, track, sample_rate)?.saturating_sub(n_before);
    let n_edit = rescale(duration, timescale, sample_rate);
    // The movie's clock is a coarse one: within a tick of it, the track's own length is the exact one.
    let tick = u64::from(sample_rate).div_ceil(timescale.max(1));
    let n_samples = if n_edit.abs_diff(n_media) <= tick {
        n_media
    } else {
        n_edit
    };
    Ok(Some((n_before, n_samples)))
}

/// Duration on the movie's clock and start on the track's, of a list with one edit that is no silence.
fn only_edit(list: &[u8]) -> Result<Option<(u64, u64)>, BlockError> {
    let is_long = list.first() == Some(&1);
    let n_bytes = if is_long { 20 } else { 12 };
    let n_edits = be32(list, 4).unwrap_or(0) as usize;
    let edits = list
        .get(8..)
        .unwrap_or(&[])
        .chunks_exact(n_bytes)
        .take(n_edits);
    let mut edits = edits.filter_map(|edit| match is_long {
        true => Some((be64(edit, 0)?, be64(edit, 8)? as i64)),
        false => Some((u64::from(be32(edit, 0)?), i64::from(be32(edit, 4)? as i32))),
    });
    // A start of -1 is silence before the sound, which is not played here.
    let first = edits.find(|&(_, start)| start >= 0);
    if first.is_some() && edits.any(|(_, start)| start >= 0) {
        return Err(unsupported("a track in one piece", "one of several edits"));
    }
    Ok(first.map(|(duration, start)| (duration, start.unsigned_abs())))
}

/// Length of the track in samples; 0 where it is not told.
fn media_samples<R: Read + Seek>(
    boxes: &mut Boxes<R>,
    track: Span,
    sample_rate: u32,
) -> Result<u64, BlockError> {
    let (timescale, duration) = media_header(boxes, track)?;
    Ok(rescale(duration, u64::from(timescale), sample_rate))
}

/// Timescale and duration of the track.
fn media_header<R: Read + Seek>(
    boxes: &mut Boxes<R>,
    track: Span,
) -> Result<(u32, u64), BlockError> {
    let header = boxes.need(track, &[b"mdia", b"mdhd"])?;
    let header = boxes.read(header, 32)?;
    let parts = match header.first() {
        Some(1) => be32(&header, 20).zip(be64(&header, 24)),
        _ => be32(&header, 12).zip(be32(&header, 16).map(u64::from)),
    };
    let parts = parts.filter(|&(timescale, _)| timescale > 0);
    parts.ok_or_else(|| corrupt("a track with a clock", "one without"))
}

fn movie_header<R: Read + Seek>(boxes: &mut Boxes<R>, moov: Span) -> Result<Vec<u8>, BlockError> {
    match boxes.find(moov, b"mvhd")? {
        Some(header) => boxes.read(header, 32),
        None => Ok(Vec::new()),
    }
}

fn creation_time<R: Read + Seek>(
    boxes: &mut Boxes<R>,
    moov: Span,
) -> Result<Option<RecordedAt>, BlockError> {
    let header = movie_header(boxes, moov)?;
    let time_s = match header.first() {
        Some(1) => be64(&header, 4),
        _ => be32(&header, 4).map(u64::from),
    };
    Ok(time_s.and_then(RecordedAt::from_1904))
}

/// A time on one clock in samples, to the nearest.
fn rescale(time: u64, timescale: u64, sample_rate: u32) -> u64 {
    let timescale = u128::from(timescale.max(1));
    let samples = (u128::from(time) * u128::from(sample_rate) + timescale / 2) / timescale;
    u64::try_from(samples).unwrap_or(u64::MAX)
}

fn no_index() -> BlockError {
    BlockError::new(
        Reason::TruncatedHeader,
        "an MP4 with its index (moov)",
        "one without",
    )
}
