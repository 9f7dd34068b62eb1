//! The classifier's layers: convolutions over a 96 x 64 picture in f32, every sum in one fixed order.
//!
//! Activations lie position by position, channels innermost, in groups of 16 lanes. Each output channel's sum starts with
//! its bias and adds `x * w` in ascending k, unfused; loops are laid side by side over channels and positions only. So
//! every path, tile and CPU gives the same bytes.

use zeroize::{DefaultIsZeroes, Zeroizing};

use super::kernel::{dense, depthwise, logits_of, pad_before, pool, taps_at};

/// Channels of one group.
pub(crate) const LANES: usize = 16;
/// Weights of one output of a 3 x 3 convolution.
pub(crate) const N_TAPS: usize = 9;

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

    pub(crate) fn n_groups(self) -> usize {
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

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::analysis::model::Model;
    use crate::analysis::reference::{logits_f32, logits_f64};
    use crate::analysis::rehearsal;
    use crate::analysis::window::N_BANDS;
    use crate::simd::{self, Path};

    /// The limit holds for the whole process: one test at a time may set it.
    static PATHS: Mutex<()> = Mutex::new(());

    /// Shapes that exercise every edge: odd sizes, leftover positions, stride 2 on odd sizes, half-used lanes in the head.
    const SHAPES: [(u16, &[(u8, u16)]); 5] = [
        (16, &[]),
        (32, &[(1, 16)]),
        (16, &[(2, 32), (1, 48), (2, 32)]),
        (48, &[(2, 16), (2, 16), (2, 32), (2, 16), (2, 64), (1, 16)]),
        (16, &[(2, 64), (2, 128), (1, 112)]),
    ];

    fn small_models() -> impl Iterator<Item = Vec<u8>> {
        let codes: [&[u8]; 5] = [&[7], &[1, 2, 3], &[1, 7, 8, 9, 12], &[0, 15], &[4; 1]];
        let all = SHAPES.into_iter().zip(codes).enumerate();
        all.map(|(i, ((n_first, pairs), codes))| {
            rehearsal::model_bytes(90 + i as u32, n_first, pairs, codes, 0.0)
        })
    }

    fn logits(model: &Model, bands: &[f32], scratch: &mut Scratch) -> Vec<f32> {
        let logits = model
            .network()
            .forward(bands, &[false; N_BANDS], 0.0, scratch);
        logits[..model.classes().len()].to_vec()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|v| v.to_bits()).collect()
    }

    #[test]
    fn every_path_gives_the_bits_of_the_reference() {
        let _guard = PATHS.lock().unwrap_or_else(PoisonError::into_inner);
        for (i, file) in small_models()
            .chain([crate::analysis::model::STREET.to_vec()])
            .enumerate()
        {
            let model = Model::from_bytes(&file).unwrap();
            let bands = rehearsal::bands(i as u32);
            let expected = bits(&logits_f32(&file, &bands));
            for path in [Path::Baseline, Path::Avx2, Path::Avx512] {
                simd::limit_path(path);
                let found = logits(&model, &bands, &mut model.network().scratch());
                assert_eq!(bits(&found), expected, "model {i}, {path:?}");
            }
        }
    }

    #[test]
    fn it_is_close_to_f64() {
        for (i, file) in small_models()
            .chain([crate::analysis::model::STREET.to_vec()])
            .enumerate()
        {
            let model = Model::from_bytes(&file).unwrap();
            let bands = rehearsal::bands(7);
            let found = logits(&model, &bands, &mut model.network().scratch());
            let expected = logits_f64(&file, &bands);
            let largest = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
            for (found, expected) in found.into_iter().zip(expected) {
                let error = (f64::from(found) - expected).abs() / largest;
                assert!(error < 2e-5, "model {i}: {found} for {expected}");
            }
        }
    }

    /// Logits of a model and a window from seeds, by another program: `tests/golden/make_classifier.py`.
    #[test]
    fn it_gives_the_golden_logits() {
        const GOLDEN: [u32; 5] = [
            0xc173_2823,
            0x3ffb_ba24,
            0x4080_91d1,
            0xc1a0_7ff5,
            0xc1bd_1f48,
        ];
        let (n_first, pairs) = SHAPES[2];
        let file = rehearsal::model_bytes(92, n_first, pairs, &[1, 7, 8, 9, 12], 0.0);
        let bands = rehearsal::bands(7);
        assert_eq!(bits(&logits_f32(&file, &bands)), GOLDEN);
        let model = Model::from_bytes(&file).unwrap();
        assert_eq!(
            bits(&logits(&model, &bands, &mut model.network().scratch())),
            GOLDEN
        );
    }

    #[test]
    fn what_the_buffers_held_does_not_matter() {
        let model = Model::street().unwrap();
        let mut scratch = model.network().scratch();
        let expected = bits(&logits(&model, &rehearsal::bands(3), &mut scratch));
        for buffer in [&mut scratch.even, &mut scratch.odd, &mut scratch.pooled] {
            buffer.fill(Lanes([f32::NAN; LANES]));
        }
        assert_eq!(
            bits(&logits(&model, &rehearsal::bands(3), &mut scratch)),
            expected
        );
    }

    #[test]
    fn street_is_of_the_size_that_the_figures_are_about() {
        let model = Model::street().unwrap();
        let n_flop: usize = model.network().layers.iter().map(Layer::n_flop).sum();
        assert!((15_000_000..100_000_000).contains(&n_flop), "{n_flop}");
    }
}
