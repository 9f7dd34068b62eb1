//! Counts the allocations of the thread that asks, in the crate's own tests.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static N_ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: hands every call on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.set(N_ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promise, handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, handed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Allocations and reallocations of this thread during the call.
pub(crate) fn n_allocations(call: impl FnOnce()) -> u64 {
    let before = N_ALLOCATIONS.get();
    call();
    N_ALLOCATIONS.get() - before
}

#[test]
fn it_counts() {
    assert_eq!(
        n_allocations(|| drop(std::hint::black_box(vec![1u8; 100]))),
        1
    );
    assert_eq!(n_allocations(|| ()), 0);
}
