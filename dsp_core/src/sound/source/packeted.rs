//! MP3 and AAC: packets in, one at a time, decoded by symphonia; what the encoder put around the sound is cut off here.
//!
//! The decoders' tables come from the platform's `sin`, `cos` and `pow`, rounded to `f32`; all else in them is plain
//! arithmetic without CPU dispatch (symphonia without `opt-simd`).

use symphonia::core::audio::{Audio, GenericAudioBufferRef};
use symphonia::core::codecs::audio::AudioDecoder;
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};
use zeroize::{Zeroize, Zeroizing};

use super::Decode;
use super::channel::Channel;
use super::codec::{Decoded, guarded};
use crate::error::BlockError;

/// Most bytes of one packet: what the length of an ADTS frame can say. MP3 frames have less than 3 kB, and an AAC-LC packet
/// of two channels at most 1.5 kB.
pub(super) const MAX_PACKET_BYTES: usize = 1 << 13;
/// Most samples of one packet.
const MAX_PACKET_SAMPLES: usize = 1_152;

/// The packets of one stream, in order.
pub(super) trait Packets: Send {
    /// Reads the next packet into `packet`, which is empty; `false` once the stream is over, in order.
    fn next(&mut self, packet: &mut Vec<u8>) -> Result<bool, BlockError>;
}

/// What of the decoded samples is sound.
#[derive(Clone, Copy)]
pub(super) struct Trim {
    /// Samples before the sound: the delay of encoder and decoder.
    pub(super) n_before: u64,
    /// Samples of the sound, where it is known.
    pub(super) n_samples: Option<u64>,
}

/// Decodes packets.
pub(super) struct Packeted {
    packets: Box<dyn Packets>,
    decoder: Box<dyn AudioDecoder>,
    channel: Channel,
    /// Samples still to be dropped.
    n_before: u64,
    /// Samples still to be delivered, where their number is known.
    n_left: Option<u64>,
    packet: Zeroizing<Vec<u8>>,
    decoded: Decoded,
}

impl Packeted {
    pub(super) fn new(
        packets: Box<dyn Packets>,
        decoder: Box<dyn AudioDecoder>,
        channel: Channel,
        trim: Trim,
    ) -> Self {
        Self {
            packets,
            decoder,
            channel,
            n_before: trim.n_before,
            n_left: trim.n_samples,
            packet: Zeroizing::new(Vec::with_capacity(MAX_PACKET_BYTES)),
            decoded: Decoded::default(),
        }
    }

    /// Decodes the next packet; `true` once the stream is over.
    fn next_packet(&mut self) -> Result<bool, BlockError> {
        self.packet.zeroize();
        if !self.packets.next(&mut self.packet)? {
            return Ok(true);
        }
        let samples = self.decoded.cleared(MAX_PACKET_SAMPLES);
        let data = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, &self.packet);
        let (decoder, channel) = (&mut self.decoder, self.channel);
        guarded(|| {
            if let GenericAudioBufferRef::F32(planes) = decoder.decode_ref(&data)? {
                channel.append(planes.iter_planes(), |x| x, samples);
            }
            Ok(())
        })
        .map_err(|fault| fault.into_error())?;
        self.trim();
        Ok(false)
    }

    fn trim(&mut self) {
        let n_before = self.n_before.min(self.decoded.n_left() as u64);
        self.decoded.skip(n_before as usize);
        self.n_before -= n_before;
        if let Some(n_left) = &mut self.n_left {
            self.decoded
                .keep(usize::try_from(*n_left).unwrap_or(usize::MAX));
            *n_left -= self.decoded.n_left() as u64;
        }
    }
}

impl Decode for Packeted {
    fn fill(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<(), BlockError> {
        while out.len() < n_wanted {
            if self.decoded.move_to(out, n_wanted) == 0 && self.next_packet()? {
                break;
            }
        }
        Ok(())
    }
}
