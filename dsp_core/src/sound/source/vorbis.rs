//! Vorbis in OGG: pages and positions are kept here, packets are decoded by symphonia.
//!
//! The decoder's tables come from the platform's `sin` and `cos` in `f64`, rounded to `f32`; all else in it is plain
//! arithmetic without CPU dispatch (symphonia without `opt-simd`).

use std::io::Read;

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::well_known::CODEC_ID_VORBIS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::codecs::VorbisDecoder;

use super::channel::Channel;
use super::codec::{Decoded, guarded};
use super::ogg::{Next, Packet, Page, Pages, ended_early};
use super::setup::check_setup;
use super::{Decode, StreamFormat, corrupt, truncated_header, unsupported};
use crate::error::{BlockError, Reason};
use crate::sound::block::check_sample_rate;

/// Bytes of the identification packet.
const N_IDENT: usize = 30;
/// Most samples of one packet: half of the longest block.
const MAX_PACKET_SAMPLES: usize = 4_096;
/// Vorbis has no width of its own; its encoders are fed 16 bits.
const BITS_PER_SAMPLE: u32 = 16;

/// Decodes the first Vorbis stream of an OGG file, and of those chained to it.
pub(super) struct Vorbis {
    pages: Pages,
    stream: Stream,
    page: Decoded,
}

/// One logical stream.
struct Stream {
    serial: u32,
    sample_rate: u32,
    n_channels: u32,
    channel: Channel,
    decoder: VorbisDecoder,
    packet: Packet,
    next_sequence: u32,
    /// Position at the end of the last page with sound.
    end_sample: Option<u64>,
    is_over: bool,
}

impl Vorbis {
    /// Reads the three header packets.
    pub(super) fn open(
        reader: Box<dyn Read + Send>,
        channel: Channel,
    ) -> Result<(StreamFormat, Self), BlockError> {
        let mut pages = Pages::new(reader);
        next_header_page(&mut pages)?;
        let stream = Stream::open(&mut pages, channel)?;
        let format = StreamFormat {
            sample_rate: stream.sample_rate,
            n_channels: stream.n_channels,
            bits_per_sample: BITS_PER_SAMPLE,
            n_samples: None,
            recorded_at: None,
        };
        Ok((
            format,
            Self {
                pages,
                stream,
                page: Decoded::default(),
            },
        ))
    }

    /// Decodes the next page; `true` once the stream is over.
    fn next_page(&mut self) -> Result<bool, BlockError> {
        let page = match (self.pages.next_page()?, self.stream.is_over) {
            // Tags of any form may follow the last page.
            (Next::End | Next::Other, true) => return Ok(true),
            (Next::End, false) => return Err(ended_early()),
            (Next::Other, false) => return Err(no_page()),
            (Next::Page, _) => &self.pages.page,
        };
        if page.is_first() {
            if !self.stream.is_over {
                return Err(ended_early());
            }
            self.chain()?;
        } else if page.serial() == self.stream.serial {
            self.stream.read_page(page, &mut self.page)?;
        }
        Ok(false)
    }

    /// Goes over to a stream that begins where the last one ended.
    fn chain(&mut self) -> Result<(), BlockError> {
        let sample_rate = self.stream.sample_rate;
        self.stream = Stream::open(&mut self.pages, self.stream.channel)?;
        if self.stream.sample_rate == sample_rate {
            return Ok(());
        }
        let actual = format!("{} Hz", self.stream.sample_rate);
        Err(BlockError::new(
            Reason::Mismatch,
            format!("{sample_rate} Hz"),
            actual,
        ))
    }
}

impl Decode for Vorbis {
    fn fill(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<(), BlockError> {
        while out.len() < n_wanted {
            if self.page.move_to(out, n_wanted) > 0 {
                continue;
            }
            let outcome = self.next_page();
            // What a page held before its fault is delivered before the fault.
            if outcome.is_err() {
                self.page.move_to(out, n_wanted);
            }
            if outcome? {
                break;
            }
        }
        Ok(())
    }
}

impl Stream {
    /// Reads the headers; the first page has been read.
    fn open(pages: &mut Pages, channel: Channel) -> Result<Self, BlockError> {
        let ident = find_ident(pages)?;
        let serial = pages.page.serial();
        let (sample_rate, n_channels) = check_ident(&ident)?;
        channel.check(n_channels)?;
        let (extra, next_sequence) = read_headers(pages, ident)?;
        Ok(Self {
            serial,
            sample_rate,
            n_channels,
            channel,
            decoder: decoder(extra)?,
            packet: Packet::default(),
            next_sequence,
            end_sample: None,
            is_over: false,
        })
    }

    /// Decodes the packets that end on the current page, and drops what its position says is not sound.
    fn read_page(&mut self, page: &Page, out: &mut Decoded) -> Result<(), BlockError> {
        // A recording of a running stream has its headers in front and begins at any page.
        if self.end_sample.is_some() {
            check_sequence(self.next_sequence, page.sequence())?;
        }
        self.next_sequence = page.sequence().wrapping_add(1);
        let samples = out.cleared(page.n_packets() * MAX_PACKET_SAMPLES);
        let (decoder, channel) = (&mut self.decoder, self.channel);
        self.packet
            .split(page, |packet| decode(decoder, channel, packet, samples))?;
        self.is_over = page.is_last();
        let Some(end_sample) = page.end_sample() else {
            return Ok(());
        };
        // Vorbis I, appendix A.2: the first page may begin before sample 0, the last one may end inside its packets.
        let n = out.n_left() as u64;
        match self.end_sample {
            _ if page.is_last() => {
                let n_valid = end_sample.saturating_sub(self.end_sample.unwrap_or(0));
                out.keep(usize::try_from(n_valid).unwrap_or(usize::MAX));
            }
            None => out.skip(n.saturating_sub(end_sample) as usize),
            Some(_) => {}
        }
        self.end_sample = Some(end_sample);
        Ok(())
    }
}

/// The identification packet of the first Vorbis stream, on a page of its own.
fn find_ident(pages: &mut Pages) -> Result<Vec<u8>, BlockError> {
    let mut other = "no stream";
    while pages.page.is_first() {
        let body = pages.page.body();
        if body.starts_with(b"\x01vorbis") {
            return Ok(body.to_vec());
        }
        other = match body {
            [b'O', b'p', b'u', b's', b'H', ..] => "Opus",
            [0x7F, b'F', b'L', b'A', b'C', ..] => "FLAC in OGG",
            [b'S', b'p', b'e', b'e', b'x', ..] => "Speex",
            _ => "another codec",
        };
        next_header_page(pages)?;
    }
    Err(unsupported("Vorbis in OGG", other))
}

/// Comments and set-up after the identification; answers what the decoder needs of them, and the number of the next page.
fn read_headers(pages: &mut Pages, ident: Vec<u8>) -> Result<(Vec<u8>, u32), BlockError> {
    let mut extra = ident;
    let serial = pages.page.serial();
    let mut packet = Packet::default();
    let (mut n_packets, mut next_sequence) = (1, pages.page.sequence().wrapping_add(1));
    while n_packets < 3 {
        next_header_page(pages)?;
        if pages.page.serial() != serial {
            continue;
        }
        check_sequence(next_sequence, pages.page.sequence())?;
        next_sequence = next_sequence.wrapping_add(1);
        packet.split(&pages.page, |packet| {
            n_packets += 1;
            match n_packets {
                2 if packet.bytes.starts_with(b"\x03vorbis") => Ok(()),
                3 if !packet.is_cut => {
                    check_setup(&packet.bytes)?;
                    extra.extend_from_slice(&packet.bytes);
                    Ok(())
                }
                _ => Err(corrupt(
                    "comments, set-up, and sound on a new page",
                    "another order",
                )),
            }
        })?;
    }
    if packet.is_open() {
        return Err(corrupt("sound on a new page", "a packet after the set-up"));
    }
    Ok((extra, next_sequence))
}

/// Rate and channels of the identification packet (section 4.2.2).
fn check_ident(ident: &[u8]) -> Result<(u32, u32), BlockError> {
    if ident.len() != N_IDENT {
        return Err(corrupt(
            format!("an identification of {N_IDENT} bytes"),
            ident.len(),
        ));
    }
    let n_channels = u32::from(ident[11]);
    let sample_rate = u32::from_le_bytes([ident[12], ident[13], ident[14], ident[15]]);
    check_sample_rate(sample_rate)?;
    Ok((sample_rate, n_channels))
}

fn decoder(extra: Vec<u8>) -> Result<VorbisDecoder, BlockError> {
    let mut params = AudioCodecParameters::new();
    params
        .for_codec(CODEC_ID_VORBIS)
        .with_extra_data(extra.into_boxed_slice());
    guarded(|| VorbisDecoder::try_new(&params, &AudioDecoderOptions::default()))
        .map_err(|fault| fault.into_error())
}

/// Decodes one packet; an empty one holds no sound.
fn decode(
    decoder: &mut VorbisDecoder,
    channel: Channel,
    packet: &Packet,
    out: &mut Vec<f32>,
) -> Result<(), BlockError> {
    if packet.is_cut {
        return Err(corrupt("a packet of sound", "a longer one"));
    }
    if packet.bytes.is_empty() {
        return Ok(());
    }
    let data = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, &packet.bytes);
    guarded(|| {
        if let GenericAudioBufferRef::F32(planes) = decoder.decode_ref(&data)? {
            channel.append(planes.iter_planes(), |x| x, out);
        }
        Ok(())
    })
    .map_err(|fault| fault.into_error())
}

fn check_sequence(expected: u32, actual: u32) -> Result<(), BlockError> {
    if actual == expected {
        return Ok(());
    }
    Err(corrupt(
        format!("page {expected}"),
        format!("page {actual}"),
    ))
}

/// Reads a page of the header; an end before the first sound is one of the header.
fn next_header_page(pages: &mut Pages) -> Result<(), BlockError> {
    match pages.next_page() {
        Ok(Next::Page) => Ok(()),
        Ok(Next::Other) => Err(no_page()),
        Ok(Next::End) => Err(truncated_header()),
        Err(error) if error.reason == Reason::TruncatedData => Err(truncated_header()),
        Err(error) => Err(error),
    }
}

fn no_page() -> BlockError {
    corrupt("a page", "something else")
}

#[cfg(test)]
mod tests {
    use super::super::testing::{decode, drain, golden, open, refusal};
    use super::*;

    /// Half a step of the 16 bits that the reference is rounded to, and what two decoders may differ by.
    const TOLERANCE: f32 = 0.51 / 32_768.0 + 1e-6;

    #[test]
    fn vorbis_gives_the_samples_of_the_reference_decoder() {
        for name in ["mono_vorbis", "stereo_vorbis"] {
            let (expected, _) = decode(&golden(&format!("{name}.wav")));
            let (samples, error) = drain(&mut open(&golden(&format!("{name}.ogg"))), &[7, 500]);
            assert_eq!((samples.len(), error), (expected.len(), None));
            let furthest = samples.iter().zip(&expected).map(|(a, b)| (a - b).abs());
            assert!(furthest.fold(0.0, f32::max) <= TOLERANCE, "{name}");
        }
    }

    #[test]
    fn the_header_is_told() {
        let source = open(&golden("stereo_vorbis.ogg"));
        assert_eq!((source.sample_rate(), source.n_channels()), (48_000, 2));
        assert_eq!((source.bits_per_sample(), source.n_samples()), (16, None));
    }

    #[test]
    fn chained_streams_follow_each_other() {
        let one = decode(&golden("mono_vorbis.ogg")).0;
        let two = decode(&golden("chained_vorbis.ogg"));
        assert_eq!(two, ([&one[..], &one[..]].concat(), None));
        let other_rate = decode(&golden("chained_other_rate.ogg"));
        assert_eq!(other_rate, (one.clone(), Some(Reason::Mismatch)));
        let tagged = [golden("mono_vorbis.ogg"), b"TAG, and no page".to_vec()].concat();
        assert_eq!(decode(&tagged), (one, None));
    }

    #[test]
    fn other_codecs_are_refused() {
        assert_eq!(
            refusal(&golden("mono_opus.ogg")),
            Some(Reason::UnsupportedEncoding)
        );
        assert_eq!(
            refusal(&golden("mono_flac.ogg")),
            Some(Reason::UnsupportedEncoding)
        );
    }

    #[test]
    fn every_cut_is_told() {
        let bytes = golden("mono_vorbis.ogg");
        let whole = decode(&bytes).0;
        for n in 1..bytes.len() {
            let (samples, reason) = decode(&bytes[..n]);
            assert!(whole.starts_with(&samples), "{n}");
            let is_told = matches!(
                reason,
                Some(Reason::TruncatedHeader | Reason::TruncatedData)
            );
            assert!(is_told, "{n} {reason:?}");
        }
    }

    #[test]
    fn a_damaged_or_missing_page_ends_the_stream() {
        let bytes = golden("mono_vorbis.ogg");
        for at in (0..bytes.len()).step_by(29) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(decode(&damaged).1.is_some(), "{at}");
        }
        let starts: Vec<usize> = (0..bytes.len())
            .filter(|&at| bytes[at..].starts_with(b"OggS"))
            .collect();
        let gap = [&bytes[..starts[1]], &bytes[starts[2]..]].concat();
        assert!(decode(&gap).1.is_some());
    }
}
