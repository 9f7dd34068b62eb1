//! Rows to columns, two ways: shuffling whole rows is fast where a register holds one, and slow where a row takes several.
use std::arch::x86_64::*;

use super::dot::Tile;

/// One round of a perfect shuffle: rows i and i + 8 become rows 2 i and 2 i + 1.
#[inline(always)]
fn shuffle(from: &Tile, to: &mut Tile) {
    for i in 0..8 {
        let (a, b) = (&from[i], &from[i + 8]);
        for n in 0..8 {
            to[2 * i][2 * n] = a[n];
            to[2 * i][2 * n + 1] = b[n];
            to[2 * i + 1][2 * n] = a[8 + n];
            to[2 * i + 1][2 * n + 1] = b[8 + n];
        }
    }
}

/// By four rounds of shuffling whole rows, where one register holds a row.
#[inline(always)]
pub(super) fn by_shuffles(tile: &mut Tile, columns: &mut Tile) {
    shuffle(tile, columns);
    shuffle(columns, tile);
    shuffle(tile, columns);
    shuffle(columns, tile);
    *columns = *tile;
}

/// By squares of four times four, where rows take several registers.
#[inline(always)]
pub(super) fn by_squares(tile: &mut Tile, columns: &mut Tile) {
    for (i, rows) in tile.as_chunks::<4>().0.iter().enumerate() {
        let [a, b, c, d] = rows;
        let (a, b) = (a.as_chunks::<4>().0, b.as_chunks::<4>().0);
        let (c, d) = (c.as_chunks::<4>().0, d.as_chunks::<4>().0);
        for (j, columns) in columns.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            let square = square([a[j], b[j], c[j], d[j]]);
            for (column, part) in columns.iter_mut().zip(square) {
                column.as_chunks_mut::<4>().0[i] = part;
            }
        }
    }
}

/// Rows to columns, in registers that every path has.
#[inline(always)]
fn square(rows: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    // SAFETY: arrays of numbers and registers of the same size, for which any bits are right.
    let [a, b, c, d] = unsafe { std::mem::transmute::<[[f32; 4]; 4], [__m128; 4]>(rows) };
    // SAFETY: every CPU of the target has these instructions.
    let columns = unsafe {
        let (ab, ab_high) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        let (cd, cd_high) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        [
            _mm_movelh_ps(ab, cd),
            _mm_movehl_ps(cd, ab),
            _mm_movelh_ps(ab_high, cd_high),
            _mm_movehl_ps(cd_high, ab_high),
        ]
    };
    // SAFETY: as above.
    unsafe { std::mem::transmute::<[__m128; 4], [[f32; 4]; 4]>(columns) }
}
