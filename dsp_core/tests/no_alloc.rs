//! After warm-up `describe` allocates nothing, for one sensor or for many; and what a sensor holds is bounded.
#![allow(unsafe_code)] // A counting allocator is one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dsp_core::analysis::describe::{Job, Workspace, push_many_into};
use dsp_core::analysis::{Describe, Description, Trigger};
use dsp_core::sound::AudioBlock;

struct Counting;

thread_local! {
    static N_ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static N_BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count(n_bytes: usize) {
    N_ALLOCATIONS.with(|n| n.set(n.get() + 1));
    N_BYTES.with(|n| n.set(n.get() + n_bytes));
}

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as the caller's.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn describe_allocates_nothing_after_warm_up() {
    for sample_rate in [8_000, 16_000, 44_100, 44_101, 48_000] {
        let n = sample_rate as usize;
        let mut stage = Describe::new(1, sample_rate, 0).unwrap();
        let mut out = Description::default();
        let blocks: Vec<AudioBlock> = (0..20)
            .map(|second| {
                let samples = (0..n)
                    .map(|i| ((i * i) % 101) as f32 / 101.0 - 0.5)
                    .collect();
                AudioBlock::new(1, sample_rate, (second * n) as u64, samples).unwrap()
            })
            .collect();
        let mut n_frames = 0;
        for (second, block) in blocks.iter().enumerate() {
            let before = N_ALLOCATIONS.with(Cell::get);
            stage.push_into(block, &mut out).unwrap();
            let n_new = N_ALLOCATIONS.with(Cell::get) - before;
            n_frames += out.n_frames();
            assert!(
                second < 2 || n_new == 0,
                "{sample_rate} Hz, second {second}: {n_new}"
            );
        }
        let expected = if stage.hears_events() {
            1_996..=2_000
        } else {
            0..=0
        };
        assert!(expected.contains(&n_frames), "{n_frames}");
    }
}

#[allow(clippy::unwrap_used)] // A test may stop.
fn noise(sensor_id: u32, round: usize, n: usize) -> AudioBlock {
    let sample = |i: usize| ((i * i + sensor_id as usize) % 101) as f32 / 101.0 - 0.5;
    let samples = (0..n).map(sample).collect();
    AudioBlock::new(sensor_id, 16_000, (round * n) as u64, samples).unwrap()
}

#[test]
fn many_sensors_allocate_nothing_after_warm_up() {
    let new = |id| Describe::new(id, 16_000, 0).unwrap();
    let mut stages: Vec<Describe> = (0..20).map(new).collect();
    let mut outs: Vec<Description> = (0..20).map(|_| Description::default()).collect();
    let mut workspace = Workspace::new();
    let mut n_frames = 0;
    for round in 0..30 {
        let blocks: Vec<AudioBlock> = (0..20).map(|id| noise(id, round, 1_600)).collect();
        let all = stages.iter_mut().zip(&mut outs).zip(&blocks);
        let mut jobs: Vec<Job> = all
            .map(|((stage, out), block)| Job {
                stage,
                block,
                out,
                refusal: None,
            })
            .collect();
        let before = N_ALLOCATIONS.with(Cell::get);
        push_many_into(&mut jobs, &mut workspace);
        let n_new = N_ALLOCATIONS.with(Cell::get) - before;
        // The tenth block ends the first second.
        assert!(round < 10 || n_new == 0, "round {round}: {n_new}");
        n_frames += outs.iter().map(Description::n_frames).sum::<usize>();
    }
    assert_eq!(n_frames, 20 * 298);
}

/// Between two blocks, the ring of frames included; tables that all sensors share are not a sensor's.
#[test]
fn a_sensor_holds_32_kb_at_most() {
    let make = || {
        (
            Describe::new(1, 16_000, 0).unwrap(),
            Trigger::new(1, 100.0, None).unwrap(),
        )
    };
    let first = make();
    let before = N_BYTES.with(Cell::get);
    let second = make();
    let n_heap = N_BYTES.with(Cell::get) - before;
    let n_bytes = n_heap + size_of_val(&second);
    assert!((20_000..=32_000).contains(&n_bytes), "{n_bytes}");
    drop((first, second));
}
