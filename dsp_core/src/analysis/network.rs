//! The classifier's layers: convolutions over a 96 x 64 picture in f32, every sum in one fixed order.
//!
//! Activations lie position by position, channels innermost, in groups of 16 lanes. Each output channel's sum starts with
//! its bias and adds `x * w` in ascending k, unfused; loops are laid side by side over channels and positions only. So
//! every path, tile and CPU gives the same bytes.

use std::ops::Range;

use zeroize::{DefaultIsZeroes, Zeroizing};

use crate::simd::{self, Path, per_path};

/// Channels of one group.
pub(crate) const LANES: usize = 16;
/// Weights of one output of a 3 x 3 convolution.
const N_TAPS: usize = 9;

/// 16 channels of one position, on a cache line: one load on the widest path.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [f32; LANES]);

impl DefaultIsZeroes for Lanes {}

/// Height (frames), width (bands) and channels of an activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) n_channels: usize,
}

impl Shape {
    pub(crate) fn n_positions(self) -> usize {
        self.height * self.width
    }

    fn n_groups(self) -> usize {
        self.n_channels.div_ceil(LANES)
    }

    /// `Lanes` that hold it.
    pub(crate) fn n_lanes(self) -> usize {
        self.n_positions() * self.n_groups()
    }
}

/// What a layer computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 3 x 3 over the one channel of the input.
    Conv,
    /// 3 x 3, each channel by itself.
    Depthwise,
    /// 1 x 1 over all channels.
    Pointwise,
    /// Mean and maximum over all positions, then a linear map to logits.
    Head,
}

/// One layer: its shapes and its weights as `(group of outputs, k, lane)`.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) kind: Kind,
    pub(crate) stride: usize,
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    pub(crate) weights: Vec<Lanes>,
    pub(crate) bias: Vec<Lanes>,
}

impl Layer {
    /// Terms of one output's sum.
    pub(crate) fn n_terms(kind: Kind, n_in: usize) -> usize {
        match kind {
            Kind::Conv | Kind::Depthwise => N_TAPS,
            Kind::Pointwise | Kind::Head => n_in,
        }
    }

    /// Multiplications and additions of one pass.
    #[cfg(any(test, feature = "bench"))]
    pub(crate) fn n_flop(&self) -> usize {
        let n_in = match self.kind {
            Kind::Head => 2 * self.input.n_channels,
            _ => self.input.n_channels,
        };
        2 * Self::n_terms(self.kind, n_in) * self.output.n_positions() * self.output.n_channels
    }

    fn run(&self, input: &[Lanes], output: &mut [Lanes]) {
        let output = &mut output[..self.output.n_lanes()];
        match self.kind {
            Kind::Conv => dense(self, 1, input, output),
            Kind::Depthwise => depthwise(self, &input[..self.input.n_lanes()], output),
            Kind::Pointwise => dense(self, self.input.n_groups(), input, output),
            Kind::Head => {}
        }
    }
}

/// Buffers of a pass, reused from window to window.
///
/// # Guarantee
/// Overwritten by `wipe` and when dropped: activations of the first layers are a picture of the sound.
pub(crate) struct Scratch {
    /// Outputs of layers 0, 2, 4 ...
    even: Zeroizing<Vec<Lanes>>,
    /// Patches of the input, then outputs of layers 1, 3, 5 ...
    odd: Zeroizing<Vec<Lanes>>,
    pooled: Zeroizing<Vec<Lanes>>,
}

impl Scratch {
    /// Overwrites everything: a bulk fill, which the barrier keeps from being optimised away (element-wise volatile writes
    /// take several times as long).
    pub(crate) fn wipe(&mut self) {
        for buffer in [&mut self.even, &mut self.odd, &mut self.pooled] {
            buffer.fill(Lanes::default());
            zeroize::optimization_barrier(buffer.as_slice());
        }
    }

    #[cfg(test)]
    pub(crate) fn is_wiped(&self) -> bool {
        [&self.even, &self.odd, &self.pooled]
            .iter()
            .all(|buffer| buffer.iter().all(|lanes| *lanes == Lanes::default()))
    }
}

/// The layers in order: a convolution, depthwise and pointwise ones, the head.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) layers: Vec<Layer>,
}

impl Network {
    /// Buffers of the size that this network needs.
    pub(crate) fn scratch(&self) -> Scratch {
        let largest = |parity: usize| {
            let own = self.layers.iter().skip(parity).step_by(2);
            own.map(|layer| layer.output.n_lanes()).max().unwrap_or(0)
        };
        let n_patches = self.layers.first().map_or(0, |l| l.output.n_positions());
        let n_pooled = self.layers.last().map_or(0, |l| 2 * l.input.n_groups());
        let buffer = |n_lanes| Zeroizing::new(vec![Lanes::default(); n_lanes]);
        Scratch {
            even: buffer(largest(0)),
            odd: buffer(largest(1).max(n_patches)),
            pooled: buffer(n_pooled),
        }
    }

    /// One pass.
    ///
    /// # Shape
    /// `bands`: (96, 64), f32; a band whose flag in `masked` is set is read as `fill`. Returns the logits, padded with 0.
    pub(crate) fn forward(
        &self,
        bands: &[f32],
        masked: &[bool],
        fill: f32,
        scratch: &mut Scratch,
    ) -> [f32; LANES] {
        if let Some(first) = self.layers.first() {
            patches(first, bands, masked, fill, &mut scratch.odd);
        }
        for index in 0..self.layers.len().saturating_sub(1) {
            self.run_layer(index, scratch);
        }
        self.head(scratch)
    }

    /// Runs one layer but the head on what the layer before it left.
    pub(crate) fn run_layer(&self, index: usize, scratch: &mut Scratch) {
        match index % 2 {
            0 => self.layers[index].run(&scratch.odd, &mut scratch.even),
            _ => self.layers[index].run(&scratch.even, &mut scratch.odd),
        }
    }

    /// Runs the head on what the layer before it left.
    pub(crate) fn head(&self, scratch: &mut Scratch) -> [f32; LANES] {
        let Some(head) = self.layers.last() else {
            return [0.0; LANES];
        };
        let input = match self.layers.len() % 2 {
            0 => &scratch.even,
            _ => &scratch.odd,
        };
        pool(&input[..head.input.n_lanes()], &mut scratch.pooled);
        let mut logits = [Lanes::default()];
        logits_of(head, &scratch.pooled, &mut logits);
        logits[0].0
    }
}

/// Rows or columns of zeros before the first one: TensorFlow's SAME puts the odd one of two after the last.
fn pad_before(n_in: usize, n_out: usize, stride: usize) -> usize {
    ((n_out - 1) * stride + 3).saturating_sub(n_in) / 2
}

/// Taps whose input exists, for the output at `at`.
#[inline(always)]
fn taps_at(at: usize, stride: usize, pad: usize, n_in: usize) -> Range<usize> {
    let first = at * stride;
    pad.saturating_sub(first)..(n_in + pad).saturating_sub(first).min(3)
}

/// Lays the 9 inputs of every output position side by side, so that the first convolution is a `dense` of 9 terms. Padding
/// is 0: adding `0 * w` can change but the sign of a zero, which the rectifier removes.
fn patches(layer: &Layer, bands: &[f32], masked: &[bool], fill: f32, out: &mut [Lanes]) {
    let Shape { height, width, .. } = layer.input;
    let stride = layer.stride;
    let pad_y = pad_before(height, layer.output.height, stride);
    let pad_x = pad_before(width, layer.output.width, stride);
    for (at, patch) in out[..layer.output.n_positions()].iter_mut().enumerate() {
        let (y, x) = (at / layer.output.width, at % layer.output.width);
        *patch = Lanes::default();
        for ky in taps_at(y, stride, pad_y, height) {
            let row = &bands[(y * stride + ky - pad_y) * width..][..width];
            for kx in taps_at(x, stride, pad_x, width) {
                let band = x * stride + kx - pad_x;
                patch.0[3 * ky + kx] = if masked[band] { fill } else { row[band] };
            }
        }
    }
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
    fn dense(layer: &Layer, n_in: usize, input: &[Lanes], output: &mut [Lanes]) {
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
    fn logits_of(head: &Layer, pooled: &[Lanes], logits: &mut [Lanes; 1]) {
        logits[0].0 = Of1::sums(pooled, pooled.len(), &head.weights, 0, &head.bias[0])[0];
    }
}

/// Where a depthwise layer reads: the rows and columns of zeros before the first, and the taps.
struct Grid<'a> {
    layer: &'a Layer,
    pad_y: usize,
    pad_x: usize,
    group: usize,
    weights: &'a [Lanes],
}

/// T neighbouring outputs of one group of channels.
#[inline(always)]
fn depthwise_tile<const T: usize>(
    grid: &Grid<'_>,
    input: &[Lanes],
    (y, x): (usize, usize),
    kys: Range<usize>,
    kxs: Range<usize>,
) -> [[f32; LANES]; T] {
    let Layer {
        stride,
        input: shape,
        bias,
        ..
    } = grid.layer;
    let n_groups = shape.n_groups();
    let mut sums = [bias[grid.group].0; T];
    for ky in kys {
        let row = (y * stride + ky - grid.pad_y) * shape.width;
        for kx in kxs.clone() {
            let w = &grid.weights[3 * ky + kx].0;
            for (t, sum) in sums.iter_mut().enumerate() {
                let column = (x + t) * stride + kx - grid.pad_x;
                let values = &input[(row + column) * n_groups + grid.group].0;
                for c in 0..LANES {
                    sum[c] += values[c] * w[c];
                }
            }
        }
    }
    sums
}

per_path! {
    /// 3 x 3 over each channel by itself. Taps outside are skipped; inside, 4 neighbours share the loads of their weights.
    fn depthwise(layer: &Layer, input: &[Lanes], output: &mut [Lanes]) {
        const T: usize = 4;
        let (shape, out, stride) = (layer.input, layer.output, layer.stride);
        let pad_y = pad_before(shape.height, out.height, stride);
        let pad_x = pad_before(shape.width, out.width, stride);
        for group in 0..out.n_groups() {
            let weights = &layer.weights[group * N_TAPS..][..N_TAPS];
            let grid = Grid { layer, pad_y, pad_x, group, weights };
            for y in 0..out.height {
                let kys = taps_at(y, stride, pad_y, shape.height);
                let row = &mut output[y * out.width * out.n_groups()..];
                let mut x = 0;
                while x < out.width {
                    let last = (x + T - 1) * stride + 3;
                    if x * stride >= pad_x && last <= shape.width + pad_x {
                        let sums = depthwise_tile::<T>(&grid, input, (y, x), kys.clone(), 0..3);
                        for (t, sum) in sums.iter().enumerate() {
                            row[(x + t) * out.n_groups() + group].0 = sum.map(rectified);
                        }
                        x += T;
                    } else {
                        let kxs = taps_at(x, stride, pad_x, shape.width);
                        let sums = depthwise_tile::<1>(&grid, input, (y, x), kys.clone(), kxs);
                        row[x * out.n_groups() + group].0 = sums[0].map(rectified);
                        x += 1;
                    }
                }
            }
        }
    }
}

per_path! {
    /// Mean, then maximum, over the positions of each channel.
    fn pool(input: &[Lanes], pooled: &mut [Lanes]) {
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
