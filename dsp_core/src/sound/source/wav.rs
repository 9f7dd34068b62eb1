//! The header of a WAV file: RIFF, RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088), read chunk by chunk.
//!
//! Unknown chunks are skipped with their padding. Where the header of a stream was never completed, the data go on to the
//! end of the file and the length counts as not stated. That is: a data length of 0xFFFFFFFF without a 64-bit one; one of 0
//! under a RIFF length that covers no data either, with bytes behind it; 0x7FFFF000 (SoX) or 0x80000000 (arecord), if the file
//! is shorter than that. A data length of 0 otherwise is an empty recording.

use std::io::{Read, Seek, SeekFrom};

use super::encoding::PcmFormat;
use super::recorded_at::RecordedAt;
use super::wav_format::{FMT_BYTES, parse_format, u32_at};
use super::wav_stamp::Stamps;
use super::{StreamFormat, corrupt, read_full, truncated_header, unreadable};
use crate::error::{BlockError, Reason};

/// Chunks looked at before the data; a file of nothing but empty chunks ends here and not after hours.
const MAX_CHUNKS: usize = 4_096;
/// "Not stated here" in a 32-bit length.
const UNSTATED: u32 = u32::MAX;
/// What SoX and arecord write as the data length of a pipe.
const PLACEHOLDERS: [u64; 2] = [0x7FFF_F000, 0x8000_0000];
/// What a WAV header says.
pub(super) struct WavHeader {
    pub(super) pcm: PcmFormat,
    bits_per_sample: u32,
    /// Length of the data in bytes, if stated.
    pub(super) n_bytes: Option<u64>,
    recorded_at: Option<RecordedAt>,
}

impl WavHeader {
    pub(super) fn stream_format(&self) -> StreamFormat {
        let stride = self.pcm.encoding.n_bytes() as u64 * u64::from(self.pcm.n_channels.max(1));
        StreamFormat {
            sample_rate: self.pcm.sample_rate,
            n_channels: self.pcm.n_channels,
            bits_per_sample: self.bits_per_sample,
            n_samples: self.n_bytes.map(|n| n / stride),
            recorded_at: self.recorded_at,
        }
    }
}

/// Reads up to the first byte of the data.
pub(super) fn read_header<R: Read + Seek>(reader: &mut R) -> Result<WavHeader, BlockError> {
    let head: [u8; 12] = read_array(reader)?;
    let is_64 = !head.starts_with(b"RIFF");
    let riff_bytes = u32_at(&head, 4);
    let (mut format, mut data_bytes_64, mut stamps) = (None, None, Stamps::default());
    for _ in 0..MAX_CHUNKS {
        let chunk: [u8; 8] = read_array(reader)?;
        let n_bytes = u32_at(&chunk, 4);
        match &chunk[..4] {
            b"fmt " => format = Some(read_format(reader, n_bytes)?),
            b"ds64" => data_bytes_64 = Some(read_ds64(reader, n_bytes)?),
            b"data" => {
                let (pcm, bits_per_sample) =
                    format.ok_or_else(|| corrupt("a format before the data", "none"))?;
                let stated = stated_bytes(n_bytes, is_64, data_bytes_64)?;
                let n_bytes = data_bytes(reader, stated, riff_bytes)?;
                stamps.look_behind(reader, n_bytes.unwrap_or(u64::MAX))?;
                return Ok(WavHeader {
                    pcm,
                    bits_per_sample,
                    n_bytes,
                    recorded_at: stamps.best(),
                });
            }
            name if stamps.are_in(name) => stamps.read(reader, name, n_bytes)?,
            _ => skip(reader, padded(n_bytes))?,
        }
    }
    Err(corrupt(format!("data within {MAX_CHUNKS} chunks"), "none"))
}

/// The data length that the header states, before placeholders are told from lengths.
fn stated_bytes(n_bytes: u32, is_64: bool, n_bytes_64: Option<u64>) -> Result<u64, BlockError> {
    match (n_bytes, is_64) {
        (UNSTATED, true) => {
            n_bytes_64.ok_or_else(|| corrupt("a ds64 chunk before the data", "none"))
        }
        (UNSTATED, false) => Ok(u64::MAX),
        _ => Ok(u64::from(n_bytes)),
    }
}

/// The data length, or none where a placeholder stands; the reader is left at the data.
fn data_bytes<R: Read + Seek>(
    reader: &mut R,
    stated: u64,
    riff_bytes: u32,
) -> Result<Option<u64>, BlockError> {
    let start = reader.stream_position().map_err(unreadable)?;
    let end = reader.seek(SeekFrom::End(0)).map_err(unreadable)?;
    reader.seek(SeekFrom::Start(start)).map_err(unreadable)?;
    let n_there = end.saturating_sub(start);
    let is_riff_open = matches!(riff_bytes, 0 | UNSTATED) || u64::from(riff_bytes) + 8 <= start;
    match stated {
        u64::MAX => Ok(None),
        0 if n_there > 0 && is_riff_open => Ok(None),
        0 => Err(BlockError::new(Reason::Empty, "at least 1 sample", 0)),
        n if PLACEHOLDERS.contains(&n) && n_there < n => Ok(None),
        n => Ok(Some(n)),
    }
}

/// The data length of a ds64 chunk: its second 64-bit number.
fn read_ds64<R: Read + Seek>(reader: &mut R, n_bytes: u32) -> Result<u64, BlockError> {
    if n_bytes < 16 {
        return Err(corrupt("a ds64 chunk of at least 16 bytes", n_bytes));
    }
    let body: [u8; 16] = read_array(reader)?;
    skip(reader, padded(n_bytes) - 16)?;
    Ok(u64::from(u32_at(&body, 8)) | u64::from(u32_at(&body, 12)) << 32)
}

/// Format and bits per sample of a format chunk.
fn read_format<R: Read + Seek>(
    reader: &mut R,
    n_bytes: u32,
) -> Result<(PcmFormat, u32), BlockError> {
    if n_bytes < 16 {
        return Err(corrupt("a format chunk of at least 16 bytes", n_bytes));
    }
    let mut body = [0; FMT_BYTES];
    let n_read = FMT_BYTES.min(n_bytes as usize);
    if read_full(reader, &mut body[..n_read])? < n_read {
        return Err(truncated_header());
    }
    skip(reader, padded(n_bytes) - n_read as u64)?;
    parse_format(&body[..n_read])
}

pub(super) fn padded(n_bytes: u32) -> u64 {
    u64::from(n_bytes) + u64::from(n_bytes % 2)
}

fn skip<R: Seek>(reader: &mut R, n_bytes: u64) -> Result<(), BlockError> {
    let step = i64::try_from(n_bytes).map_err(|_| truncated_header())?;
    reader.seek_relative(step).map_err(unreadable)
}

fn read_array<const N: usize, R: Read>(reader: &mut R) -> Result<[u8; N], BlockError> {
    let mut out = [0; N];
    if read_full(reader, &mut out)? < N {
        return Err(truncated_header());
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        chunk, decode, extensible_body, format_body, open, refusal, riff, wav,
    };
    use super::*;

    /// Four values that every linear encoding holds exactly.
    const VALUES: [f32; 4] = [-1.0, -0.5, 0.0, 0.75];

    fn data(n_bits: u16, is_float: bool) -> Vec<u8> {
        let of = |x: f32| match (n_bits, is_float) {
            (8, _) => vec![(x * 128.0 + 128.0) as u8],
            (16, _) => ((x * 32_768.0) as i16).to_le_bytes().to_vec(),
            (24, _) => ((x * 8_388_608.0) as i32).to_le_bytes()[..3].to_vec(),
            (32, false) => ((x * 2_147_483_648.0) as i32).to_le_bytes().to_vec(),
            (32, true) => x.to_le_bytes().to_vec(),
            _ => f64::from(x).to_le_bytes().to_vec(),
        };
        VALUES.iter().flat_map(|&x| of(x)).collect()
    }

    #[test]
    fn every_encoding_is_decoded_plain_and_extensible() {
        let encodings = [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)];
        for (tag, n_bits) in encodings {
            let data = data(n_bits, tag == 3);
            assert_eq!(decode(&wav(tag, n_bits, &data)), (VALUES.to_vec(), None));
            let body = extensible_body(tag, n_bits, n_bits);
            let bytes = riff(&[chunk(b"fmt ", &body), chunk(b"data", &data)]);
            assert_eq!(decode(&bytes), (VALUES.to_vec(), None), "{tag} {n_bits}");
            let source = open(&bytes);
            assert_eq!(source.bits_per_sample(), u32::from(n_bits));
            assert_eq!((source.n_samples(), source.n_channels()), (Some(4), 1));
        }
        assert_eq!(
            decode(&wav(6, 8, &[0xD5, 0x2A])),
            (vec![1.0 / 4_096.0, -4_032.0 / 4_096.0], None)
        );
        assert_eq!(
            decode(&wav(7, 8, &[0xFF, 0x00])),
            (vec![0.0, -8_031.0 / 8_192.0], None)
        );
    }

    #[test]
    fn valid_bits_of_a_container_are_told() {
        let body = extensible_body(1, 24, 20);
        let bytes = riff(&[chunk(b"fmt ", &body), chunk(b"data", &data(24, false))]);
        assert_eq!(open(&bytes).bits_per_sample(), 20);
        assert_eq!(decode(&bytes).0, VALUES);
    }

    #[test]
    fn unknown_and_odd_chunks_are_skipped() {
        let format = chunk(b"fmt ", &format_body(1, 1, 16_000, 16));
        let parts = [
            chunk(b"LIST", b"odd"),
            format,
            chunk(b"junk", b""),
            chunk(b"fact", b"12345"),
        ];
        let bytes = riff(&[
            parts.concat(),
            chunk(b"data", &data(16, false)),
            chunk(b"LIST", b"after"),
        ]);
        assert_eq!(decode(&bytes), (VALUES.to_vec(), None));
    }

    #[test]
    fn channels_beside_the_first_are_left_out() {
        let two: Vec<u8> = data(16, false)
            .chunks(2)
            .flat_map(|x| [x, &[1, 1]].concat())
            .collect();
        let format = chunk(b"fmt ", &format_body(1, 2, 48_000, 16));
        let bytes = riff(&[format, chunk(b"data", &two)]);
        assert_eq!(decode(&bytes), (VALUES.to_vec(), None));
        assert_eq!(
            (open(&bytes).n_channels(), open(&bytes).sample_rate()),
            (2, 48_000)
        );
    }

    /// A 64-bit WAV: `data_bytes` stands in the ds64 chunk.
    fn rf64(name: &[u8; 4], data_bytes: u64) -> Vec<u8> {
        let sizes = [data_bytes + 72, data_bytes, data_bytes / 2]
            .map(u64::to_le_bytes)
            .concat();
        let ds64 = chunk(b"ds64", &[sizes, vec![0; 4]].concat());
        let mut bytes = riff(&[ds64, chunk(b"fmt ", &format_body(1, 1, 16_000, 16))]);
        bytes[..4].copy_from_slice(name);
        bytes[4..8].fill(0xFF);
        bytes.extend(b"data\xFF\xFF\xFF\xFF");
        bytes
    }

    #[test]
    fn lengths_of_64_bits_are_read() {
        for name in [b"RF64", b"BW64"] {
            let bytes = [rf64(name, 8), data(16, false), chunk(b"LIST", b"after")].concat();
            assert_eq!(decode(&bytes), (VALUES.to_vec(), None));
            assert_eq!(open(&bytes).n_samples(), Some(4));
        }
        let bare = [
            rf64(b"RF64", 8)[..12].to_vec(),
            wav(1, 16, &[0, 0])[12..].to_vec(),
        ]
        .concat();
        assert_eq!(decode(&bare).0, [0.0]);
        let mut unstated = bare;
        unstated[40..44].fill(0xFF);
        assert_eq!(refusal(&unstated), Some(Reason::CorruptData));
    }

    /// 24 h at 48 kHz, 8.3 GB: what is not read takes neither time nor memory.
    #[test]
    fn a_day_in_one_file_is_opened_and_gone_over_at_once() {
        use std::io::Write;
        let n_samples = 24 * 3_600 * 48_000_u64;
        let path = std::env::temp_dir().join(format!("sourdine-day-{}.wav", std::process::id()));
        let mut file = std::fs::File::create(&path).unwrap();
        let mut head = rf64(b"RF64", 2 * n_samples);
        let at_rate = head.len() - 8 - 12;
        head[at_rate..at_rate + 4].copy_from_slice(&48_000_u32.to_le_bytes());
        file.write_all(&head).unwrap();
        let end = head.len() as u64 + 2 * n_samples;
        let last = data(16, false);
        file.seek(SeekFrom::Start(end - last.len() as u64)).unwrap();
        file.write_all(&last).unwrap();
        let open = || super::super::Source::open(&path, 1, super::super::Channel::FIRST).unwrap();
        let mut source = open();
        assert_eq!(
            (source.sample_rate(), source.n_samples()),
            (48_000, Some(n_samples))
        );
        assert_eq!(
            source.next_block(48_000).unwrap().unwrap().n_samples(),
            48_000
        );
        let mut source = open();
        assert_eq!(source.skip(n_samples - 5).unwrap(), n_samples - 5);
        let block = source.next_block(48_000).unwrap().unwrap();
        assert_eq!(block.start_sample(), 0);
        assert_eq!(block.samples(), [&[0.0], &VALUES[..]].concat());
        assert!(source.next_block(1).unwrap().is_none());
        let mut source = open();
        assert_eq!(source.skip(n_samples + 1).unwrap(), n_samples);
        assert!(source.next_block(1).unwrap().is_none());
        std::fs::remove_file(&path).unwrap();
    }

    fn with_sizes(riff_bytes: u32, data_bytes: u32) -> Vec<u8> {
        let mut bytes = wav(1, 16, &data(16, false));
        bytes[4..8].copy_from_slice(&riff_bytes.to_le_bytes());
        bytes[40..44].copy_from_slice(&data_bytes.to_le_bytes());
        bytes
    }

    #[test]
    fn streams_without_a_length_go_to_the_end() {
        for (riff_bytes, data_bytes) in [
            (u32::MAX, u32::MAX),
            (0, 0),
            (36, 0),
            (u32::MAX, 0),
            (0x7FFF_F024, 0x7FFF_F000),
            (0x8000_0024, 0x8000_0000),
        ] {
            let bytes = with_sizes(riff_bytes, data_bytes);
            assert_eq!(
                decode(&bytes),
                (VALUES.to_vec(), None),
                "{riff_bytes:#x} {data_bytes:#x}"
            );
            assert_eq!(open(&bytes).n_samples(), None);
            let cut = decode(&bytes[..bytes.len() - 1]);
            assert_eq!(cut, (VALUES[..3].to_vec(), Some(Reason::PartialSample)));
        }
        assert_eq!(refusal(&with_sizes(44, 0)), Some(Reason::Empty));
        assert_eq!(refusal(&wav(1, 16, &[])), Some(Reason::Empty));
    }

    #[test]
    fn data_that_end_early_are_delivered_before_the_refusal() {
        let bytes = wav(1, 16, &data(16, false));
        for n_cut in 1..=8 {
            let n_whole = (8 - n_cut) / 2;
            let expected = (VALUES[..n_whole].to_vec(), Some(Reason::TruncatedData));
            assert_eq!(decode(&bytes[..bytes.len() - n_cut]), expected);
        }
        // A header that claims 4 GB.
        let claims = decode(&with_sizes(u32::MAX - 1, u32::MAX - 1));
        assert_eq!(claims, (VALUES.to_vec(), Some(Reason::TruncatedData)));
        let odd = decode(&wav(1, 16, &data(16, false)[..7]));
        assert_eq!(odd, (VALUES[..3].to_vec(), Some(Reason::PartialSample)));
    }

    #[test]
    fn every_cut_of_the_header_is_a_truncated_header() {
        let bytes = [rf64(b"RF64", 8), data(16, false)].concat();
        for n in 1..bytes.len() - 8 {
            assert_eq!(refusal(&bytes[..n]), Some(Reason::TruncatedHeader), "{n}");
        }
        let far = riff(&[b"LIST\xF0\xFF\xFF\xFF".to_vec()]);
        assert_eq!(refusal(&far), Some(Reason::TruncatedHeader));
    }

    #[test]
    fn data_without_a_format_and_chunks_without_end_are_refused() {
        assert_eq!(
            refusal(&riff(&[chunk(b"data", &[0; 8])])),
            Some(Reason::CorruptData)
        );
        let empty = vec![chunk(b"junk", b""); MAX_CHUNKS + 1];
        assert_eq!(refusal(&riff(&empty)), Some(Reason::CorruptData));
    }
}
