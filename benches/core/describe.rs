//! Speed of `describe` and of log-mel, as times real time on one core, per CPU path, against plain loops in the same run.
//!
//! `cargo bench -p dsp-core --bench describe`
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // A bench needs the clock.
#![allow(clippy::disallowed_macros)] // It prints.
#![allow(clippy::unwrap_used)] // It may stop.

use std::hint::black_box;
use std::time::Instant;

use dsp_core::analysis::{Describe, Description};
use dsp_core::simd::{Path, limit_path, widest_path};
use dsp_core::sound::AudioBlock;
use dsp_core::sound::mel::{LogMel, LogMelSettings};
use realfft::RealFftPlanner;

/// Seconds of stream in one measurement.
const STREAM_S: usize = 4;
/// Measurements, of which the median counts.
const N_RUNS: usize = 101;

fn noise(n: usize) -> Vec<f32> {
    let mut state = 1_u32;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state as f32 / 4_294_967_296.0 - 0.5) * 0.2
        })
        .collect()
}

/// Median seconds of `run`, and the fastest: on a shared machine the latter says more, as its spans are short.
fn time(mut run: impl FnMut()) -> (f64, f64) {
    let mut seconds: Vec<f64> = (0..N_RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    (seconds[N_RUNS / 2], seconds[0])
}

fn describe(sample_rate: u32, blocks_per_s: usize, samples: &[f32]) -> (f64, f64) {
    let n = sample_rate as usize / blocks_per_s;
    let mut stage = Describe::new(1, sample_rate, 0).unwrap();
    let mut out = Description::default();
    let mut start_sample = 0;
    // Blocks are made beforehand: their decoding is another stage.
    let mut all: Vec<Vec<AudioBlock>> = Vec::new();
    for _ in 0..N_RUNS {
        let mut blocks = Vec::new();
        for block in samples.chunks_exact(n) {
            blocks.push(AudioBlock::new(1, sample_rate, start_sample, block.to_vec()).unwrap());
            start_sample += n as u64;
        }
        all.push(blocks);
    }
    let mut runs = all.iter();
    time(|| {
        for block in runs.next().into_iter().flatten() {
            stage.push_into(block, &mut out).unwrap();
            black_box(out.n_frames());
        }
    })
}

/// What anyone would write first: one frame at a time, a real transform, loops over the bands.
fn plain_log_mel(samples: &[f32], bands: &[(usize, Vec<f32>)], out: &mut [f32]) {
    let fft = RealFftPlanner::<f32>::new().plan_fft_forward(512);
    let step = 2.0 * std::f32::consts::PI / 400.0;
    let window_fn: Vec<f32> = (0..400)
        .map(|n| 0.5 - 0.5 * (step * n as f32).cos())
        .collect();
    let (mut frame, mut bins) = (fft.make_input_vec(), fft.make_output_vec());
    let mut scratch = fft.make_scratch_vec();
    let mut magnitudes = vec![0.0; 257];
    for (f, out) in out.chunks_exact_mut(64).enumerate() {
        frame.fill(0.0);
        for n in 0..400 {
            frame[n] = samples[160 * f + n] * window_fn[n];
        }
        fft.process_with_scratch(&mut frame, &mut bins, &mut scratch)
            .unwrap();
        for (magnitude, bin) in magnitudes.iter_mut().zip(&bins) {
            *magnitude = bin.norm_sqr().sqrt();
        }
        for (value, (first, weights)) in out.iter_mut().zip(bands) {
            let bins = magnitudes[*first..].iter().zip(weights);
            let sum: f32 = bins.map(|(magnitude, weight)| magnitude * weight).sum();
            *value = (sum + 0.001).ln();
        }
    }
}

/// Triangles for the reference.
fn plain_bands() -> Vec<(usize, Vec<f32>)> {
    let mel = |hz: f32| 1127.0 * (1.0 + hz / 700.0).ln();
    let edge = |i: usize| mel(125.0) + (mel(7_500.0) - mel(125.0)) * i as f32 / 65.0;
    (0..64)
        .map(|b| {
            let weight = |k: usize| {
                let m = mel(k as f32 * 31.25);
                let rise = (m - edge(b)) / (edge(b + 1) - edge(b));
                rise.min((edge(b + 2) - m) / (edge(b + 2) - edge(b + 1)))
            };
            let first = (1..257).find(|&k| weight(k) > 0.0).unwrap();
            let weights = (first..257).map(weight).take_while(|&w| w > 0.0);
            (first, weights.collect())
        })
        .collect()
}

fn report(name: &str, seconds: (f64, f64)) {
    let speed = |s: f64| STREAM_S as f64 / s;
    let (median, best) = (speed(seconds.0), speed(seconds.1));
    println!("{name:52} {median:9.0} x real time (best {best:9.0})");
}

/// Whether the name holds the words of the command line.
fn is_wanted(name: &str) -> bool {
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    words.into_iter().all(|word| name.contains(&word))
}

fn log_mel(path: Path) {
    let samples = noise(16_000 * STREAM_S);
    let street = LogMel::new(LogMelSettings::STREET).unwrap();
    let mut out = vec![0.0; street.n_frames(samples.len()) * 64];
    let ours = time(|| street.log_mel_into(black_box(&samples), &mut out).unwrap());
    report(&format!("{path:?}: log-mel 400/160, 16 kHz"), ours);
    let bands = plain_bands();
    let plain = time(|| plain_log_mel(black_box(&samples), &bands, &mut out));
    report("plain loops around realfft", plain);
    println!("{:52} {:9.2} x the plain loops", "ratio", plain.1 / ours.1);
    let settings = LogMelSettings {
        n_fft: 1_024,
        win_length: 1_024,
        hop: 512,
        ..LogMelSettings::STREET
    };
    let long = LogMel::new(settings).unwrap();
    let mut out = vec![0.0; long.n_frames(samples.len()) * 64];
    let ours = time(|| long.log_mel_into(black_box(&samples), &mut out).unwrap());
    report(&format!("{path:?}: log-mel 1024/512, 16 kHz"), ours);
}

fn main() {
    let paths = [Path::Baseline, Path::Avx2, Path::Avx512];
    for path in paths {
        limit_path(path);
        if widest_path() != path {
            continue;
        }
        for sample_rate in [16_000, 44_100, 48_000] {
            let samples = noise(sample_rate as usize * STREAM_S);
            for blocks_per_s in [1, 10] {
                let name = format!("{path:?}: describe, {sample_rate} Hz, {blocks_per_s} blocks/s");
                if is_wanted(&name) {
                    report(&name, describe(sample_rate, blocks_per_s, &samples));
                }
            }
        }
        // A burst that rings out, then what would be subnormal arithmetic throughout.
        let mut faint = vec![1e-40; 16_000 * STREAM_S];
        faint[..8_000].copy_from_slice(&noise(8_000));
        let name = format!("{path:?}: describe, 16000 Hz, 1 blocks/s, subnormal");
        if is_wanted(&name) {
            report(&name, describe(16_000, 1, &faint));
        }
        if is_wanted("log-mel") {
            log_mel(path);
        }
    }
}
