//! Run-time CPU dispatch for loops that the compiler vectorises by itself.
//!
//! One body is compiled for the baseline, for AVX2 and for AVX-512. None of them fuses or reorders an operation (Rust never
//! contracts `a * b + c`), so every path gives the same bytes; only the number of lanes differs.
#![allow(unsafe_code)]

use crate::error::ParameterError;

pub(crate) mod dot;
#[cfg(target_arch = "x86_64")]
mod transpose;

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

impl Path {
    const ALL: [Self; 3] = [Self::Baseline, Self::Avx2, Self::Avx512];

    /// Its name, as it is set by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    fn is_here(self) -> bool {
        match self {
            Self::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512bw")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
        }
    }
}

/// One limit for the process.
#[cfg(not(test))]
mod limit {
    use std::sync::atomic::{AtomicU8, Ordering};

    static LIMIT: AtomicU8 = AtomicU8::new(super::Path::Avx512 as u8);

    pub(super) fn set(path: super::Path) {
        LIMIT.store(path as u8, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(super) fn allows(path: super::Path) -> bool {
        path as u8 <= LIMIT.load(Ordering::Relaxed)
    }
}

/// One limit a thread: tests that compare paths run beside others that do, and must not change theirs.
#[cfg(test)]
mod limit {
    use std::cell::Cell;

    thread_local! {
        static LIMIT: Cell<super::Path> = const { Cell::new(super::Path::Avx512) };
    }

    pub(super) fn set(path: super::Path) {
        LIMIT.set(path);
    }

    pub(super) fn allows(path: super::Path) -> bool {
        path <= LIMIT.get()
    }
}

/// Uses no path wider than this one, in the whole process; for tests and benches that compare paths.
pub fn limit_path(path: Path) {
    limit::set(path);
}

/// Uses the path of this name and no other, in the whole process.
///
/// # Errors
/// `DSP_CORE_SIMD`, the setting that it is handed in by: a name of no path, or of one that this CPU does not have.
pub fn force_path(name: &str) -> Result<(), ParameterError> {
    let Some(path) = Path::ALL.into_iter().find(|path| path.name() == name) else {
        let names = Path::ALL.map(Path::name).join(", ");
        let expected = format!("one of {names}");
        return Err(ParameterError::new("DSP_CORE_SIMD", expected, name));
    };
    if !path.is_here() {
        let here = Path::ALL.into_iter().filter(|path| path.is_here());
        let names = here.map(Path::name).collect::<Vec<_>>().join(", ");
        let expected = format!("one that this CPU has ({names})");
        return Err(ParameterError::new("DSP_CORE_SIMD", expected, name));
    }
    limit_path(path);
    Ok(())
}

/// The widest path that this CPU has and the limit allows.
#[inline]
pub fn widest_path() -> Path {
    for path in [Path::Avx512, Path::Avx2] {
        if limit::allows(path) && path.is_here() {
            return path;
        }
    }
    Path::Baseline
}

/// Compiles a function's body once per path and calls the widest. Helpers of the body must be `#[inline(always)]`. With
/// `fn name<R>` the body is generic over the registers of its path.
macro_rules! per_path {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$reg:ident>($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(unsafe_code)]
        $vis fn $name($($arg: $ty),*) {
            #[inline(always)]
            fn body<$reg: $crate::simd::dot::Register>($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                use $crate::simd::dot::x86::{Sse2, Avx2, Avx512};
                #[target_feature(enable = "avx2")]
                fn avx2($($arg: $ty),*) { body::<Avx2>($($arg),*) }
                #[target_feature(enable = "avx512f,avx512vl,avx512bw")]
                fn avx512($($arg: $ty),*) { body::<Avx512>($($arg),*) }
                match $crate::simd::widest_path() {
                    // SAFETY: `widest_path` found these features on this CPU.
                    $crate::simd::Path::Avx512 => unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::simd::Path::Avx2 => unsafe { avx2($($arg),*) },
                    $crate::simd::Path::Baseline => body::<Sse2>($($arg),*),
                }
            }
            #[cfg(not(target_arch = "x86_64"))]
            body::<$crate::simd::dot::Plain>($($arg),*)
        }
    };
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
                #[target_feature(enable = "avx512f,avx512vl,avx512bw")]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_forced_by_its_name() {
        for path in Path::ALL.into_iter().filter(|path| path.is_here()) {
            force_path(path.name()).unwrap();
            assert_eq!(widest_path(), path);
        }
        for wrong in ["", "AVX2", "avx1024", "sse"] {
            let refusal = force_path(wrong).unwrap_err().to_string();
            let expected =
                format!("DSP_CORE_SIMD: expected one of baseline, avx2, avx512, got {wrong}");
            assert_eq!(refusal, expected);
        }
    }
}
