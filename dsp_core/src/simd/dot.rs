//! Sums of products of 16-bit numbers in 32-bit lanes, on the registers of each path.
//!
//! A word is two 16-bit numbers, the first in its low half. Sums of integers do not depend on their order, so every path
//! gives the same as long as no sum leaves 32 bits: that is for the caller to see to.
//!
//! And what else depends on the width of a register: how rows become columns.

/// The lanes of one tile's column: as many registers as a path can well keep of one sum.
///
/// Named by `per_path` alone: outside a body that it compiled for the path, the CPU may not have the instructions.
pub(crate) trait Register: Copy {
    /// Lanes: 16 or a part of it.
    const N: usize;
    /// Sums that the path's registers hold beside what is multiplied, even.
    const N_SUMS: usize;

    /// All lanes 0.
    fn zero() -> Self;

    /// The same word in every lane.
    fn splat(word: i32) -> Self;

    /// Words `part * N` and on.
    fn load(words: &[i32; 16], part: usize) -> Self;

    /// To each lane the products of both halves of its words.
    fn add_dot(self, x: Self, w: Self) -> Self;

    /// Writes the lanes over words `part * N` and on.
    fn store(self, words: &mut [i32; 16], part: usize);

    /// Rows to columns. Overwrites `tile`.
    fn transpose(tile: &mut Tile, columns: &mut Tile);
}

/// Sixteen rows of sixteen numbers.
pub(crate) type Tile = [[f32; 16]; 16];

/// The two numbers of a word.
#[inline(always)]
pub(crate) const fn halves(word: i32) -> [i32; 2] {
    [word as i16 as i32, word >> 16]
}

/// The word of two numbers of 16 bits.
#[inline(always)]
pub(crate) const fn word(low: i32, high: i32) -> i32 {
    (low & 0xffff) | high << 16
}

/// Lanes as plain numbers: what the others are held against, and what runs where there are none.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[derive(Clone, Copy)]
pub(crate) struct Plain([i32; 8]);

#[cfg(any(test, not(target_arch = "x86_64")))]
impl Register for Plain {
    const N: usize = 8;
    const N_SUMS: usize = 6;

    fn zero() -> Self {
        Self([0; 8])
    }

    fn splat(word: i32) -> Self {
        Self([word; 8])
    }

    fn load(words: &[i32; 16], part: usize) -> Self {
        Self(words.as_chunks().0[part])
    }

    fn add_dot(self, x: Self, w: Self) -> Self {
        Self(std::array::from_fn(|lane| {
            let ([x0, x1], [w0, w1]) = (halves(x.0[lane]), halves(w.0[lane]));
            self.0[lane] + x0 * w0 + x1 * w1
        }))
    }

    fn store(self, words: &mut [i32; 16], part: usize) {
        words.as_chunks_mut().0[part] = self.0;
    }

    fn transpose(tile: &mut Tile, columns: &mut Tile) {
        *columns = std::array::from_fn(|i| tile.map(|row| row[i]));
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) mod x86 {
    //! Registers of x86-64.
    use std::arch::x86_64::*;

    use super::{Register, Tile};
    use crate::simd::transpose::{by_shuffles, by_squares};

    /// Defines a path's lanes: some registers of one kind, and the instructions for them.
    macro_rules! register {
        ($name:ident, $n:literal, $n_sums:literal, [$vector:ty; $n_vectors:literal], $zero:ident, $splat:ident, $madd:ident, $add:ident, $transpose:ident) => {
            #[derive(Clone, Copy)]
            pub(crate) struct $name([$vector; $n_vectors]);

            impl Register for $name {
                const N: usize = $n;
                const N_SUMS: usize = $n_sums;

                #[inline(always)]
                fn zero() -> Self {
                    // SAFETY: `per_path` alone names this type, where the CPU has the instruction.
                    Self([unsafe { $zero() }; $n_vectors])
                }

                #[inline(always)]
                fn splat(word: i32) -> Self {
                    // SAFETY: as above.
                    Self([unsafe { $splat(word) }; $n_vectors])
                }

                #[inline(always)]
                fn load(words: &[i32; 16], part: usize) -> Self {
                    // SAFETY: an array of numbers and registers of the same size, for which any bits are right.
                    Self(unsafe {
                        std::mem::transmute::<[i32; $n], [$vector; $n_vectors]>(
                            words.as_chunks().0[part],
                        )
                    })
                }

                #[inline(always)]
                fn add_dot(mut self, x: Self, w: Self) -> Self {
                    for i in 0..$n_vectors {
                        // SAFETY: as in `zero`.
                        self.0[i] = unsafe { $add(self.0[i], $madd(x.0[i], w.0[i])) };
                    }
                    self
                }

                #[inline(always)]
                fn store(self, words: &mut [i32; 16], part: usize) {
                    // SAFETY: as in `load`.
                    words.as_chunks_mut().0[part] =
                        unsafe { std::mem::transmute::<[$vector; $n_vectors], [i32; $n]>(self.0) };
                }

                #[inline(always)]
                fn transpose(tile: &mut Tile, columns: &mut Tile) {
                    $transpose(tile, columns);
                }
            }
        };
    }

    register!(
        Sse2,
        8,
        6,
        [__m128i; 2],
        _mm_setzero_si128,
        _mm_set1_epi32,
        _mm_madd_epi16,
        _mm_add_epi32,
        by_squares
    );
    register!(
        Avx2,
        16,
        6,
        [__m256i; 2],
        _mm256_setzero_si256,
        _mm256_set1_epi32,
        _mm256_madd_epi16,
        _mm256_add_epi32,
        by_squares
    );
    register!(
        Avx512,
        16,
        12,
        [__m512i; 1],
        _mm512_setzero_si512,
        _mm512_set1_epi32,
        _mm512_madd_epi16,
        _mm512_add_epi32,
        by_shuffles
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::simd::{Path, limit_path, per_path};

    per_path! {
        fn on_the_path<R>(sums: &mut [i32; 16], x: &[i32; 16], w: &[i32; 16]) {
            for part in 0..16 / R::N {
                let sum = R::load(sums, part).add_dot(R::load(x, part), R::load(w, part));
                let sum = sum.add_dot(R::splat(x[3]), R::load(w, part));
                sum.add_dot(R::zero(), R::load(x, part)).store(sums, part);
            }
        }
    }

    per_path! {
        fn turned_on_the_path<R>(tile: &mut Tile, columns: &mut Tile) {
            R::transpose(tile, columns);
        }
    }

    #[test]
    fn rows_become_columns_on_every_path() {
        let tile: Tile = std::array::from_fn(|i| std::array::from_fn(|j| (16 * i + j) as f32));
        let mut expected = [[0.0; 16]; 16];
        Plain::transpose(&mut tile.clone(), &mut expected);
        assert_eq!(expected[3][..3], [3.0, 19.0, 35.0]);
        for path in [Path::Baseline, Path::Avx2, Path::Avx512] {
            limit_path(path);
            let mut found = [[-1.0; 16]; 16];
            turned_on_the_path(&mut tile.clone(), &mut found);
            assert_eq!(found, expected, "{path:?}");
        }
    }

    #[test]
    fn a_word_is_its_halves() {
        for (low, high) in [
            (0, 0),
            (-1, 0),
            (0, -1),
            (-32_768, 32_767),
            (32_767, -32_768),
        ] {
            assert_eq!(halves(word(low, high)), [low, high]);
        }
    }

    proptest! {
        #[test]
        fn every_register_gives_what_plain_numbers_give(
            sums in prop::array::uniform16(-1_000_000i32..1_000_000),
            x in prop::array::uniform16((-32_767i32..32_768, -32_767i32..32_768)),
            w in prop::array::uniform16((-128i32..128, -128i32..128)),
        ) {
            let words = |pairs: [(i32, i32); 16]| pairs.map(|(low, high)| word(low, high));
            let mut expected = sums;
            for part in 0..2 {
                let (x, w) = (words(x), words(w));
                let sum = Plain::load(&sums, part).add_dot(Plain::load(&x, part), Plain::load(&w, part));
                let sum = sum.add_dot(Plain::splat(x[3]), Plain::load(&w, part));
                sum.add_dot(Plain::zero(), Plain::splat(-1)).store(&mut expected, part);
            }
            for path in [Path::Baseline, Path::Avx2, Path::Avx512] {
                limit_path(path);
                let mut found = sums;
                on_the_path(&mut found, &words(x), &words(w));
                prop_assert_eq!(found, expected, "{:?}", path);
            }
        }
    }
}
