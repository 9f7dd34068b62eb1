//! For tests and benches: windows and models made from a seed, and single layers. Takes no sound and returns no score.

use std::hint::black_box;
use std::sync::Arc;

use super::classify::{Classify, NO_OUTPUT};
use super::model::Model;
use super::network::Scratch;
use super::window::{BAND_STEPS, FeatureWindow, N_BANDS, WINDOW_FRAMES};
use crate::simd::dot::Register;
use crate::simd::per_path;

/// Bytes and fractions of a linear congruential generator: the same on every machine, and in `tests/golden`.
struct Seeded(u32);

impl Seeded {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0
    }

    fn byte(&mut self) -> i8 {
        (self.next() >> 24) as u8 as i8
    }

    fn fraction(&mut self) -> f32 {
        (self.next() >> 8) as f32 / 16_777_216.0
    }
}

/// A procedural window: a burst with a falling spectrum and a decay, over noise; another for each seed.
pub fn window(seed: u32) -> FeatureWindow {
    FeatureWindow::new(0, u64::from(seed), 0, -30.0, bands(seed))
}

/// (96, 64), the bands of `window`.
pub(crate) fn bands(seed: u32) -> Vec<f32> {
    let mut random = Seeded(seed.wrapping_mul(2_654_435_761).wrapping_add(1));
    let mut bands = Vec::with_capacity(WINDOW_FRAMES * N_BANDS);
    for frame in 0..WINDOW_FRAMES {
        let age = (frame + WINDOW_FRAMES - 20 - seed as usize % 40) % WINDOW_FRAMES;
        for band in 0..N_BANDS {
            let burst = 6.0 - 0.08 * age as f32 - 0.04 * band as f32;
            bands.push(-6.5 + 1.5 * random.fraction() + burst.max(0.0));
        }
    }
    bands
}

/// A weights file with weights from a seed: a convolution to `n_first` channels, then depthwise (stride) and pointwise
/// (channels) pairs, then the head for the classes with these codes and this threshold.
pub fn model_bytes(
    seed: u32,
    n_first: u16,
    pairs: &[(u8, u16)],
    codes: &[u8],
    threshold: f32,
) -> Vec<u8> {
    let mut layers = vec![(0, 2, 1, n_first)];
    let mut n_channels = n_first;
    for &(stride, n_out) in pairs {
        layers.push((1, stride, n_channels, n_channels));
        layers.push((2, 1, n_channels, n_out));
        n_channels = n_out;
    }
    layers.push((3, 1, 2 * n_channels, codes.len() as u16));
    let mut file = b"SRDNNET2".to_vec();
    file.extend((layers.len() as u32).to_le_bytes());
    let mut random = Seeded(seed);
    for layer in layers {
        push_layer(&mut file, layer, &mut random);
    }
    file.push(codes.len() as u8);
    for &code in codes {
        file.extend([code, code % 2]);
        for value in [threshold, threshold, 0.5] {
            file.extend(value.to_le_bytes());
        }
    }
    file
}

/// Steps of one unit of activation behind the first layer: those of street are up to half as fine.
const ACTIVATION_STEPS: f32 = 256.0;

/// Scales are powers of 2 that keep activations in range: one over the spread of the sum, roughly.
fn push_layer(file: &mut Vec<u8>, layer: (u8, u8, u16, u16), random: &mut Seeded) {
    let (kind, stride, n_in, n_out) = layer;
    let n_terms = if kind < 2 { 9 } else { n_in };
    file.extend([kind, stride]);
    file.extend(n_in.to_le_bytes());
    file.extend(n_out.to_le_bytes());
    let step = if kind == 0 {
        BAND_STEPS
    } else {
        ACTIVATION_STEPS
    };
    file.extend((1.0 / step).to_le_bytes());
    for _ in 0..u32::from(n_terms) * u32::from(n_out) {
        file.push(random.byte() as u8);
    }
    for _ in 0..n_out {
        let scale = 1.0 / (1u32 << (6 + n_terms.ilog2() / 2)) as f32;
        file.extend(scale.to_le_bytes());
    }
    for _ in 0..n_out {
        file.extend((f32::from(random.byte()) / 64.0).to_le_bytes());
    }
}

/// Where the steps of a file's layers stand.
#[cfg(test)]
pub(crate) fn step_places(file: &[u8]) -> Vec<usize> {
    let size = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
    let mut start = 12;
    let places = (0..file[8]).map(|_| {
        let n_terms = if file[start] < 2 { 9 } else { size(start + 2) };
        let step = start + 6;
        start = step + 4 + (n_terms + 8) * size(start + 4);
        step
    });
    places.collect()
}

/// The layers of a model, to be run one by one on whatever the buffers hold.
pub struct Layers {
    model: Arc<Model>,
    scratch: Scratch,
}

impl Layers {
    /// Runs one full pass over a procedural window, so that the buffers hold ordinary activations.
    pub fn new(model: Arc<Model>) -> Self {
        let mut scratch = model.network().scratch();
        let window = window(1);
        let _ = model
            .network()
            .forward(window.bands(), &[false; N_BANDS], 0.0, &mut scratch);
        Self { model, scratch }
    }

    /// Name, and multiplications and additions, of each layer.
    pub fn list(&self) -> Vec<(String, usize)> {
        let layers = self.model.network().layers.iter();
        let name = |l: &super::network::Layer| {
            let (i, o) = (l.input, l.output);
            let map = format!("{}x{}x{}", i.height, i.width, i.n_channels);
            format!("{:?}/{} {map} -> {}", l.kind, l.stride, o.n_channels)
        };
        layers.map(|l| (name(l), l.n_op())).collect()
    }

    /// Runs one layer.
    pub fn run(&mut self, index: usize) {
        let network = self.model.network();
        if index + 1 == network.layers.len() {
            let _ = black_box(network.head(&mut self.scratch));
        } else {
            network.run_layer(index, &mut self.scratch);
        }
    }

    /// Overwrites the buffers, as after each window.
    pub fn wipe(&mut self) {
        self.scratch.wipe();
    }
}

/// Whether this stage would look at a procedural window a second time: how many passes a bench measures.
pub fn is_masked_pass_needed(classify: &mut Classify) -> bool {
    let candidate = classify.push(window(1));
    candidate
        .masked_margin
        .iter()
        .any(|margin| *margin != NO_OUTPUT)
}

const PEAK_ROUNDS: usize = 20_000;

/// Multiplies and adds in as many sums as hide the latency of both, each by what it was, so that nothing leaves the loop.
#[inline(always)]
fn peak_of<R: Register, const N: usize>() {
    let x = R::splat(black_box(0x0001_0003));
    let mut sums = [R::splat(black_box(1)); N];
    for _ in 0..PEAK_ROUNDS {
        for sum in &mut sums {
            *sum = sum.add_dot(*sum, x);
        }
    }
    for sum in sums {
        let mut words = [0; 16];
        sum.store(&mut words, 0);
        black_box(&words);
    }
}

per_path! {
    /// Sums of products in registers of the path's width: what no kernel without wider instructions can exceed.
    pub fn peak<R>(n_op: &mut usize) {
        match R::N_SUMS {
            12 => peak_of::<R, 12>(),
            _ => peak_of::<R, 6>(),
        }
        // Two products in each lane, and two additions.
        *n_op = 4 * R::N * R::N_SUMS * PEAK_ROUNDS;
    }
}
