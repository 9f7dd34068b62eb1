//! The loops of the layers, laid out for registers: the only hot code of the classifier.
//!
//! At optimisation level 3 only; below it the same bytes come many times slower. No closures: the call of a function value has no
//! `inline(always)`, and what is not inlined is not compiled for the path.

use std::ops::Range;

use super::network::{LANES, Lanes, Layer, pad_before};
use crate::simd::dot::{Register, halves, word};
use crate::simd::per_path;

/// Largest activation: what is left of 16 bits beside the sign.
pub(crate) const MAX_ACTIVATION: f32 = 32_767.0;

/// Adding it leaves no bit for fractions: the nearest integer stands in the low bits, of two the even one.
const ROUNDING: f32 = 12_582_912.0;

/// The nearest integer that fits 16 bits with its sign; not a number becomes 0, so that a pass is total.
#[inline(always)]
pub(super) fn rounded(x: f32) -> i32 {
    let x = if x.is_nan() { 0.0 } else { x };
    let x = x.clamp(-MAX_ACTIVATION, MAX_ACTIVATION);
    (x + ROUNDING).to_bits() as i32 - ROUNDING.to_bits() as i32
}

/// The lane's sum as the next layer's integer: scaled, biased, rectified. Two operations in f32, each rounded by itself.
#[inline(always)]
fn activated(sum: i32, factor: f32, bias: f32) -> i32 {
    let x = sum as f32 * factor + bias;
    let x = if x > 0.0 { x } else { 0.0 };
    let x = if x < MAX_ACTIVATION {
        x
    } else {
        MAX_ACTIVATION
    };
    (x + ROUNDING).to_bits() as i32 - ROUNDING.to_bits() as i32
}

/// Writes two sums of a part, of one group or of two, as words of the output.
#[inline(always)]
fn put<R: Register>(
    layer: &Layer,
    sums: [R; 2],
    groups: [usize; 2],
    part: usize,
    out: &mut [i32; LANES],
) {
    let (mut low, mut high) = ([0; LANES], [0; LANES]);
    sums[0].store(&mut low, part);
    sums[1].store(&mut high, part);
    let [factors, biases] = [&layer.factors, &layer.biases];
    let (f0, b0) = (&factors[groups[0]].0, &biases[groups[0]].0);
    let (f1, b1) = (&factors[groups[1]].0, &biases[groups[1]].0);
    for lane in part * R::N..(part + 1) * R::N {
        let low = activated(low[lane], f0[lane], b0[lane]);
        let high = activated(high[lane], f1[lane], b1[lane]);
        out[lane] = word(low, high);
    }
}

/// The sums of a part of a group of outputs at P positions, held in registers.
#[inline(always)]
fn tile<R: Register, const P: usize>(
    input: &[Lanes],
    n_in: usize,
    panel: &[Lanes],
    part: usize,
) -> [R; P] {
    let mut rows = [input; P];
    for p in 0..P {
        rows[p] = &input[p * n_in..][..n_in];
    }
    let mut sums = [R::zero(); P];
    let (full, rest) = panel.as_chunks::<LANES>();
    for (at, weights) in full.iter().enumerate() {
        let mut x = [&Lanes::ZERO.0; P];
        for p in 0..P {
            x[p] = &rows[p][at].0;
        }
        for k in 0..LANES {
            let w = R::load(&weights[k].0, part);
            for p in 0..P {
                sums[p] = sums[p].add_dot(R::splat(x[p][k]), w);
            }
        }
    }
    for (k, weights) in rest.iter().enumerate() {
        let w = R::load(&weights.0, part);
        for p in 0..P {
            sums[p] = sums[p].add_dot(R::splat(rows[p][full.len()].0[k]), w);
        }
    }
    sums
}

/// Positions `at` and on, P of them: every two are a word of the output.
#[inline(always)]
fn dense_tile<R: Register, const P: usize>(
    layer: &Layer,
    (group, part): (usize, usize),
    at: usize,
    input: &[Lanes],
    output: &mut [Lanes],
) {
    let (n_in, n_groups) = (layer.n_input_lanes(), layer.output.n_groups());
    let sums = tile::<R, P>(&input[at * n_in..], n_in, layer.panel(group), part);
    for (pair, rows) in sums.as_chunks::<2>().0.iter().enumerate() {
        let out = &mut output[(at / 2 + pair) * n_groups + group].0;
        put(layer, *rows, [group, group], part, out);
    }
}

/// All positions of a part of a group of outputs, P at a time.
#[inline(always)]
fn dense_part<R: Register, const P: usize>(
    layer: &Layer,
    part_of: (usize, usize),
    input: &[Lanes],
    output: &mut [Lanes],
) {
    let n_positions = layer.output.n_positions();
    let n_tiled = n_positions / P * P;
    for at in (0..n_tiled).step_by(P) {
        dense_tile::<R, P>(layer, part_of, at, input, output);
    }
    for at in (n_tiled..n_positions).step_by(2) {
        dense_tile::<R, 2>(layer, part_of, at, input, output);
    }
}

per_path! {
    /// Every output from every input of its position: pairs of channels in, pairs of rows out.
    pub(super) fn dense<R>(layer: &Layer, input: &[Lanes], output: &mut [Lanes]) {
        for group in 0..layer.output.n_groups() {
            for part in 0..LANES / R::N {
                match R::N_SUMS {
                    12 => dense_part::<R, 12>(layer, (group, part), input, output),
                    _ => dense_part::<R, 6>(layer, (group, part), input, output),
                }
            }
        }
    }
}

per_path! {
    /// The head's linear map, not rectified.
    pub(super) fn logits_of<R>(head: &Layer, pooled: &[Lanes], logits: &mut [f32; LANES]) {
        let mut lanes = [0; LANES];
        for part in 0..LANES / R::N {
            let [sums] = tile::<R, 1>(pooled, pooled.len(), head.panel(0), part);
            sums.store(&mut lanes, part);
        }
        for lane in 0..LANES {
            logits[lane] = lanes[lane] as f32 * head.factors[0].0[lane] + head.biases[0].0[lane];
        }
    }
}

/// Outputs side by side of a depthwise layer.
struct Row<'a> {
    layer: &'a Layer,
    input: &'a [Lanes],
    y: usize,
}

impl Row<'_> {
    /// Columns of taps whose input exists, for the output at `x`.
    #[inline(always)]
    fn columns(&self, x: usize) -> Range<usize> {
        let first = x * self.layer.stride;
        let pad = pad_before(self.layer.stride);
        pad.saturating_sub(first)..(self.layer.input.width + pad - first).min(3)
    }

    /// The sums of a part of a group at T outputs from `x`, over columns that exist for all of them.
    ///
    /// Three rows lie in two pairs of rows: an even first one in the whole of a pair and the low halves of the next, an odd
    /// one in the high halves of a pair and the whole of the next. Pairs outside the picture are zeros: they are left out.
    #[inline(always)]
    fn sums<R: Register, const T: usize>(
        &self,
        (group, part): (usize, usize),
        x: usize,
        columns: Range<usize>,
    ) -> [R; T] {
        let Layer {
            stride,
            input: shape,
            ..
        } = *self.layer;
        let (n_groups, pad) = (shape.n_groups(), pad_before(stride));
        let panel = self.layer.panel(group);
        let (two_above, mut sums) = (self.y * stride + 2 - pad, [R::zero(); T]);
        for second in 0..2 {
            let pair = (two_above / 2 + second).wrapping_sub(1);
            if pair >= shape.height / 2 {
                continue;
            }
            let weights = &panel[(two_above % 2 * 2 + second) * 3..][..3];
            for kx in columns.clone() {
                let w = R::load(&weights[kx].0, part);
                let first = pair * shape.width + x * stride + kx - pad;
                let words = &self.input[first * n_groups + group..];
                for t in 0..T {
                    let x = R::load(&words[t * stride * n_groups].0, part);
                    sums[t] = sums[t].add_dot(x, w);
                }
            }
        }
        sums
    }

    /// Writes T outputs of a part of two groups: every two channels, 16 apart, are a word of the output.
    #[inline(always)]
    fn put<R: Register, const T: usize>(
        &self,
        (two, part): (usize, usize),
        x: usize,
        columns: Range<usize>,
        output: &mut [Lanes],
    ) {
        let (layer, out) = (self.layer, self.layer.output);
        // Of an odd number of groups the last is its own neighbour, whose weights are 0 in the next layer.
        let groups = [2 * two, (2 * two + 1).min(out.n_groups() - 1)];
        let low = self.sums::<R, T>((groups[0], part), x, columns.clone());
        let high = self.sums::<R, T>((groups[1], part), x, columns);
        for t in 0..T {
            let at = out.position(self.y, x + t) * out.n_pairs_of_groups() + two;
            put(layer, [low[t], high[t]], groups, part, &mut output[at].0);
        }
    }

    /// All outputs of a part of two groups, T at a time where their columns exist.
    #[inline(always)]
    fn fill<R: Register, const T: usize>(&self, part_of: (usize, usize), output: &mut [Lanes]) {
        let width = self.layer.output.width;
        let mut x = 0;
        while x < width {
            if x + T <= width && self.columns(x).start == 0 && self.columns(x + T - 1).end == 3 {
                self.put::<R, T>(part_of, x, 0..3, output);
                x += T;
            } else {
                self.put::<R, 1>(part_of, x, self.columns(x), output);
                x += 1;
            }
        }
    }
}

per_path! {
    /// 3 x 3 over each channel by itself: pairs of rows in, pairs of channels out.
    pub(super) fn depthwise<R>(layer: &Layer, input: &[Lanes], output: &mut [Lanes]) {
        for two in 0..layer.output.n_pairs_of_groups() {
            for part in 0..LANES / R::N {
                for y in 0..layer.output.height {
                    let row = Row { layer, input, y };
                    match R::N_SUMS {
                        12 => row.fill::<R, 6>((two, part), output),
                        _ => row.fill::<R, 4>((two, part), output),
                    }
                }
            }
        }
    }
}

per_path! {
    /// Mean and maximum of each channel over the positions, both as integers of the input's step: pairs of rows in, pairs of
    /// channels out, first all means, then all maxima.
    pub(super) fn pool(input: &[Lanes], pooled: &mut [Lanes]) {
        let n_groups = pooled.len();
        let n_pairs = input.len() / n_groups;
        pooled.fill(Lanes::default());
        for group in 0..n_groups {
            let (mut sum, mut max) = ([0; LANES], [0; LANES]);
            for pair in 0..n_pairs {
                let words = &input[pair * n_groups + group].0;
                for lane in 0..LANES {
                    let [low, high] = halves(words[lane]);
                    sum[lane] += low + high;
                    max[lane] = low.max(high).max(max[lane]);
                }
            }
            let (mean_at, max_at) = (group, n_groups + group);
            for lane in 0..LANES {
                let mean = rounded(sum[lane] as f32 / (2 * n_pairs) as f32);
                pooled[mean_at / 2].0[lane] |= mean << (16 * (mean_at % 2));
                pooled[max_at / 2].0[lane] |= max[lane] << (16 * (max_at % 2));
            }
        }
    }
}
