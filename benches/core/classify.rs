//! The classifier: windows per second on every path, with one pass and with both, and GOP/s of each layer.
//!
//! `cargo bench -p dsp-core --features bench --bench classify`. Times are the least of several runs: what the core can do
//! when nothing disturbs it. The peak is measured in the same run, by the
//! same instructions on registers alone.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // a bench reads the clock
#![allow(clippy::disallowed_macros)] // and prints
#![allow(clippy::unwrap_used)] // and may stop

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use dsp_core::analysis::{Classify, Model, rehearsal};
use dsp_core::open::policy::SPEECH_BAND_HZ;
use dsp_core::simd::{self, Path};

/// Windows of one second of sound, if every one is classified.
const WINDOWS_PER_S: f64 = 100.0 / 48.0;

/// Least seconds of one call. Calls are timed one by one, so that some fall between the machine's other work.
fn least_s(n_calls: usize, mut call: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..n_calls {
        let start = Instant::now();
        call();
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

fn windows(path: Path, model: &Arc<Model>) {
    let mut classify = Classify::new(model.clone(), SPEECH_BAND_HZ).unwrap();
    let n_passes = 1 + u8::from(rehearsal::is_masked_pass_needed(&mut classify));
    let make_s = least_s(400, || drop(black_box(rehearsal::window(1))));
    let push_s = least_s(400, || drop(black_box(classify.push(rehearsal::window(1)))));
    let window_s = push_s - make_s;
    println!(
        "{path:?}: {n_passes} pass(es), {:.3} ms a window, {:.0} x real time, every window classified",
        1e3 * window_s,
        1.0 / (WINDOWS_PER_S * window_s)
    );
}

fn layers(path: Path, model: &Arc<Model>) {
    let mut layers = rehearsal::Layers::new(model.clone());
    let mut n_peak_op = 0;
    let peak_s = least_s(400, || rehearsal::peak(&mut n_peak_op));
    let peak = 1e-9 * n_peak_op as f64 / peak_s;
    let (mut total_s, mut total_op) = (0.0, 0);
    for (index, (name, n_op)) in layers.list().into_iter().enumerate() {
        let layer_s = least_s(400, || layers.run(index));
        let gop_s = 1e-9 * n_op as f64 / layer_s;
        println!(
            "  {name:36} {:7.1} us {gop_s:6.1} GOP/s {:4.0} %",
            1e6 * layer_s,
            100.0 * gop_s / peak
        );
        total_s += layer_s;
        total_op += n_op;
    }
    let wipe_s = least_s(400, || layers.wipe());
    let gop_s = 1e-9 * total_op as f64 / total_s;
    println!(
        "  {path:?}: all layers {:.3} ms, {gop_s:.1} GOP/s, {:.0} % of the peak {peak:.1}; wiping {:.1} us",
        1e3 * total_s,
        100.0 * gop_s / peak,
        1e6 * wipe_s
    );
}

fn main() {
    let model = Arc::new(Model::street().unwrap());
    for path in [Path::Baseline, Path::Avx2, Path::Avx512] {
        simd::limit_path(path);
        if simd::widest_path() == path {
            layers(path, &model);
            windows(path, &model);
        }
    }
}
