//! What the tests of this room share.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;

use super::{Channel, PcmEncoding, PcmFormat, Source};
use crate::error::{BlockError, Reason};

/// Samples until the stream is over, and the fault that ended it; asks for block sizes in turn.
pub(super) fn drain(source: &mut Source, sizes: &[usize]) -> (Vec<f32>, Option<BlockError>) {
    let mut samples = Vec::new();
    for &size in sizes.iter().cycle() {
        assert_eq!(source.position(), samples.len() as u64);
        match source.next_block(size) {
            Ok(Some(block)) => {
                assert_eq!(block.start_sample(), samples.len() as u64);
                assert!(block.n_samples() <= size);
                samples.extend_from_slice(block.samples());
            }
            Ok(None) => return (samples, None),
            Err(error) => {
                assert_eq!(
                    source.next_block(size).map(|_| ()),
                    Ok(()),
                    "errors end the stream"
                );
                assert!(matches!(source.next_block(size), Ok(None)));
                return (samples, Some(error));
            }
        }
    }
    unreachable!("sizes are endless")
}

/// Opens and drains; the answer of bytes as a whole.
pub(super) fn decode(bytes: &[u8]) -> (Vec<f32>, Option<Reason>) {
    match Source::from_reader(Cursor::new(bytes.to_vec()), 7, Channel::FIRST) {
        Ok(mut source) => {
            let (samples, error) = drain(&mut source, &[1_000]);
            (samples, error.map(|error| error.reason))
        }
        Err(error) => (Vec::new(), Some(error.reason)),
    }
}

/// The reason for which bytes are not even opened.
pub(super) fn refusal(bytes: &[u8]) -> Option<Reason> {
    let opened = Source::from_reader(Cursor::new(bytes.to_vec()), 7, Channel::FIRST);
    opened.err().map(|error| error.reason)
}

pub(super) fn open(bytes: &[u8]) -> Source {
    Source::from_reader(Cursor::new(bytes.to_vec()), 7, Channel::FIRST).unwrap()
}

pub(super) fn raw(bytes: &[u8], encoding: PcmEncoding, n_channels: u32) -> Source {
    let format = PcmFormat {
        sample_rate: 16_000,
        encoding,
        n_channels,
    };
    Source::pcm(
        Box::new(Cursor::new(bytes.to_vec())),
        7,
        format,
        Channel::FIRST,
    )
    .unwrap()
}

pub(super) fn golden(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/source");
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(folder.join(name)).unwrap();
    file.read_to_end(&mut bytes).unwrap();
    bytes
}

pub(super) fn chunk(id: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = id.to_vec();
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    out.extend(vec![0; body.len() % 2]);
    out
}

pub(super) fn format_body(tag: u16, n_channels: u16, sample_rate: u32, n_bits: u16) -> Vec<u8> {
    let n_frame_bytes = n_channels.wrapping_mul(n_bits / 8);
    let mut body = tag.to_le_bytes().to_vec();
    body.extend(n_channels.to_le_bytes());
    body.extend(sample_rate.to_le_bytes());
    body.extend(
        sample_rate
            .wrapping_mul(u32::from(n_frame_bytes))
            .to_le_bytes(),
    );
    body.extend(n_frame_bytes.to_le_bytes());
    body.extend(n_bits.to_le_bytes());
    body
}

/// `WAVEFORMATEXTENSIBLE` around a tag.
pub(super) fn extensible_body(tag: u16, n_bits: u16, n_valid_bits: u16) -> Vec<u8> {
    let mut body = format_body(0xFFFE, 1, 16_000, n_bits);
    body.extend(22_u16.to_le_bytes());
    body.extend(n_valid_bits.to_le_bytes());
    body.extend(4_u32.to_le_bytes());
    body.extend(tag.to_le_bytes());
    body.extend([0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]);
    body
}

pub(super) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body: Vec<u8> = b"WAVE".iter().copied().chain(chunks.concat()).collect();
    let mut out = b"RIFF".to_vec();
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    out
}

/// A plain WAV of one channel at 16 kHz.
pub(super) fn wav(tag: u16, n_bits: u16, data: &[u8]) -> Vec<u8> {
    riff(&[
        chunk(b"fmt ", &format_body(tag, 1, 16_000, n_bits)),
        chunk(b"data", data),
    ])
}

/// Hands out 1, 2, … `max` bytes at a time, now and then interrupted.
pub(super) struct Trickle {
    pub(super) inner: Cursor<Vec<u8>>,
    pub(super) max: usize,
    pub(super) n_calls: usize,
}

impl Read for Trickle {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.n_calls += 1;
        if self.n_calls.is_multiple_of(5) {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        let n = out.len().min(1 + self.n_calls % self.max);
        self.inner.read(&mut out[..n])
    }
}

impl Seek for Trickle {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}
