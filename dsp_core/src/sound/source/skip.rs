//! The beginning of a recording that is not to be heard.

use zeroize::{Zeroize, Zeroizing};

use super::Source;
use crate::error::{BlockError, Reason};

/// Samples that are let go at once.
const MAX_SKIP: usize = 1 << 16;

impl Source {
    /// Lets the first `n_samples` go; positions count from what follows. A stream that ends before is over, which is no error.
    ///
    /// # Errors
    /// As [`Source::next_block`], but that values are not looked at; `OutOfOrder` once a block was read.
    pub fn skip(&mut self, n_samples: u64) -> Result<(), BlockError> {
        if self.position > 0 || self.is_over {
            let actual = format!("one at sample {}", self.position);
            return Err(BlockError::new(
                Reason::OutOfOrder,
                "a stream at its start",
                actual,
            ));
        }
        let mut n_left = n_samples;
        let mut samples = Zeroizing::new(Vec::with_capacity(MAX_SKIP));
        while n_left > 0 && !self.is_over {
            let n_wanted = n_left.min(MAX_SKIP as u64) as usize;
            self.decoder.fill(&mut samples, n_wanted)?;
            self.is_over = samples.len() < n_wanted;
            n_left -= samples.len() as u64;
            samples.zeroize();
            samples.clear();
        }
        self.n_skipped = n_samples - n_left;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{open, wav};

    #[test]
    fn what_is_skipped_is_gone_and_positions_count_from_the_rest() {
        let samples = (0..100_000_i32).map(|x| (x % 30_000) as i16);
        let data: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
        let bytes = wav(1, 16, &data);
        let mut source = open(&bytes);
        source.skip(70_000).unwrap();
        let block = source.next_block(50_000).unwrap().unwrap();
        assert_eq!((block.start_sample(), block.n_samples()), (0, 30_000));
        assert_eq!(block.samples()[5], 10_005.0 / 32_768.0);
        assert!(source.next_block(1).unwrap().is_none());
        assert!(source.skip(1).is_err());
        let mut short = open(&bytes);
        short.skip(100_001).unwrap();
        assert!(short.next_block(10).unwrap().is_none());
    }
}
