//! No memory that goes back to the allocator still holds samples: not the blocks', not the stages', not the reader's.
#![cfg(feature = "std-io")]
#![allow(unsafe_code)] // An allocator that looks at what it is given back is one.
#![allow(clippy::unwrap_used)] // A test may stop.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Cursor;

use dsp_core::analysis::describe::{Job, Workspace, push_many_into};
use dsp_core::analysis::{Describe, Description, Trigger};
use dsp_core::seal::{BlockFormat, KEY_BYTES, KeyRing, Mark};
use dsp_core::sound::AudioBlock;
use dsp_core::sound::source::{Channel, PcmEncoding, PcmFormat, Source};
use zeroize::Zeroizing;

/// What every sample of the test is: a value that nothing else in the process has.
const SAMPLE: f32 = 0.123_456_79;
/// So many of them in one piece of memory are sound.
const N_SOUND: usize = 16;

struct Watching;

/// Two bands of silence as they are sealed: ln(0.001) in steps of 1/2048, twice.
const SILENT_BANDS: u32 = {
    let steps = (-14_147_i16) as u16 as u32;
    steps << 16 | steps
};

thread_local! {
    static N_UNWIPED: Cell<u64> = const { Cell::new(0) };
    /// The word that is looked for.
    static WORD: Cell<u32> = const { Cell::new(SAMPLE.to_bits()) };
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
        .filter(|&i| word(i) == WORD.with(Cell::get))
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

fn n_unwiped_of(word: u32, run: impl FnOnce()) -> u64 {
    WORD.with(|watched| watched.set(word));
    n_unwiped(run)
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

#[test]
fn many_sensors_leave_nothing_behind() {
    let new = |id| Describe::new(id, 16_000, 0).unwrap();
    let hear = |samples: Vec<f32>| {
        let mut stages = [1, 2, 3].map(new);
        let mut outs = [(); 3].map(|()| Description::default());
        let mut workspace = Workspace::new();
        let blocks = [1, 2, 3].map(|id| AudioBlock::new(id, 16_000, 0, samples.clone()).unwrap());
        let all = stages.iter_mut().zip(&mut outs).zip(&blocks);
        let mut jobs: Vec<Job> = all
            .map(|((stage, out), block)| Job {
                stage,
                block,
                out,
                refusal: None,
            })
            .collect();
        push_many_into(&mut jobs, &mut workspace);
        std::mem::forget(samples);
    };
    assert_eq!(n_unwiped(|| hear(vec![SAMPLE; 5_000])), 0);
}

/// A second through the seal and back, with every refusal on the way.
fn send(keys: &KeyRing, samples: &[f32]) {
    let block = AudioBlock::new(1, 16_000, 0, samples.to_vec()).unwrap();
    assert!(keys.seal_block(&block, BlockFormat::S16Le, 0, 0).is_err());
    let mut sealed = keys.seal_block(&block, BlockFormat::F32Le, 0, 0).unwrap();
    let mut mark = Mark::default();
    assert!(keys.open_block(1, &sealed, &mut mark, 0).is_ok());
    assert!(keys.open_block(1, &sealed, &mut mark, 0).is_err());
    let n = sealed.len();
    sealed[n - 1] ^= 1;
    assert!(keys.reopen_block(1, &sealed).is_err());
}

#[test]
fn sealing_and_opening_leave_nothing_behind() {
    let keys = KeyRing::new(vec![Zeroizing::new([7; KEY_BYTES])]).unwrap();
    let samples = vec![SAMPLE; 16_000];
    assert_eq!(n_unwiped(|| send(&keys, &samples)), 0);
    std::mem::forget(samples);
}

#[test]
fn what_a_window_holds_is_overwritten_on_both_sides_of_the_wire() {
    let keys = KeyRing::new(vec![Zeroizing::new([7; KEY_BYTES])]).unwrap();
    let mut describe = Describe::new(1, 16_000, 0).unwrap();
    let mut trigger = Trigger::new(1, f64::INFINITY, None).unwrap();
    let mut out = Description::default();
    let block = AudioBlock::new(1, 16_000, 0, vec![0.0; 32_000]).unwrap();
    describe.push_into(&block, &mut out).unwrap();
    // Of silence every band is the same step: two of them are a word that nothing else holds so often.
    let window = trigger.push(&out).remove(0);
    let n = n_unwiped_of(SILENT_BANDS, || {
        let sealed = keys.seal_window(&window, None).unwrap();
        drop(keys.open_window(1, &sealed, 0).unwrap());
    });
    assert_eq!(n, 0);
    let n = n_unwiped_of(SILENT_BANDS, || {
        drop(std::hint::black_box(vec![SILENT_BANDS; 100]))
    });
    assert_eq!(n, 1, "it would be seen");
}
