//! A look at the set-up of a Vorbis stream before the decoder sees it: how much memory its codebooks would take.
//!
//! A codebook of a few dozen bytes can describe tables of megabytes, and there may be 256 of them.

use super::corrupt;
use crate::error::BlockError;

/// Most entries of all codebooks together. The reference encoder's set-ups have up to some 20 000.
const MAX_ENTRIES: u64 = 1 << 17;
/// Most numbers in all vector tables together: 16 MB.
const MAX_VALUES: u64 = 1 << 22;

/// Reads bits from the least significant one on (Vorbis I, section 2).
struct Bits<'a> {
    bytes: &'a [u8],
    at: u64,
}

impl Bits<'_> {
    fn read(&mut self, n: u32) -> Result<u32, BlockError> {
        let mut value = 0;
        for i in 0..n {
            let byte = usize::try_from(self.at / 8)
                .ok()
                .and_then(|at| self.bytes.get(at));
            let byte = byte.ok_or_else(|| corrupt("a complete set-up", "one that ends early"))?;
            value |= u32::from(byte >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Ok(value)
    }
}

/// Refuses a set-up packet whose codebooks are larger than those of any sound.
///
/// # Errors
/// `CorruptData`, also where the packet is no set-up.
pub(super) fn check_setup(packet: &[u8]) -> Result<(), BlockError> {
    let body = packet
        .strip_prefix(b"\x05vorbis")
        .ok_or_else(|| corrupt("a set-up packet", "another one"))?;
    let mut bits = Bits { bytes: body, at: 0 };
    let (mut n_entries, mut n_values) = (0, 0);
    for _ in 0..=bits.read(8)? {
        let is_codebook = bits.read(24)? == 0x56_4342;
        let (dimensions, entries) = (bits.read(16)?, bits.read(24)?);
        n_entries += u64::from(entries);
        if !is_codebook || n_entries > MAX_ENTRIES {
            return Err(corrupt(
                format!("codebooks of at most {MAX_ENTRIES} entries"),
                n_entries,
            ));
        }
        skip_lengths(&mut bits, entries)?;
        if skip_vectors(&mut bits, entries, dimensions)? {
            n_values += u64::from(entries) * u64::from(dimensions);
        }
        if n_values > MAX_VALUES {
            return Err(corrupt(
                format!("vectors of at most {MAX_VALUES} values"),
                n_values,
            ));
        }
    }
    Ok(())
}

/// Codeword lengths (section 3.2.1): in order of length, or one by one with or without gaps.
fn skip_lengths(bits: &mut Bits<'_>, entries: u32) -> Result<(), BlockError> {
    if bits.read(1)? == 1 {
        bits.read(5)?;
        let mut n = 0;
        while n < entries {
            n += bits.read(u32::BITS - (entries - n).leading_zeros())?;
        }
        return match n == entries {
            true => Ok(()),
            false => Err(corrupt(format!("{entries} codewords"), n)),
        };
    }
    let is_sparse = bits.read(1)? == 1;
    for _ in 0..entries {
        if !is_sparse || bits.read(1)? == 1 {
            bits.at += 5;
        }
    }
    Ok(())
}

/// The vector table, if the codebook has one.
fn skip_vectors(bits: &mut Bits<'_>, entries: u32, dimensions: u32) -> Result<bool, BlockError> {
    let lookup_type = bits.read(4)?;
    if lookup_type == 0 {
        return Ok(false);
    }
    bits.at += 64;
    let n_bits = u64::from(bits.read(4)?) + 1;
    bits.at += 1;
    let n = match lookup_type {
        1 => u64::from(root(entries, dimensions)),
        2 => u64::from(entries) * u64::from(dimensions),
        n => return Err(corrupt("a lookup type of 0 to 2", n)),
    };
    bits.at = bits.at.saturating_add(n * n_bits);
    Ok(true)
}

/// The greatest integer whose power of `dimensions` is at most `entries` (section 9.2.3).
fn root(entries: u32, dimensions: u32) -> u32 {
    let is_within = |value: u32| {
        value
            .checked_pow(dimensions)
            .is_some_and(|power| power <= entries)
    };
    let mut value = 0;
    // At most 131 072 steps in one dimension, and fewer than 400 in two.
    while dimensions > 0 && is_within(value + 1) {
        value += 1;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes fields of a packet from the least significant bit on.
    fn packet(fields: &[(u32, u32)]) -> Vec<u8> {
        let bits = fields
            .iter()
            .flat_map(|&(value, n)| (0..n).map(move |i| value.checked_shr(i).unwrap_or(0) & 1));
        let bits: Vec<u32> = bits.collect();
        let bytes = bits
            .chunks(8)
            .map(|bits| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit));
        b"\x05vorbis"
            .iter()
            .copied()
            .chain(bytes.map(|byte| byte as u8))
            .collect()
    }

    /// One codebook in order of length, with a vector table.
    fn codebook(entries: u32, dimensions: u32) -> Vec<(u32, u32)> {
        let n_bits = u32::BITS - entries.leading_zeros();
        let lengths = [
            (0x56_4342, 24),
            (dimensions, 16),
            (entries, 24),
            (1, 1),
            (16, 5),
            (entries, n_bits),
        ];
        let vectors = [
            (1, 4),
            (0, 32),
            (0, 32),
            (0, 4),
            (0, 1),
            (0, root(entries, dimensions)),
        ];
        lengths.into_iter().chain(vectors).collect()
    }

    fn check(n_codebooks: u32, entries: u32, dimensions: u32) -> bool {
        let mut fields = vec![(n_codebooks - 1, 8)];
        (0..n_codebooks).for_each(|_| fields.extend(codebook(entries, dimensions)));
        check_setup(&packet(&fields)).is_ok()
    }

    #[test]
    fn codebooks_of_sound_pass_and_bombs_do_not() {
        assert!(check(40, 625, 4));
        assert!(!check(1, 1 << 18, 1));
        assert!(!check(256, 1 << 17, 32));
        assert!(!check(2, 1 << 17, 32));
        assert!(!check(40, 4_000, 32));
    }

    #[test]
    fn roots_are_exact() {
        let cases = [
            ((625, 4), 5),
            ((624, 4), 4),
            ((6_561, 8), 3),
            ((1, 5), 1),
            ((0, 2), 0),
            ((9, 0), 0),
        ];
        for ((entries, dimensions), expected) in cases {
            assert_eq!(root(entries, dimensions), expected);
        }
    }
}
