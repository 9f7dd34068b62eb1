//! The header of a WAV file: RIFF, RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088), read chunk by chunk.
//!
//! Unknown chunks are skipped with their padding. Where the header of a stream was never completed, the data go on to the
//! end of the file and the length counts as not stated. That is: a data length of 0xFFFFFFFF without a 64-bit one; one of 0
//! under a RIFF length that covers no data either, with bytes behind it; 0x7FFFF000 (SoX) or 0x80000000 (arecord), if the file
//! is shorter than that. A data length of 0 otherwise is an empty recording.

use std::io::{Read, Seek, SeekFrom};

use super::pcm::{PcmEncoding, PcmFormat};
use super::{
    StreamFormat, check_channels, corrupt, read_full, truncated_header, unreadable, unsupported,
};
use crate::error::{BlockError, Reason};
use crate::sound::block::check_sample_rate;

/// Chunks looked at before the data; a file of nothing but empty chunks ends here and not after hours.
const MAX_CHUNKS: usize = 4_096;
/// "Not stated here" in a 32-bit length.
const UNSTATED: u32 = u32::MAX;
/// What SoX and arecord write as the data length of a pipe.
const PLACEHOLDERS: [u64; 2] = [0x7FFF_F000, 0x8000_0000];
/// The 14 bytes of a sub-format GUID after the format tag: {0000xxxx-0000-0010-8000-00AA00389B71}.
const GUID_TAIL: [u8; 14] = [
    0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71,
];
const TAG_PCM: u16 = 1;
const TAG_FLOAT: u16 = 3;
const TAG_ALAW: u16 = 6;
const TAG_MULAW: u16 = 7;
const TAG_EXTENSIBLE: u16 = 0xFFFE;
/// Bytes of a format chunk that are looked at: all of `WAVEFORMATEXTENSIBLE`.
const FMT_BYTES: usize = 40;

/// What a WAV header says.
pub(super) struct WavHeader {
    pub(super) pcm: PcmFormat,
    bits_per_sample: u32,
    /// Length of the data in bytes, if stated.
    pub(super) n_bytes: Option<u64>,
}

impl WavHeader {
    pub(super) fn stream_format(&self) -> StreamFormat {
        let stride = self.pcm.encoding.n_bytes() as u64 * u64::from(self.pcm.n_channels.max(1));
        StreamFormat {
            sample_rate: self.pcm.sample_rate,
            n_channels: self.pcm.n_channels,
            bits_per_sample: self.bits_per_sample,
            n_samples: self.n_bytes.map(|n| n / stride),
        }
    }
}

/// Reads up to the first byte of the data.
pub(super) fn read_header<R: Read + Seek>(reader: &mut R) -> Result<WavHeader, BlockError> {
    let head: [u8; 12] = read_array(reader)?;
    let is_64 = !head.starts_with(b"RIFF");
    let riff_bytes = u32_at(&head, 4);
    let (mut format, mut data_bytes_64) = (None, None);
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
                return Ok(WavHeader {
                    pcm,
                    bits_per_sample,
                    n_bytes,
                });
            }
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

/// # Shape
/// `body`: 16 to 40 bytes.
fn parse_format(body: &[u8]) -> Result<(PcmFormat, u32), BlockError> {
    let (n_channels, sample_rate) = (u32::from(u16_at(body, 2)), u32_at(body, 4));
    let (n_frame_bytes, n_bits) = (u16_at(body, 12), u16_at(body, 14));
    check_channels(n_channels)?;
    check_sample_rate(sample_rate)?;
    let (tag, n_valid_bits) = match u16_at(body, 0) {
        TAG_EXTENSIBLE => sub_format(body)?,
        tag => (tag, n_bits),
    };
    let encoding = match (tag, n_bits) {
        (TAG_PCM, 8) => PcmEncoding::U8,
        (TAG_PCM, 16) => PcmEncoding::S16Le,
        (TAG_PCM, 24) => PcmEncoding::S24Le,
        (TAG_PCM, 32) => PcmEncoding::S32Le,
        (TAG_FLOAT, 32) => PcmEncoding::F32Le,
        (TAG_FLOAT, 64) => PcmEncoding::F64Le,
        (TAG_ALAW, 8) => PcmEncoding::Alaw,
        (TAG_MULAW, 8) => PcmEncoding::Mulaw,
        _ => {
            let actual = format!("format tag {tag:#06x} with {n_bits} bits");
            return Err(unsupported("PCM, float, A-law or µ-law", actual));
        }
    };
    let stride = encoding.n_bytes() as u32 * n_channels;
    if u32::from(n_frame_bytes) != stride {
        return Err(unsupported(
            format!("{stride} bytes a frame"),
            n_frame_bytes,
        ));
    }
    // Samples of fewer valid bits fill the upper ones of their container, so the scale stays that of the container.
    let is_told = (1..n_bits).contains(&n_valid_bits);
    let bits_per_sample = u32::from(if is_told { n_valid_bits } else { n_bits });
    Ok((
        PcmFormat {
            sample_rate,
            encoding,
            n_channels,
        },
        bits_per_sample,
    ))
}

/// Format tag and valid bits of `WAVEFORMATEXTENSIBLE`.
fn sub_format(body: &[u8]) -> Result<(u16, u16), BlockError> {
    if body.len() < FMT_BYTES {
        let expected = format!("an extensible format chunk of {FMT_BYTES} bytes");
        return Err(corrupt(expected, body.len()));
    }
    if body[26..] != GUID_TAIL {
        return Err(unsupported("a sub-format of a format tag", "another GUID"));
    }
    Ok((u16_at(body, 24), u16_at(body, 18)))
}

fn padded(n_bytes: u32) -> u64 {
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

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |x| u16::from_le_bytes(*x))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |x| u32::from_le_bytes(*x))
}
