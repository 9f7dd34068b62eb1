//! Headers of frames that follow each other without a container: MPEG audio layer III, and AAC in ADTS.
//!
//! # Source
//! ISO/IEC 11172-3, clause 2.4.1.3; ISO/IEC 13818-3, clause 2.4.2.3 (lower rates; the rates of "MPEG 2.5" are half of
//! those); ISO/IEC 13818-7, clause 6.2 (ADTS).

/// Bytes that the longest header has before its checksum.
pub(super) const N_HEAD: usize = 7;
const MPEG1_RATES: [u32; 3] = [44_100, 48_000, 32_000];
/// Bit rates of layer III in kbit/s; 0 is "free", which is not read.
const MPEG1_KBITS: [u32; 15] = [
    0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
];
const MPEG2_KBITS: [u32; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
/// Sample rates of AAC by index.
pub(super) const AAC_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];
/// Samples of one AAC-LC packet.
pub(super) const AAC_PACKET_SAMPLES: u32 = 1_024;

/// The two kinds of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// MPEG-1, 2 or 2.5, layer III.
    Mp3 {
        /// Whether it is MPEG-1, whose frames hold two granules.
        is_mpeg1: bool,
    },
    /// AAC-LC; the index of the rate and the channel configuration.
    Adts {
        /// Index into [`AAC_RATES`].
        rate_index: u8,
    },
}

/// What one frame's header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) kind: Kind,
    pub(super) sample_rate: u32,
    pub(super) n_channels: u32,
    /// Samples of each channel.
    pub(super) n_samples: u32,
    /// Bytes of the whole frame.
    pub(super) n_bytes: usize,
    /// Bytes before what the decoder takes: none of an MP3 frame, the header of an ADTS frame.
    pub(super) n_before: usize,
}

impl FrameHeader {
    /// The header that these bytes begin with, if they do.
    pub(super) fn parse(bytes: &[u8; N_HEAD]) -> Option<Self> {
        if bytes[0] != 0xFF {
            return None;
        }
        match bytes[1] & 0xF6 {
            0xF0 => Self::parse_adts(bytes),
            _ => Self::parse_mp3(bytes),
        }
    }

    fn parse_mp3(bytes: &[u8; N_HEAD]) -> Option<Self> {
        // Sync, any version but the reserved one, layer III.
        if bytes[1] & 0xE6 != 0xE2 {
            return None;
        }
        let (is_mpeg1, divisor) = match bytes[1] >> 3 & 3 {
            0b11 => (true, 1),
            0b10 => (false, 2),
            0b00 => (false, 4),
            _ => return None,
        };
        let sample_rate = MPEG1_RATES.get(usize::from(bytes[2] >> 2 & 3))? / divisor;
        let kbits = if is_mpeg1 { MPEG1_KBITS } else { MPEG2_KBITS };
        let kbits = *kbits
            .get(usize::from(bytes[2] >> 4))
            .filter(|&&kbits| kbits > 0)?;
        // An emphasis of 2 is reserved.
        if bytes[3] & 3 == 2 {
            return None;
        }
        let n_samples = if is_mpeg1 { 1_152 } else { 576 };
        let padding = u32::from(bytes[2] >> 1 & 1);
        Some(Self {
            kind: Kind::Mp3 { is_mpeg1 },
            sample_rate,
            n_channels: if bytes[3] >> 6 == 3 { 1 } else { 2 },
            n_samples,
            n_bytes: (n_samples / 8 * kbits * 1_000 / sample_rate + padding) as usize,
            n_before: 0,
        })
    }

    fn parse_adts(bytes: &[u8; N_HEAD]) -> Option<Self> {
        let bits = bytes
            .iter()
            .fold(0, |bits: u64, &byte| bits << 8 | u64::from(byte));
        let field = |first: u32, n: u32| (bits >> (56 - first - n) & ((1 << n) - 1)) as u32;
        let n_before = if field(15, 1) == 1 { 7 } else { 9 };
        let (profile, rate_index, n_channels) = (field(16, 2), field(18, 4), field(23, 3));
        let (n_bytes, n_more_blocks) = (field(30, 13) as usize, field(54, 2));
        // AAC-LC of one or two channels, one block a frame.
        let is_read = profile == 1 && matches!(n_channels, 1 | 2) && n_more_blocks == 0;
        (is_read && n_bytes > n_before).then_some(Self {
            kind: Kind::Adts {
                rate_index: rate_index as u8,
            },
            sample_rate: *AAC_RATES.get(rate_index as usize)?,
            n_channels,
            n_samples: AAC_PACKET_SAMPLES,
            n_bytes,
            n_before,
        })
    }

    /// Whether two frames can be of one stream.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        let of = |header: &Self| (header.kind, header.sample_rate, header.n_channels);
        of(self) == of(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mp3(second: u8, third: u8, fourth: u8) -> Option<(u32, u32, u32, usize)> {
        let header = FrameHeader::parse(&[0xFF, second, third, fourth, 0, 0, 0])?;
        Some((
            header.sample_rate,
            header.n_channels,
            header.n_samples,
            header.n_bytes,
        ))
    }

    #[test]
    fn mp3_headers_are_read() {
        assert_eq!(mp3(0xFB, 0x90, 0x00), Some((44_100, 2, 1_152, 417)));
        assert_eq!(mp3(0xFB, 0x92, 0xC0), Some((44_100, 1, 1_152, 418)));
        assert_eq!(mp3(0xF3, 0x48, 0x40), Some((16_000, 2, 576, 144)));
        assert_eq!(mp3(0xE3, 0x18, 0xC0), Some((8_000, 1, 576, 72)));
        // Reserved version, layers I and II, free and forbidden bit rate, forbidden rate, reserved emphasis, no sync.
        for (second, third, fourth) in [
            (0xEB, 0x90, 0),
            (0xFF, 0x90, 0),
            (0xFD, 0x90, 0),
            (0xFB, 0x00, 0),
            (0xFB, 0xF0, 0),
            (0xFB, 0x9C, 0),
            (0xFB, 0x90, 2),
            (0x7B, 0x90, 0),
        ] {
            assert_eq!(
                mp3(second, third, fourth),
                None,
                "{second:x} {third:x} {fourth:x}"
            );
        }
    }

    #[test]
    fn adts_headers_are_read() {
        let bytes = [0xFF, 0xF1, 0x60, 0x40, 0x12, 0x7F, 0xFC];
        let header = FrameHeader::parse(&bytes).unwrap();
        assert_eq!((header.sample_rate, header.n_channels), (16_000, 1));
        assert_eq!((header.n_bytes, header.n_before), (147, 7));
        let with = |at: usize, value: u8| {
            let mut bytes = bytes;
            bytes[at] = value;
            FrameHeader::parse(&bytes)
        };
        // Another profile, a rate of no index, no channel, two blocks, a length within the header.
        for other in [
            with(2, 0xA0),
            with(2, 0x7C),
            with(3, 0),
            with(6, 0xFD),
            with(4, 0).filter(|_| false),
        ] {
            assert_eq!(other, None);
        }
        assert_eq!(
            FrameHeader::parse(&[0xFF, 0xF1, 0x60, 0x40, 0, 0xE0, 0xFC]),
            None
        );
    }
}
