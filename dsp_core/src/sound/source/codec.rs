//! What the compressed encodings share: the call of a decoder that is not ours, and the samples it has decoded ahead.

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::errors::{Error, Result as DecoderResult};
use zeroize::{Zeroize, Zeroizing};

use super::{corrupt, unreadable, unsupported};
use crate::error::BlockError;

/// Samples of the frame or page that was decoded last.
#[derive(Default)]
pub(super) struct Decoded {
    samples: Zeroizing<Vec<f32>>,
    n_taken: usize,
}

impl Decoded {
    /// Wipes what was there and makes room for `n` samples.
    pub(super) fn cleared(&mut self, n: usize) -> &mut Vec<f32> {
        self.samples.zeroize();
        self.samples.reserve_exact(n);
        self.n_taken = 0;
        &mut self.samples
    }

    /// Samples not yet moved on.
    pub(super) fn n_left(&self) -> usize {
        self.samples.len() - self.n_taken
    }

    /// Drops the first `n` samples.
    pub(super) fn skip(&mut self, n: usize) {
        self.n_taken = self.samples.len().min(self.n_taken.saturating_add(n));
    }

    /// Keeps the first `n` samples of those not yet moved on.
    pub(super) fn keep(&mut self, n: usize) {
        let end = self.samples.len().min(self.n_taken.saturating_add(n));
        self.samples[end..].zeroize();
        self.samples.truncate(end);
    }

    /// Moves samples on until `out` holds `n_wanted`; answers how many.
    pub(super) fn move_to(&mut self, out: &mut Vec<f32>, n_wanted: usize) -> usize {
        let n = self.n_left().min(n_wanted.saturating_sub(out.len()));
        out.extend_from_slice(&self.samples[self.n_taken..self.n_taken + n]);
        self.n_taken += n;
        n
    }
}

/// Why the decoder stopped.
pub(super) enum Fault {
    /// It met the end of the stream.
    Ended,
    /// It refused, or failed.
    Refused(BlockError),
}

impl Fault {
    pub(super) fn into_error(self) -> BlockError {
        match self {
            Self::Ended => corrupt("a stream that can be decoded", "one that ends early"),
            Self::Refused(error) => error,
        }
    }
}

/// Calls the decoder and turns everything that may come of foreign bytes into a refusal.
///
/// The decoder is not ours: an assertion of it that hostile bytes can break must cost this stream, not the process. After
/// a fault the stream is over and the decoder is not called again, so no broken state is seen.
pub(super) fn guarded<T>(call: impl FnOnce() -> DecoderResult<T>) -> Result<T, Fault> {
    let refused = |what: &str| Fault::Refused(corrupt("a stream that can be decoded", what));
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(Error::IoError(error))) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(Fault::Ended)
        }
        Ok(Err(Error::IoError(error))) => Err(Fault::Refused(unreadable(error))),
        Ok(Err(Error::Unsupported(what))) => Err(Fault::Refused(unsupported(
            "FLAC, Vorbis, MP3 or AAC-LC",
            what,
        ))),
        Ok(Err(Error::DecodeError(what) | Error::LimitError(what))) => Err(refused(what)),
        Ok(Err(_)) => Err(refused("one that asks for a reset")),
        Err(_) => Err(refused("one that its decoder fails on")),
    }
}
