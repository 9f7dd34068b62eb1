//! No memory that goes back to the allocator still holds samples: not the blocks', not the stages', not the reader's.
#![cfg(feature = "std-io")]
#![allow(unsafe_code)] // An allocator that looks at what it is given back is one.
#![allow(clippy::unwrap_used)] // A test may stop.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Cursor;

use dsp_core::analysis::{Describe, Description};
use dsp_core::sound::source::{Channel, PcmEncoding, PcmFormat, Source};

/// What every sample of the test is: a value that nothing else in the process has.
const SAMPLE: f32 = 0.123_456_79;
/// So many of them in one piece of memory are sound.
const N_SOUND: usize = 16;

struct Watching;

thread_local! {
    static N_UNWIPED: Cell<u64> = const { Cell::new(0) };
}

/// Counts memory that is given back with sound in it.
fn look(memory: *const u8, layout: Layout) {
    if layout.align() < align_of::<u32>() && !memory.addr().is_multiple_of(align_of::<u32>()) {
        return;
    }
    let n_words = layout.size() / size_of::<u32>();
    // SAFETY: the memory is the caller's until it is freed after this call, aligned as checked, and all of it is
    // readable; volatile, as the compiler takes memory that is about to be freed for dead.
    let word = |i: usize| unsafe { memory.cast::<u32>().add(i).read_volatile() };
    let n_samples = (0..n_words)
        .filter(|&i| word(i) == SAMPLE.to_bits())
        .count();
    if n_samples >= N_SOUND {
        N_UNWIPED.with(|n| n.set(n.get() + 1));
    }
}

// SAFETY: every call goes on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller's. Zeroed, so that what is read before it was written is defined.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        look(memory, layout);
        // SAFETY: as the caller's.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        look(memory, layout);
        // SAFETY: as the caller's.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

fn n_unwiped(run: impl FnOnce()) -> u64 {
    let before = N_UNWIPED.with(Cell::get);
    run();
    N_UNWIPED.with(Cell::get) - before
}

/// Three seconds through reader, blocks and `describe`, all of them dropped at the end.
fn hear(bytes: &[u8], sample_rate: u32, max_samples: usize) {
    let format = PcmFormat {
        sample_rate,
        encoding: PcmEncoding::from_name("f32le").unwrap(),
        n_channels: 1,
    };
    // The bytes go in as a copy that is never given back: the recording is not ours to wipe.
    let recording: &'static [u8] = Box::leak(bytes.to_vec().into_boxed_slice());
    let mut source =
        Source::pcm(Box::new(Cursor::new(recording)), 1, format, Channel::FIRST).unwrap();
    let mut describe = Describe::new(1, sample_rate, 0).unwrap();
    let mut out = Description::default();
    while let Some(block) = source.next_block(max_samples).unwrap() {
        describe.push_into(&block, &mut out).unwrap();
    }
    describe.finish_into(&mut out);
}

#[test]
fn memory_with_sound_in_it_is_seen() {
    assert_eq!(
        n_unwiped(|| drop(std::hint::black_box(vec![SAMPLE; 1000]))),
        1
    );
}

#[test]
fn nothing_is_given_back_unwiped() {
    for sample_rate in [8_000, 16_000, 44_100] {
        let bytes = SAMPLE.to_le_bytes().repeat(3 * sample_rate as usize);
        for max_samples in [100, 8_000, 100_000] {
            let n = n_unwiped(|| hear(&bytes, sample_rate, max_samples));
            assert_eq!(n, 0, "{sample_rate} Hz, blocks of {max_samples}");
        }
        std::mem::forget(bytes);
    }
}
