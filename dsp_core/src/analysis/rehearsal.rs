//! For the benches: windows made from a seed, and single layers. Takes no sound and returns no score.

use std::hint::black_box;
use std::sync::Arc;

use super::classify::{Classify, NO_OUTPUT};
use super::model::Model;
use super::network::Scratch;
use super::window::{FeatureWindow, N_BANDS, WINDOW_FRAMES};
use crate::simd::{self, Path, per_path};

/// A procedural window: a loud burst with a falling spectrum over noise; another for each seed.
pub fn window(seed: u32) -> FeatureWindow {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut bands = Vec::with_capacity(WINDOW_FRAMES * N_BANDS);
    for frame in 0..WINDOW_FRAMES {
        for band in 0..N_BANDS {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 8) as f32 / 16_777_216.0;
            let age = (frame + WINDOW_FRAMES - 20 - seed as usize % 40) % WINDOW_FRAMES;
            let burst = 6.0 - 0.08 * age as f32 - 0.04 * band as f32;
            bands.push(-6.5 + 1.5 * noise + burst.max(0.0));
        }
    }
    FeatureWindow::new(0, u64::from(seed), 0, -30.0, bands)
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
        layers.map(|l| (name(l), l.n_flop())).collect()
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

/// Sums of the peak: an addition's and a multiplication's latency are hidden, and 16 registers hold them.
const N_PEAK_SUMS: usize = 14;
const PEAK_ROUNDS: usize = 20_000;

/// `sum = sum * x + x`, unfused, on 14 vectors by name: see `network::tile`.
macro_rules! peak_of {
    ($n_lanes:literal, [$($sum:ident)+]) => {{
        let x = black_box([0.999f32; $n_lanes]);
        $(let mut $sum = black_box([1.0f32; $n_lanes]);)+
        for _ in 0..PEAK_ROUNDS {
            $(for c in 0..$n_lanes {
                $sum[c] = $sum[c] * x[c] + x[c];
            })+
        }
        $(black_box($sum);)+
    }};
}

per_path! {
    /// Unfused multiplications and additions in registers, on vectors of the path's width: what no kernel that keeps the
    /// order of its sums can exceed.
    pub fn peak() {
        match simd::widest_path() {
            Path::Avx512 => peak_of!(16, [a b c d e f g h i j k l m n]),
            Path::Avx2 => peak_of!(8, [a b c d e f g h i j k l m n]),
            Path::Baseline => peak_of!(4, [a b c d e f g h i j k l m n]),
        }
    }
}

/// Multiplications and additions of one `peak`.
pub fn n_peak_flop() -> usize {
    let n_lanes = match simd::widest_path() {
        Path::Avx512 => 16,
        Path::Avx2 => 8,
        Path::Baseline => 4,
    };
    2 * N_PEAK_SUMS * n_lanes * PEAK_ROUNDS
}
