//! FLAC (RFC 9639): the metadata are walked here, the frames are found and decoded by symphonia.
//!
//! The decoder is handed the stream information and the frames and nothing else: pictures and tags, which may be of any
//! size, are skipped unread. A frame that is missing or damaged shows as a jump of the position; a damaged last frame
//! cannot be told from one cut short, and is reported as `truncated_data`. A frame ends where the header of the next one
//! is found: a file that is cut inside a header, or has bytes of another kind behind its last frame, loses the frame before
//! as well.

use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatOptions, FormatReader};
use symphonia::core::io::{MediaSourceStream, ReadOnlySource};
use symphonia::core::packet::Packet;
use symphonia::default::codecs::FlacDecoder;
use symphonia::default::formats::FlacReader;

use super::channel::Channel;
use super::codec::{Decoded, Fault, guarded};
use super::{
    Decode, StreamFormat, corrupt, read_full, truncated, truncated_header, unreadable, unsupported,
};
use crate::error::BlockError;
use crate::sound::block::check_sample_rate;

const MAX_METADATA_BLOCKS: usize = 4_096;
/// Most samples of one frame.
const MAX_FRAME_SAMPLES: u64 = 65_536;
/// Marker, one block header, and the stream information.
const N_HEAD: usize = 4 + 4 + 34;
/// Full scale of the decoder, which left-aligns every sample in 32 bits.
const FULL_SCALE: f32 = 2_147_483_648.0;

/// Decodes a FLAC file.
pub(super) struct Flac {
    frames: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    channel: Channel,
    n_stated: Option<u64>,
    /// Samples that all packets so far hold.
    n_decoded: u64,
    /// Bytes after the metadata that belong to no packet yet.
    n_bytes_left: u64,
    frame: Decoded,
}

impl Flac {
    /// Reads the metadata of a file from its beginning.
    pub(super) fn open<R>(mut file: R, channel: Channel) -> Result<(StreamFormat, Self), BlockError>
    where
        R: Read + Seek + Send + Sync + 'static,
    {
        let head = read_head(&mut file)?;
        let format = stream_format(&head)?;
        channel.check(format.n_channels)?;
        let start = file.stream_position().map_err(unreadable)?;
        let end = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        file.seek(SeekFrom::Start(start)).map_err(unreadable)?;
        if start >= end {
            return Err(truncated(format.n_samples.unwrap_or(1), 0));
        }
        let frames = Cursor::new(head).chain(Patient(file));
        let (frames, decoder) = match decoder(frames) {
            Ok(parts) => parts,
            Err(Fault::Ended) => return Err(truncated(format.n_samples.unwrap_or(1), 0)),
            Err(Fault::Refused(error)) => return Err(error),
        };
        let flac = Self {
            frames,
            decoder,
            channel,
            n_stated: format.n_samples,
            n_decoded: 0,
            n_bytes_left: end.saturating_sub(start),
            frame: Decoded::default(),
        };
        Ok((format, flac))
    }

    /// Decodes the next frame; `true` once the stream is over.
    fn next_frame(&mut self) -> Result<bool, BlockError> {
        let frames = &mut self.frames;
        let packet = match guarded(|| frames.next_packet()) {
            Ok(Some(packet)) => packet,
            Ok(None) => return self.end(),
            Err(Fault::Ended) => return self.end(),
            Err(Fault::Refused(error)) => return Err(error),
        };
        self.check_position(&packet)?;
        let (decoder, channel) = (&mut self.decoder, self.channel);
        let frame = self
            .frame
            .cleared(packet.dur.get().min(MAX_FRAME_SAMPLES) as usize);
        guarded(|| {
            if let GenericAudioBufferRef::S32(planes) = decoder.decode(&packet)? {
                channel.append(planes.iter_planes(), |x| x as f32 / FULL_SCALE, frame);
            }
            Ok(())
        })
        .map_err(|fault| fault.into_error())?;
        self.n_decoded += self.frame.n_left() as u64;
        self.n_bytes_left = self.n_bytes_left.saturating_sub(packet.data.len() as u64);
        Ok(false)
    }

    /// A frame starts where the last one ended and stays within the stated length.
    fn check_position(&self, packet: &Packet) -> Result<(), BlockError> {
        if i128::from(packet.pts.get()) != i128::from(self.n_decoded) {
            let expected = format!("a frame of sample {}", self.n_decoded);
            return Err(corrupt(
                expected,
                format!("one of sample {}", packet.pts.get()),
            ));
        }
        let n = self.n_decoded + packet.dur.get();
        match self.n_stated {
            Some(n_stated) if n > n_stated => Err(corrupt(format!("{n_stated} samples"), n)),
            _ => Ok(()),
        }
    }

    fn end(&self) -> Result<bool, BlockError> {
        match self.n_stated {
            Some(n) if self.n_decoded < n => Err(truncated(n, self.n_decoded)),
            // Without a stated length, bytes left over are a frame cut short.
            None if self.n_bytes_left > 0 => Err(truncated(self.n_decoded + 1, self.n_decoded)),
            _ => Ok(true),
        }
    }
}

impl Decode for Flac {
    fn fill(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<(), BlockError> {
        while out.len() < n_wanted {
            if self.frame.move_to(out, n_wanted) == 0 && self.next_frame()? {
                break;
            }
        }
        Ok(())
    }
}

/// Tries again where a read was interrupted: the frame finder takes any error for the end.
struct Patient<R>(R);

impl<R: Read> Read for Patient<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.0.read(out) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                answer => return answer,
            }
        }
    }
}

/// Marker and stream information, marked as the only metadata; leaves the file at the first frame.
fn read_head<R: Read + Seek>(file: &mut R) -> Result<[u8; N_HEAD], BlockError> {
    let mut head = [0; N_HEAD];
    if read_full(file, &mut head)? < N_HEAD {
        return Err(truncated_header());
    }
    if head[4] & 0x7F != 0 || head[5..8] != [0, 0, 34] {
        return Err(corrupt("stream information first", "another block"));
    }
    let mut is_last = head[4] & 0x80 != 0;
    head[4] = 0x80;
    for _ in 0..MAX_METADATA_BLOCKS {
        if is_last {
            return Ok(head);
        }
        let mut block = [0; 4];
        if read_full(file, &mut block)? < block.len() {
            return Err(truncated_header());
        }
        is_last = block[0] & 0x80 != 0;
        // Type 127 is forbidden, as it looks like the start of a frame; a second stream information is not allowed.
        if matches!(block[0] & 0x7F, 0 | 0x7F) {
            return Err(corrupt(
                "a metadata block",
                format!("type {}", block[0] & 0x7F),
            ));
        }
        let n_bytes = u32::from_be_bytes([0, block[1], block[2], block[3]]);
        file.seek_relative(i64::from(n_bytes)).map_err(unreadable)?;
    }
    Err(corrupt(
        format!("at most {MAX_METADATA_BLOCKS} metadata blocks"),
        "more",
    ))
}

/// RFC 9639, section 8.2: 20 bits of rate, 3 of channels, 5 of width and 36 of length from byte 10 of the block.
fn stream_format(head: &[u8; N_HEAD]) -> Result<StreamFormat, BlockError> {
    let bits = head[18..26]
        .iter()
        .fold(0, |bits: u64, &byte| bits << 8 | u64::from(byte));
    let n_samples = bits & 0xF_FFFF_FFFF;
    let format = StreamFormat {
        sample_rate: (bits >> 44) as u32,
        n_channels: (bits >> 41) as u32 % 8 + 1,
        bits_per_sample: (bits >> 36) as u32 % 32 + 1,
        n_samples: (n_samples > 0).then_some(n_samples),
        recorded_at: None,
    };
    check_sample_rate(format.sample_rate)?;
    // The difference of two channels of 32 bits has 33, which the decoder does not hold.
    if format.bits_per_sample == 32 && format.n_channels == 2 {
        return Err(unsupported("at most 31 bits for two channels", 32));
    }
    Ok(format)
}

type Parts = (Box<dyn FormatReader>, Box<dyn AudioDecoder>);

fn decoder<R: Read + Send + Sync + 'static>(frames: R) -> Result<Parts, Fault> {
    guarded(|| {
        let source = Box::new(ReadOnlySource::new(frames));
        let stream = MediaSourceStream::new(source, Default::default());
        let reader = FlacReader::try_new(stream, FormatOptions::default())?;
        let track = reader.tracks().first();
        let Some(CodecParameters::Audio(params)) = track.and_then(|t| t.codec_params.as_ref())
        else {
            return Err(Error::DecodeError("no audio track"));
        };
        let decoder = FlacDecoder::try_new(params, &AudioDecoderOptions::default())?;
        Ok((
            Box::new(reader) as Box<dyn FormatReader>,
            Box::new(decoder) as Box<dyn AudioDecoder>,
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, drain, golden, open, refusal};
    use super::*;
    use crate::error::Reason;

    #[test]
    fn flac_gives_the_samples_of_its_wav() {
        for (flac, wav) in [
            ("mono_s16.flac", "mono_s16.wav"),
            ("mono_s24.flac", "mono_s24.wav"),
            ("stereo_s16.flac", "stereo_s16.wav"),
            ("mono_unknown_length.flac", "mono_s16.wav"),
        ] {
            let (expected, error) = decode(&golden(wav));
            assert_eq!(error, None);
            for sizes in [&[1, 7, 1_000][..], &[4_096]] {
                let (samples, error) = drain(&mut open(&golden(flac)), sizes);
                assert!(samples == expected && error.is_none(), "{flac} {error:?}");
            }
        }
    }

    #[test]
    fn the_header_is_told() {
        let source = open(&golden("mono_s24.flac"));
        assert_eq!((source.sample_rate(), source.n_channels()), (16_000, 1));
        assert_eq!(
            (source.bits_per_sample(), source.n_samples()),
            (24, Some(1_600))
        );
        let source = open(&golden("stereo_s16.flac"));
        assert_eq!((source.sample_rate(), source.n_channels()), (48_000, 2));
        assert_eq!(open(&golden("mono_unknown_length.flac")).n_samples(), None);
    }

    /// Frames are whole or not there; what is delivered is a beginning of the sound.
    #[test]
    fn every_cut_is_told() {
        let whole = decode(&golden("mono_s16.flac")).0;
        for name in ["mono_s16.flac", "mono_unknown_length.flac"] {
            let bytes = golden(name);
            for n in 1..bytes.len() {
                let (samples, reason) = decode(&bytes[..n]);
                assert!(whole.starts_with(&samples), "{name} {n}");
                assert!(samples.len() < whole.len() && samples.len() % 1_024 == 0);
                let is_told = matches!(
                    reason,
                    Some(Reason::TruncatedHeader | Reason::TruncatedData)
                );
                // A stream of unknown length that is cut between two frames is whole.
                let is_between = name != "mono_s16.flac" && reason.is_none();
                assert!(is_told || is_between, "{name} {n} {reason:?}");
            }
        }
    }

    #[test]
    fn a_damaged_frame_ends_the_stream_at_its_beginning() {
        let bytes = golden("mono_s16.flac");
        let whole = decode(&bytes).0;
        for at in (200..bytes.len()).step_by(37) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            let (samples, reason) = decode(&damaged);
            assert!(whole.starts_with(&samples) && samples.len() % 1_024 == 0);
            let is_last = samples.len() == 3 * 1_024;
            let expected = if is_last {
                Reason::TruncatedData
            } else {
                Reason::CorruptData
            };
            assert_eq!(reason, Some(expected), "{at}");
        }
    }

    #[test]
    fn metadata_of_any_size_are_skipped_unread() {
        let bytes = golden("mono_s16.flac");
        let mut grown = bytes[..N_HEAD].to_vec();
        grown[4] &= 0x7F;
        grown.extend([6, 0x10, 0, 0]);
        grown.extend(vec![0xFF; 0x10_0000]);
        grown.extend(&bytes[N_HEAD..]);
        assert_eq!(decode(&grown), decode(&bytes));
        let claims = [&grown[..N_HEAD], &[0x86, 0xFF, 0xFF, 0xFF]].concat();
        assert_eq!(decode(&claims), (vec![], Some(Reason::TruncatedData)));
    }

    #[test]
    fn impossible_stream_information_is_refused() {
        let with = |at: usize, value: u8| {
            let mut bytes = golden("mono_s16.flac");
            bytes[at] = value;
            decode(&bytes)
        };
        assert_eq!(with(4, 1).1, Some(Reason::CorruptData));
        assert_eq!(with(7, 35).1, Some(Reason::CorruptData));
        assert_eq!(with(18, 0xFF).1, Some(Reason::BadRate));
        let mut silent = golden("mono_s16.flac");
        silent[18..21].fill(0);
        assert_eq!(refusal(&silent), Some(Reason::BadRate));
        // A length that the frames exceed.
        let (samples, reason) = with(24, 8);
        assert_eq!((samples.len(), reason), (2_048, Some(Reason::CorruptData)));
    }
}
