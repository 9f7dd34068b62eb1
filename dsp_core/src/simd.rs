//! Run-time CPU dispatch for loops that the compiler vectorises by itself.
//!
//! One body is compiled for the baseline, for AVX2 and for AVX-512. None of them fuses or reorders an operation (Rust never
//! contracts `a * b + c`), so every path gives the same bytes; only the number of lanes differs.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU8, Ordering};

/// A set of instructions that a body is compiled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Path {
    /// What every CPU of the target has.
    Baseline = 0,
    /// 8 lanes.
    Avx2 = 1,
    /// 16 lanes.
    Avx512 = 2,
}

static LIMIT: AtomicU8 = AtomicU8::new(Path::Avx512 as u8);

/// Uses no path wider than this one, in the whole process; for tests and benches that compare paths.
pub fn limit_path(path: Path) {
    LIMIT.store(path as u8, Ordering::Relaxed);
}

/// The widest path that this CPU has and the limit allows.
pub fn widest_path() -> Path {
    let limit = LIMIT.load(Ordering::Relaxed);
    #[cfg(target_arch = "x86_64")]
    {
        if limit >= Path::Avx512 as u8
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
        {
            return Path::Avx512;
        }
        if limit >= Path::Avx2 as u8 && is_x86_feature_detected!("avx2") {
            return Path::Avx2;
        }
    }
    let _ = limit;
    Path::Baseline
}

/// Compiles a function's body once per path and calls the widest. Helpers of the body must be `#[inline(always)]`.
macro_rules! per_path {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code)]
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx512f,avx512vl")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                match $crate::simd::widest_path() {
                    // SAFETY: `widest_path` found these features on this CPU.
                    $crate::simd::Path::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Path::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::simd::Path::Baseline => {}
                }
            }
            body($($arg),*)
        }
    };
}
#[allow(unused_imports)]
pub(crate) use per_path;
