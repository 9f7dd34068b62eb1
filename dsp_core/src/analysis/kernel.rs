//! The loops of the layers, laid out for registers: the only hot code of the classifier.
//!
//! Plain arrays that the compiler turns into vectors; at optimisation level 3 only, below it the same bytes come some 20
//! times slower.

use std::ops::Range;

use super::network::{LANES, Lanes, Layer, N_TAPS};
use crate::simd::{self, Path, per_path};

/// Rows or columns of zeros before the first one: TensorFlow's SAME puts the odd one of two after the last.
pub(super) fn pad_before(n_in: usize, n_out: usize, stride: usize) -> usize {
    ((n_out - 1) * stride + 3).saturating_sub(n_in) / 2
}

/// Taps whose input exists, for the output at `at`.
#[inline(always)]
pub(super) fn taps_at(at: usize, stride: usize, pad: usize, n_in: usize) -> Range<usize> {
    let first = at * stride;
    pad.saturating_sub(first)..(n_in + pad).saturating_sub(first).min(3)
}

/// ReLU; not a number becomes 0 as well, so that a pass is total.
#[inline(always)]
fn rectified(x: f32) -> f32 {
    if x > 0.0 { x } else { 0.0 }
}

/// `sums += x * w`, lane by lane.
#[inline(always)]
fn add_scaled<const C: usize>(sums: &mut [f32; C], x: f32, w: &[f32; C]) {
    for c in 0..C {
        sums[c] += x * w[c];
    }
}

/// The sums of C outputs at P positions, held in registers. A trait and not a function argument: the call of a function
/// value has no `inline(always)`, and what is not inlined is not compiled for the path.
trait Tile<const P: usize, const C: usize> {
    fn sums(
        input: &[Lanes],
        n_groups: usize,
        panel: &[Lanes],
        half: usize,
        bias: &Lanes,
    ) -> [[f32; C]; P];
}

/// Defines the tile of some positions. They are unrolled by name: left to itself the compiler lays its lanes across
/// positions and gathers, 20 times as slow.
macro_rules! tile {
    ($name:ident, $n_positions:literal, [$($p:literal)+]) => {
        struct $name;

        impl<const C: usize> Tile<$n_positions, C> for $name {
            #[inline(always)]
            fn sums(
                input: &[Lanes],
                n_groups: usize,
                panel: &[Lanes],
                half: usize,
                bias: &Lanes,
            ) -> [[f32; C]; $n_positions] {
                let rows = [$(&input[$p * n_groups..][..n_groups]),+];
                let mut sums = [bias.0.as_chunks::<C>().0[half]; $n_positions];
                let (full, rest) = panel.as_chunks::<LANES>();
                for (group, weights) in full.iter().enumerate() {
                    let x = [$(&rows[$p][group].0),+];
                    for k in 0..LANES {
                        let w = &weights[k].0.as_chunks::<C>().0[half];
                        $(add_scaled(&mut sums[$p], x[$p][k], w);)+
                    }
                }
                for (k, weights) in rest.iter().enumerate() {
                    let w = &weights.0.as_chunks::<C>().0[half];
                    $(add_scaled(&mut sums[$p], rows[$p][full.len()].0[k], w);)+
                }
                sums
            }
        }
    };
}

tile!(Of12, 12, [0 1 2 3 4 5 6 7 8 9 10 11]);
tile!(Of6, 6, [0 1 2 3 4 5]);
tile!(Of1, 1, [0]);

/// All positions of one group of outputs (or of half of it), P at a time.
#[inline(always)]
fn panel_of<T: Tile<P, C>, const P: usize, const C: usize>(
    layer: &Layer,
    (group, half): (usize, usize),
    n_in: usize,
    input: &[Lanes],
    output: &mut [Lanes],
) {
    let n_groups = layer.output.n_groups();
    let n_terms = layer.weights.len() / n_groups;
    let panel = &layer.weights[group * n_terms..][..n_terms];
    let bias = &layer.bias[group];
    let n_positions = layer.output.n_positions();
    let mut at = 0;
    while at + P <= n_positions {
        let sums = T::sums(&input[at * n_in..], n_in, panel, half, bias);
        for (p, sum) in sums.iter().enumerate() {
            let out = &mut output[(at + p) * n_groups + group].0;
            out.as_chunks_mut::<C>().0[half] = sum.map(rectified);
        }
        at += P;
    }
    while at < n_positions {
        let [sum] = Of1::sums(&input[at * n_in..], n_in, panel, half, bias);
        let out = &mut output[at * n_groups + group].0;
        out.as_chunks_mut::<C>().0[half] = sum.map(rectified);
        at += 1;
    }
}

per_path! {
    /// Every output from every input of its position. The tile is what the path's registers hold: 12 sums in 16 of 4, 16 of
    /// 8 or 32 of 16 lanes.
    pub(super) fn dense(layer: &Layer, n_in: usize, input: &[Lanes], output: &mut [Lanes]) {
        let path = simd::widest_path();
        for group in 0..layer.output.n_groups() {
            match path {
                Path::Avx512 => panel_of::<Of12, 12, 16>(layer, (group, 0), n_in, input, output),
                Path::Avx2 => panel_of::<Of6, 6, 16>(layer, (group, 0), n_in, input, output),
                Path::Baseline => {
                    panel_of::<Of6, 6, 8>(layer, (group, 0), n_in, input, output);
                    panel_of::<Of6, 6, 8>(layer, (group, 1), n_in, input, output);
                }
            }
        }
    }
}

per_path! {
    /// The head's linear map, not rectified.
    pub(super) fn logits_of(head: &Layer, pooled: &[Lanes], logits: &mut [Lanes; 1]) {
        logits[0].0 = Of1::sums(pooled, pooled.len(), &head.weights, 0, &head.bias[0])[0];
    }
}

/// `sums += x * w`, lane by lane.
#[inline(always)]
fn add_products(sums: &mut [f32; LANES], x: &[f32; LANES], w: &[f32; LANES]) {
    for c in 0..LANES {
        sums[c] += x[c] * w[c];
    }
}

/// One group of channels of a depthwise layer.
struct Grid<'a> {
    layer: &'a Layer,
    group: usize,
    /// (9,)
    weights: &'a [Lanes],
    /// Rows and columns of zeros before the first.
    pad: (usize, usize),
}

impl<'a> Grid<'a> {
    #[inline(always)]
    fn new(layer: &'a Layer, group: usize) -> Self {
        let (shape, out, stride) = (layer.input, layer.output, layer.stride);
        let pad = (
            pad_before(shape.height, out.height, stride),
            pad_before(shape.width, out.width, stride),
        );
        let weights = &layer.weights[group * N_TAPS..][..N_TAPS];
        Self {
            layer,
            group,
            weights,
            pad,
        }
    }

    /// One output whose taps may lie outside: those are skipped.
    #[inline(always)]
    fn edge(&self, input: &[Lanes], y: usize, x: usize) -> [f32; LANES] {
        let Layer {
            stride,
            input: shape,
            ..
        } = *self.layer;
        let mut sums = self.layer.bias[self.group].0;
        for ky in taps_at(y, stride, self.pad.0, shape.height) {
            for kx in taps_at(x, stride, self.pad.1, shape.width) {
                let at =
                    (y * stride + ky - self.pad.0) * shape.width + x * stride + kx - self.pad.1;
                let values = &input[at * shape.n_groups() + self.group].0;
                add_products(&mut sums, values, &self.weights[3 * ky + kx].0);
            }
        }
        sums
    }
}

/// T neighbouring outputs, all of whose columns exist: they share the loads of their weights.
trait Span<const T: usize> {
    fn sums(grid: &Grid<'_>, input: &[Lanes], y: usize, x: usize) -> [[f32; LANES]; T];
}

/// Defines the span of some neighbours, unrolled by name as in `tile`.
macro_rules! span {
    ($name:ident, $n_outputs:literal, [$($t:literal)+]) => {
        struct $name;

        impl Span<$n_outputs> for $name {
            #[inline(always)]
            fn sums(grid: &Grid<'_>, input: &[Lanes], y: usize, x: usize) -> [[f32; LANES]; $n_outputs] {
                let Layer { stride, input: shape, .. } = *grid.layer;
                let n_groups = shape.n_groups();
                let mut sums = [grid.layer.bias[grid.group].0; $n_outputs];
                for ky in taps_at(y, stride, grid.pad.0, shape.height) {
                    let first = (y * stride + ky - grid.pad.0) * shape.width + x * stride - grid.pad.1;
                    let row = &input[first * n_groups + grid.group..];
                    for kx in 0..3 {
                        let w = &grid.weights[3 * ky + kx].0;
                        $(add_products(&mut sums[$t], &row[($t * stride + kx) * n_groups].0, w);)+
                    }
                }
                sums
            }
        }
    };
}

span!(Span4, 4, [0 1 2 3]);
span!(Span2, 2, [0 1]);

/// One row of outputs of one group.
#[inline(always)]
fn depthwise_row<S: Span<T>, const T: usize>(
    grid: &Grid<'_>,
    input: &[Lanes],
    y: usize,
    output: &mut [Lanes],
) {
    let Layer {
        stride,
        input: shape,
        output: out,
        ..
    } = *grid.layer;
    let row = &mut output[y * out.width * out.n_groups()..];
    let mut x = 0;
    while x < out.width {
        let last = (x + T - 1) * stride + 3;
        if x * stride >= grid.pad.1 && last <= shape.width + grid.pad.1 {
            let sums = S::sums(grid, input, y, x);
            for t in 0..T {
                row[(x + t) * out.n_groups() + grid.group].0 = sums[t].map(rectified);
            }
            x += T;
        } else {
            row[x * out.n_groups() + grid.group].0 = grid.edge(input, y, x).map(rectified);
            x += 1;
        }
    }
}

per_path! {
    /// 3 x 3 over each channel by itself; the span is what the path's registers hold.
    pub(super) fn depthwise(layer: &Layer, input: &[Lanes], output: &mut [Lanes]) {
        let path = simd::widest_path();
        for group in 0..layer.output.n_groups() {
            let grid = Grid::new(layer, group);
            for y in 0..layer.output.height {
                match path {
                    Path::Baseline => depthwise_row::<Span2, 2>(&grid, input, y, output),
                    _ => depthwise_row::<Span4, 4>(&grid, input, y, output),
                }
            }
        }
    }
}

per_path! {
    /// Mean, then maximum, over the positions of each channel.
    pub(super) fn pool(input: &[Lanes], pooled: &mut [Lanes]) {
        let n_groups = pooled.len() / 2;
        let n_positions = input.len() / n_groups;
        let (means, maxima) = pooled.split_at_mut(n_groups);
        for group in 0..n_groups {
            let (mut sum, mut max) = ([0.0f32; LANES], [0.0f32; LANES]);
            for position in 0..n_positions {
                let values = &input[position * n_groups + group].0;
                for c in 0..LANES {
                    sum[c] += values[c];
                    max[c] = if values[c] > max[c] { values[c] } else { max[c] };
                }
            }
            means[group].0 = sum.map(|s| s / n_positions as f32);
            maxima[group].0 = max;
        }
    }
}
