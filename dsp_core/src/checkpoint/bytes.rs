//! State as bytes: written in a fixed order, and read back without trust.

use zeroize::Zeroizing;

use crate::error::{BlockError, Reason};

/// Appends state in a fixed order, little-endian.
///
/// # Guarantee
/// No copy of what was written is left behind as it grows, and the rest is overwritten when dropped.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Zeroizing<Vec<u8>>,
}

/// Reads state back in the same order; never reads past the end, never panics.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

pub(crate) fn damaged(what: &str) -> BlockError {
    BlockError::new(Reason::BadCheckpoint, "an intact checkpoint", what)
}

macro_rules! scalar {
    ($($name:ident),+) => {
        #[allow(dead_code)]
        impl Writer {
            $(pub(crate) fn $name(&mut self, value: $name) {
                self.bytes(&value.to_le_bytes());
            })+
        }
        #[allow(dead_code)]
        impl Reader<'_> {
            $(pub(crate) fn $name(&mut self) -> Result<$name, BlockError> {
                Ok($name::from_le_bytes(self.array()?))
            })+
        }
    };
}
scalar!(u8, u16, u32, u64, i64, f32, f64);

#[allow(dead_code)]
impl Writer {
    pub(crate) fn into_bytes(self) -> Zeroizing<Vec<u8>> {
        self.bytes
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let n = self.bytes.len() + bytes.len();
        if n > self.bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity((2 * n).max(1 << 12)));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.u8(value.into());
    }

    pub(crate) fn option(&mut self, value: Option<u64>) {
        self.flag(value.is_some());
        self.u64(value.unwrap_or(0));
    }

    pub(crate) fn f32s(&mut self, values: &[f32]) {
        values.iter().for_each(|&v| self.f32(v));
    }

    pub(crate) fn f64s(&mut self, values: &[f64]) {
        values.iter().for_each(|&v| self.f64(v));
    }
}

#[allow(dead_code)]
impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The next bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], BlockError> {
        let (head, tail) = self
            .bytes
            .split_first_chunk()
            .ok_or_else(|| damaged("one that ends early"))?;
        self.bytes = tail;
        Ok(*head)
    }

    /// The next bytes, of a length that is known only now.
    pub(crate) fn slice(&mut self, n_bytes: usize) -> Result<&'a [u8], BlockError> {
        let (head, tail) = self
            .bytes
            .split_at_checked(n_bytes)
            .ok_or_else(|| damaged("one that ends early"))?;
        self.bytes = tail;
        Ok(head)
    }

    pub(crate) fn n_left(&self) -> usize {
        self.bytes.len()
    }

    /// Fills a slice of known length with finite values.
    pub(crate) fn f32s(&mut self, out: &mut [f32]) -> Result<(), BlockError> {
        for value in out {
            *value = self.finite_f32()?;
        }
        Ok(())
    }

    /// Fills a slice of known length with finite values.
    pub(crate) fn f64s(&mut self, out: &mut [f64]) -> Result<(), BlockError> {
        for value in out {
            *value = self.f64()?;
            if !value.is_finite() {
                return Err(damaged("a value that is not finite"));
            }
        }
        Ok(())
    }

    pub(crate) fn flag(&mut self) -> Result<bool, BlockError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(damaged("a flag that is neither 0 nor 1")),
        }
    }

    pub(crate) fn option(&mut self) -> Result<Option<u64>, BlockError> {
        let is_some = self.flag()?;
        let value = self.u64()?;
        Ok(is_some.then_some(value))
    }

    pub(crate) fn finite_f32(&mut self) -> Result<f32, BlockError> {
        let value = self.f32()?;
        value
            .is_finite()
            .then_some(value)
            .ok_or_else(|| damaged("a value that is not finite"))
    }

    /// Every byte was read.
    pub(crate) fn finish(self) -> Result<(), BlockError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            Err(damaged("one with bytes left over"))
        }
    }
}
