//! The classifier's layers: convolutions over a 96 x 64 picture in integers, int8 weights on 16-bit activations.
//!
//! Sums are of 32 bits and cannot overflow (`model/stored.rs` sees to that), so their order does not matter and every path
//! and CPU gives the same bytes. Between two layers a sum is scaled, biased, rectified and rounded in f32, unfused, lane by
//! lane. Activations lie in words of two, 16 lanes a group: what goes into a depthwise layer or the pooling holds two rows in
//! a word, what goes into a pointwise one two channels that are 16 apart. Rows come in pairs throughout: positions are
//! counted pair by pair, column by column, upper before lower.

use zeroize::{DefaultIsZeroes, Zeroizing};

use super::kernel::{dense, depthwise, logits_of, pool, rounded};
use super::window::{N_BANDS, WINDOW_FRAMES};
use crate::simd::dot::word;

/// Channels of one group.
pub(crate) const LANES: usize = 16;
/// Weights of one output of a 3 x 3 convolution.
pub(crate) const N_TAPS: usize = 9;
/// Words of the first convolution's patch: three times two neighbours, and twice what is right of them.
pub(super) const N_PATCH_WORDS: usize = 5;
/// Words of a depthwise layer's weights: for an even and an odd first row, two pairs of rows, three columns.
pub(super) const N_DEPTHWISE_WORDS: usize = 12;

/// 16 words of two 16-bit numbers, on a cache line: one load on the widest path.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [i32; LANES]);

impl Lanes {
    pub(super) const ZERO: Self = Self([0; LANES]);
}

impl DefaultIsZeroes for Lanes {}

/// A number for each of 16 channels.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub(crate) struct PerChannel(pub(crate) [f32; LANES]);

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

    pub(crate) fn n_groups(self) -> usize {
        self.n_channels.div_ceil(LANES)
    }

    /// Groups of words that hold two channels each.
    pub(crate) fn n_pairs_of_groups(self) -> usize {
        self.n_groups().div_ceil(2)
    }

    /// Number of a position, pair of rows by pair of rows.
    pub(crate) fn position(self, y: usize, x: usize) -> usize {
        2 * (y / 2 * self.width + x) + y % 2
    }

    /// `Lanes` that hold it with two rows in a word.
    fn n_lanes_of_rows(self) -> usize {
        self.n_positions() / 2 * self.n_groups()
    }

    /// `Lanes` that hold it with two channels in a word.
    fn n_lanes_of_channels(self) -> usize {
        self.n_positions() * self.n_pairs_of_groups()
    }
}

/// What a layer computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 3 x 3 over the one channel of the input, every second row and column.
    Conv,
    /// 3 x 3, each channel by itself.
    Depthwise,
    /// 1 x 1 over all channels.
    Pointwise,
    /// Mean and maximum over all positions, then a linear map to logits.
    Head,
}

/// One layer: its shapes, its weights as `(group of outputs, word, lane)`, and what makes its sums the next one's input.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) kind: Kind,
    pub(crate) stride: usize,
    pub(crate) input: Shape,
    pub(crate) output: Shape,
    pub(crate) weights: Vec<Lanes>,
    /// Steps of the output that one of a sum stands for.
    pub(crate) factors: Vec<PerChannel>,
    /// In steps of the output.
    pub(crate) biases: Vec<PerChannel>,
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
    pub(crate) fn n_op(&self) -> usize {
        let n_in = match self.kind {
            Kind::Head => 2 * self.input.n_channels,
            _ => self.input.n_channels,
        };
        2 * Self::n_terms(self.kind, n_in) * self.output.n_positions() * self.output.n_channels
    }

    /// `Lanes` of one position of a dense layer's input.
    #[inline(always)]
    pub(super) fn n_input_lanes(&self) -> usize {
        self.input.n_pairs_of_groups()
    }

    /// The weights of one group of outputs.
    #[inline(always)]
    pub(super) fn panel(&self, group: usize) -> &[Lanes] {
        let n_words = self.weights.len() / self.output.n_groups();
        &self.weights[group * n_words..][..n_words]
    }

    fn n_output_lanes(&self) -> usize {
        match self.kind {
            Kind::Conv | Kind::Pointwise => self.output.n_lanes_of_rows(),
            Kind::Depthwise => self.output.n_lanes_of_channels(),
            Kind::Head => 0,
        }
    }

    fn run(&self, input: &[Lanes], output: &mut [Lanes]) {
        let output = &mut output[..self.n_output_lanes()];
        match self.kind {
            Kind::Conv | Kind::Pointwise => dense(self, input, output),
            Kind::Depthwise => depthwise(self, &input[..self.input.n_lanes_of_rows()], output),
            Kind::Head => {}
        }
    }
}

/// Rows or columns of zeros before the first one: sizes that are halved are even, and TensorFlow's SAME puts the odd one of
/// two after the last.
#[inline(always)]
pub(super) fn pad_before(stride: usize) -> usize {
    2 - stride
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
    picture: Zeroizing<Vec<Lanes>>,
}

impl Scratch {
    fn buffers(&mut self) -> [&mut Vec<Lanes>; 4] {
        let Self {
            even,
            odd,
            pooled,
            picture,
        } = self;
        [even, odd, pooled, picture]
    }

    /// Overwrites everything: a bulk fill, which the barrier keeps from being optimised away (element-wise volatile writes
    /// take several times as long).
    pub(crate) fn wipe(&mut self) {
        for buffer in self.buffers() {
            buffer.fill(Lanes::default());
            zeroize::optimization_barrier(buffer.as_slice());
        }
    }

    #[cfg(test)]
    pub(crate) fn is_wiped(&mut self) -> bool {
        self.buffers()
            .iter()
            .all(|buffer| buffer.iter().all(|lanes| *lanes == Lanes::default()))
    }
}

/// The layers in order: a convolution, depthwise and pointwise ones in turn, the head.
#[derive(Debug)]
pub(crate) struct Network {
    /// Step of the bands.
    pub(crate) step: f32,
    pub(crate) layers: Vec<Layer>,
}

impl Network {
    /// Buffers of the size that this network needs.
    pub(crate) fn scratch(&self) -> Scratch {
        let largest = |parity: usize| {
            let own = self.layers.iter().skip(parity).step_by(2);
            own.map(Layer::n_output_lanes).max().unwrap_or(0)
        };
        let n_patches = self.layers.first().map_or(0, |l| l.output.n_positions());
        let n_pooled = self.layers.last().map_or(0, |l| l.input.n_groups());
        let buffer = |n_lanes| Zeroizing::new(vec![Lanes::default(); n_lanes]);
        Scratch {
            even: buffer(largest(0)),
            odd: buffer(largest(1).max(n_patches)),
            pooled: buffer(n_pooled),
            picture: buffer(WINDOW_FRAMES * N_BANDS / (2 * LANES)),
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
            let see = |(at, &band)| if masked[at % N_BANDS] { fill } else { band };
            draw(
                bands.iter().enumerate().map(see),
                self.step,
                &mut scratch.picture,
            );
            patches(first, &scratch.picture, &mut scratch.odd);
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
        pool(&input[..head.input.n_lanes_of_rows()], &mut scratch.pooled);
        let mut logits = [0.0; LANES];
        logits_of(head, &scratch.pooled, &mut logits);
        logits
    }
}

/// The bands as integers, two neighbours in a word.
fn draw(bands: impl Iterator<Item = f32>, step: f32, picture: &mut [Lanes]) {
    let mut bands = bands.map(|band| rounded(band / step));
    for value in picture.iter_mut().flat_map(|lanes| &mut lanes.0) {
        *value = match (bands.next(), bands.next()) {
            (Some(low), Some(high)) => word(low, high),
            _ => 0,
        };
    }
}

/// Lays the 9 inputs of every output position side by side as words, so that the first convolution is a `dense`.
fn patches(layer: &Layer, picture: &[Lanes], out: &mut [Lanes]) {
    let Shape { height, width, .. } = layer.input;
    let n_lanes = width / (2 * LANES);
    for (y, x) in (0..height)
        .step_by(2)
        .flat_map(|y| (0..width / 2).map(move |x| (y, x)))
    {
        let words = |row: usize, column: usize| match y + row < height && x + column < width / 2 {
            true => picture[(y + row) * n_lanes + (x + column) / LANES].0[(x + column) % LANES],
            false => 0,
        };
        let patch = &mut out[layer.output.position(y / 2, x)].0;
        *patch = [0; LANES];
        for row in 0..3 {
            patch[row] = words(row, 0);
        }
        patch[3] = word(words(0, 1), words(1, 1));
        patch[4] = word(words(2, 1), 0);
    }
}

#[cfg(test)]
mod tests;
