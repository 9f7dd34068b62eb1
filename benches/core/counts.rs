//! Work of fixed size, for counting instructions: under callgrind, `./run counts` sums up those of our own functions below
//! `counted`. With `wide` it times the widest path against AVX2 instead.
//!
//! `counts pieces` lists them, `counts PATH PIECE` does one of them once, on that path.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // `wide` reads the clock
#![allow(clippy::disallowed_macros)] // it prints
#![allow(clippy::unwrap_used)] // it may stop

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use dsp_core::analysis::{
    AnomalyScorer, Classify, Describe, Description, FeatureWindow, Model, Trigger,
};
use dsp_core::open::policy::SPEECH_BAND_HZ;
use dsp_core::seal::{KEY_BYTES, KeyRing};
use dsp_core::simd::{Path, force_path, limit_path, widest_path};
use dsp_core::sound::AudioBlock;
use dsp_core::sound::mel::{LogMel, LogMelSettings};
use dsp_core::sound::resample::{n_resampled, resample_into};
use dsp_core::sound::weighting::{Weighting, WeightingKind};
use zeroize::Zeroizing;

const RATE: u32 = 16_000;
const LONG: LogMelSettings = LogMelSettings {
    n_fft: 1_024,
    win_length: 1_024,
    hop: 512,
    ..LogMelSettings::STREET
};

/// Below this function callgrind counts.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
    black_box(());
}

/// Does it once before, so that tables are made and memory is there.
fn count(mut work: impl FnMut()) {
    work();
    counted(&mut work);
}

fn noise(sample_rate: u32, n_seconds: u32) -> Vec<f32> {
    let sample = |i: u32| f32::from((i.wrapping_mul(2_654_435_761) >> 17) as i16) / 32_768.0;
    (0..n_seconds * sample_rate).map(sample).collect()
}

fn blocks(sample_rate: u32, n_seconds: u32) -> Vec<AudioBlock> {
    let (samples, n) = (noise(sample_rate, n_seconds), sample_rate as usize / 10);
    let block = |(i, block): (usize, &[f32])| {
        AudioBlock::new(1, sample_rate, (i * n) as u64, block.to_vec()).unwrap()
    };
    samples.chunks_exact(n).enumerate().map(block).collect()
}

fn log_mel(settings: LogMelSettings) -> impl FnMut() {
    let samples = noise(RATE, 1);
    let tables = LogMel::new(settings).unwrap();
    let mut out = vec![0.0; tables.n_frames(samples.len()) * 64];
    move || {
        tables.log_mel_into(black_box(&samples), &mut out).unwrap();
        black_box(&out);
    }
}

/// Blocks of 100 ms: a second of them each time.
fn describe(sample_rate: u32) -> impl FnMut() {
    let mut stage = Describe::new(1, sample_rate, 0).unwrap();
    let mut blocks = blocks(sample_rate, 2).into_iter();
    let mut out = Description::default();
    move || {
        for block in blocks.by_ref().take(10) {
            stage.push_into(&block, &mut out).unwrap();
            black_box(out.n_frames());
        }
    }
}

fn score() -> impl FnMut() {
    let frames = LogMel::new(LogMelSettings::STREET)
        .unwrap()
        .log_mel(&noise(RATE, 20));
    let mut scorer = AnomalyScorer::new(100.0).unwrap();
    move || drop(black_box(scorer.push(&frames)))
}

fn resample(sample_rate: u32) -> impl FnMut() {
    let samples = noise(sample_rate, 1);
    let mut out = vec![0.0; n_resampled(samples.len(), sample_rate, RATE)];
    move || {
        resample_into(black_box(&samples), sample_rate, RATE, &mut out).unwrap();
        black_box(&out);
    }
}

fn weigh(sample_rate: u32) -> impl FnMut() {
    let samples = noise(sample_rate, 1);
    let weighting = Weighting::new(WeightingKind::A, sample_rate);
    let mut out = vec![0.0; samples.len()];
    move || {
        weighting.weight_into(black_box(&samples), &mut out);
        black_box(&out);
    }
}

fn window() -> FeatureWindow {
    let mut describe = Describe::new(1, RATE, 0).unwrap();
    let mut trigger = Trigger::new(1, f64::INFINITY, None).unwrap();
    let mut description = Description::default();
    let block = AudioBlock::new(1, RATE, 0, noise(RATE, 2)).unwrap();
    describe.push_into(&block, &mut description).unwrap();
    trigger.push(&description).remove(0)
}

fn keys() -> KeyRing {
    KeyRing::new(vec![Zeroizing::new([7; KEY_BYTES])]).unwrap()
}

fn seal() -> impl FnMut() {
    let (keys, window) = (keys(), window());
    move || drop(black_box(keys.seal_window(&window, None)))
}

fn open() -> impl FnMut() {
    let keys = keys();
    let sealed = keys.seal_window(&window(), None).unwrap();
    move || drop(black_box(keys.open_window(1, &sealed, 0)))
}

fn classify() -> impl FnMut() {
    let mut classify = Classify::new(Arc::new(Model::street().unwrap()), SPEECH_BAND_HZ).unwrap();
    let mut windows = vec![window(), window()];
    move || drop(black_box(windows.pop().map(|window| classify.push(window))))
}

const PIECES: [(&str, fn()); 12] = [
    ("log-mel 400/160", || count(log_mel(LogMelSettings::STREET))),
    ("log-mel 1024/512", || count(log_mel(LONG))),
    ("describe, 16 kHz", || count(describe(16_000))),
    ("describe, 48 kHz", || count(describe(48_000))),
    ("anomaly score", || count(score())),
    ("resample, 48 to 16 kHz", || count(resample(48_000))),
    ("resample, 44.1 to 16 kHz", || count(resample(44_100))),
    ("A weighting, 16 kHz", || count(weigh(16_000))),
    ("A weighting, 48 kHz", || count(weigh(48_000))),
    ("classify a window", || count(classify())),
    ("seal a window", || count(seal())),
    ("open a window", || count(open())),
];

/// How many times as fast the widest path is as AVX2: least of many short spans that take turns.
fn wide() {
    if widest_path() != Path::Avx512 {
        println!("absent");
        return;
    }
    for (name, settings) in [
        ("log-mel 400/160", LogMelSettings::STREET),
        ("log-mel 1024/512", LONG),
    ] {
        let mut work = log_mel(settings);
        let mut least = [f64::INFINITY; 2];
        for _ in 0..500 {
            for (least, path) in least.iter_mut().zip([Path::Avx2, Path::Avx512]) {
                limit_path(path);
                let start = Instant::now();
                work();
                *least = least.min(start.elapsed().as_secs_f64());
            }
        }
        println!("{:.3} {name}", least[0] / least[1]);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["wide"] => wide(),
        ["pieces"] => PIECES.iter().for_each(|(name, _)| println!("{name}")),
        [path, piece] => {
            force_path(path).unwrap();
            let piece = PIECES.iter().find(|(name, _)| *name == piece);
            piece.unwrap().1();
        }
        _ => println!("counts: instructions are counted by ./run counts"),
    }
}
