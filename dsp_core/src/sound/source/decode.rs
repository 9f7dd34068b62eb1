//! What the room asks of every decoder.

use zeroize::{Zeroize, Zeroizing};

use super::recorded_at::RecordedAt;
use crate::error::BlockError;

/// Samples that are decoded at a time where they are only gone over.
const N_DROPPED: usize = 1 << 14;

/// What a stream says of itself before its first sample.
pub(super) struct StreamFormat {
    pub(super) sample_rate: u32,
    pub(super) n_channels: u32,
    pub(super) bits_per_sample: u32,
    pub(super) n_samples: Option<u64>,
    pub(super) recorded_at: Option<RecordedAt>,
}

/// Delivers what is heard of one stream, in order.
pub(super) trait Decode: Send {
    /// Appends samples to `out` until it holds `n_wanted`, without growing it; fewer only if the stream is over.
    ///
    /// Before an error every sample that precedes it is appended.
    fn fill(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> Result<(), BlockError>;

    /// Goes over the next samples; answers how many there were, fewer only if the stream is over.
    fn skip(&mut self, n_samples: u64) -> (u64, Result<(), BlockError>) {
        drop_samples(self, n_samples)
    }
}

/// Decodes samples and wipes them.
pub(super) fn drop_samples<D: Decode + ?Sized>(
    decoder: &mut D,
    n_samples: u64,
) -> (u64, Result<(), BlockError>) {
    let mut dropped = Zeroizing::new(Vec::with_capacity(N_DROPPED));
    let mut n_left = n_samples;
    while n_left > 0 {
        let n_wanted = n_left.min(N_DROPPED as u64) as usize;
        let filled = decoder.fill(&mut dropped, n_wanted);
        n_left -= dropped.len() as u64;
        let is_over = dropped.len() < n_wanted;
        dropped.zeroize();
        if is_over || filled.is_err() {
            return (n_samples - n_left, filled);
        }
    }
    (n_samples, Ok(()))
}
