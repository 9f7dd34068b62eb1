//! Many sensors: what one call for all saves, what a sensor costs among 10 000, what the score costs, and what a sensor holds.
//!
//! `cargo bench -p dsp-core --bench many`. Times are the least of several rounds: what a core does when nothing disturbs it.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // A bench needs the clock.
#![allow(clippy::disallowed_macros)] // It prints.
#![allow(clippy::unwrap_used)] // It may stop.
#![allow(unsafe_code)] // An allocator that counts is one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use dsp_core::analysis::describe::{Job, Workspace, push_many_into};
use dsp_core::analysis::{AnomalyScorer, Describe, Description, Trigger};
use dsp_core::simd::{Path, limit_path, widest_path};
use dsp_core::sound::AudioBlock;
use dsp_core::sound::mel::{LogMel, LogMelSettings};

/// Counts the bytes that are held.
struct Counting;

static N_BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_BYTES.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        N_BYTES.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller's.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 31;

fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state as f32 / 4_294_967_296.0 - 0.5) * 0.2
        })
        .collect()
}

/// One sensor's stages before a gate.
struct Sensor {
    describe: Describe,
    trigger: Trigger,
    out: Description,
}

fn sensors(n: usize, sample_rate: u32) -> Vec<Sensor> {
    let one = |id| Sensor {
        describe: Describe::new(id, sample_rate, 0).unwrap(),
        trigger: Trigger::new(id, 100.0, None).unwrap(),
        out: Description::default(),
    };
    (0..n as u32).map(one).collect()
}

/// One block of each sensor.
fn blocks(n: usize, sample_rate: u32, round: usize, length: usize) -> Vec<AudioBlock> {
    let start = (round * length) as u64;
    let one = |id| AudioBlock::new(id, sample_rate, start, noise(length, id + 1)).unwrap();
    (0..n as u32).map(one).collect()
}

/// Describes and triggers a block of each sensor: one call for each, or one for eight.
fn tick(sensors: &mut [Sensor], blocks: &[AudioBlock], workspace: Option<&mut Workspace>) {
    if let Some(workspace) = workspace {
        for (sensors, blocks) in sensors.chunks_mut(8).zip(blocks.chunks(8)) {
            let pairs = sensors.iter_mut().zip(blocks);
            let mut jobs: Vec<Job> = pairs
                .map(|(sensor, block)| Job {
                    stage: &mut sensor.describe,
                    block,
                    out: &mut sensor.out,
                    refusal: None,
                })
                .collect();
            push_many_into(&mut jobs, workspace);
            for sensor in sensors {
                black_box(sensor.trigger.push(&sensor.out));
            }
        }
    } else {
        for (sensor, block) in sensors.iter_mut().zip(blocks) {
            sensor.describe.push_into(block, &mut sensor.out).unwrap();
            black_box(sensor.trigger.push(&sensor.out));
        }
    }
}

/// Least seconds of a tick of `n` sensors.
fn least_s(n: usize, sample_rate: u32, is_one_call: bool) -> f64 {
    let length = sample_rate as usize / 10;
    let mut all = sensors(n, sample_rate);
    let mut workspace = Workspace::new();
    let mut least = f64::INFINITY;
    for round in 0..ROUNDS {
        let blocks = blocks(n, sample_rate, round, length);
        let start = Instant::now();
        tick(&mut all, &blocks, is_one_call.then_some(&mut workspace));
        least = least.min(start.elapsed().as_secs_f64());
    }
    least
}

fn many(path: Path) {
    for sample_rate in [16_000, 48_000] {
        let one_by_one = least_s(50, sample_rate, false);
        let in_one_call = least_s(50, sample_rate, true);
        println!(
            "{path:?}: 50 sensors x 100 ms at {sample_rate} Hz: one by one {:.0} us, in one call {:.0} us, {:.2} x as fast",
            1e6 * one_by_one,
            1e6 * in_one_call,
            one_by_one / in_one_call
        );
    }
}

fn scale(path: Path) {
    let few = least_s(50, 16_000, true) / 50.0;
    let n = 10_000;
    let many = least_s(n, 16_000, true) / n as f64;
    println!(
        "{path:?}: a sensor's 100 ms: {:.2} us among 50, {:.2} us among {n}, {:.2} x",
        1e6 * few,
        1e6 * many,
        many / few
    );
}

/// What the score costs beside the front end, over the same frames.
fn score(path: Path) {
    let samples = noise(16_000 * 20, 1);
    let street = LogMel::new(LogMelSettings::STREET).unwrap();
    let mut frames = vec![0.0; street.n_frames(samples.len()) * 64];
    let least = |run: &mut dyn FnMut()| {
        let mut least = f64::INFINITY;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            run();
            least = least.min(start.elapsed().as_secs_f64());
        }
        least
    };
    let front = least(&mut || street.log_mel_into(&samples, &mut frames).unwrap());
    let mut scorer = AnomalyScorer::new(100.0).unwrap();
    let scored = least(&mut || drop(black_box(scorer.push(&frames))));
    let n_frames = (frames.len() / 64) as f64;
    println!(
        "{path:?}: score {:.1} M frames/s, front end {:.2} M frames/s: {:.1} % of it",
        1e-6 * n_frames / scored,
        1e-6 * n_frames / front,
        100.0 * scored / front
    );
}

fn state() {
    for sample_rate in [16_000, 48_000] {
        let held = sensors(1, sample_rate); // so that the tables that all share are there
        let before = N_BYTES.load(Ordering::Relaxed);
        let describe = Describe::new(1, sample_rate, 0).unwrap();
        let trigger = Trigger::new(1, 100.0, None).unwrap();
        let n_heap = N_BYTES.load(Ordering::Relaxed) - before;
        let n_own = size_of_val(&describe) + size_of_val(&trigger);
        println!(
            "a sensor at {sample_rate} Hz holds {} bytes between two blocks",
            n_heap + n_own
        );
        drop(held);
    }
}

fn main() {
    state();
    for path in [Path::Baseline, Path::Avx2, Path::Avx512] {
        limit_path(path);
        if widest_path() == path {
            many(path);
            scale(path);
            score(path);
        }
    }
}
