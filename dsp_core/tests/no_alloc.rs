//! After warm-up `describe` allocates nothing.
#![allow(unsafe_code)] // A counting allocator is one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dsp_core::analysis::{Describe, Description};
use dsp_core::sound::AudioBlock;

struct Counting;

thread_local! {
    static N_ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    N_ALLOCATIONS.with(|n| n.set(n.get() + 1));
}

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller's.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
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
