//! Sealing: what a window, a candidate's scores and a second of sound cost on their way between two processes.
//!
//! `cargo bench -p dsp-core --bench seal`. Times are the least of many calls: what the core can do when nothing disturbs it.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // a bench reads the clock
#![allow(clippy::disallowed_macros)] // and prints
#![allow(clippy::unwrap_used)] // and may stop

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use dsp_core::analysis::{Classify, Describe, Description, FeatureWindow, Model, Trigger};
use dsp_core::open::policy::SPEECH_BAND_HZ;
use dsp_core::seal::{BlockFormat, KEY_BYTES, KeyRing, Mark};
use dsp_core::sound::AudioBlock;
use zeroize::Zeroizing;

const RATE: u32 = 16_000;

/// Least microseconds of one call.
fn least_us<T>(mut call: impl FnMut() -> T) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..2_000 {
        let start = Instant::now();
        black_box(call());
        least = least.min(start.elapsed().as_secs_f64());
    }
    1e6 * least
}

/// Noise in steps of 16 bits.
fn noise(n_seconds: u32) -> AudioBlock {
    let sample = |i: u32| f32::from((i.wrapping_mul(2_654_435_761) >> 17) as i16) / 32_768.0;
    AudioBlock::new(1, RATE, 0, (0..n_seconds * RATE).map(sample).collect()).unwrap()
}

fn window() -> FeatureWindow {
    let mut describe = Describe::new(1, RATE, 0).unwrap();
    let mut trigger = Trigger::new(1, f64::INFINITY, None).unwrap();
    let mut description = Description::default();
    describe.push_into(&noise(2), &mut description).unwrap();
    trigger.push(&description).remove(0)
}

fn main() {
    let keys = KeyRing::new(vec![Zeroizing::new([7; KEY_BYTES])]).unwrap();
    let report = |what: &str, sealed: &[u8], seal_us: f64, open_us: f64| {
        let sum_us = seal_us + open_us;
        let n = sealed.len();
        println!(
            "{what}: {n} bytes, seal {seal_us:.1} us, open {open_us:.1} us, both {sum_us:.1} us"
        );
    };

    let window = window();
    let sealed = keys.seal_window(&window, None).unwrap();
    let seal_us = least_us(|| keys.seal_window(&window, None));
    let open_us = least_us(|| keys.open_window(1, &sealed, 0).map(drop));
    report("window", &sealed, seal_us, open_us);

    let mut classify = Classify::new(Arc::new(Model::street().unwrap()), SPEECH_BAND_HZ).unwrap();
    let candidate = classify.push(keys.open_window(1, &sealed, 0).unwrap());
    let sealed = keys.seal_candidate(&candidate).unwrap();
    let seal_us = least_us(|| keys.seal_candidate(&candidate));
    let open_us = least_us(|| {
        keys.open_candidate(1, &sealed, &mut Mark::default())
            .map(drop)
    });
    report("candidate", &sealed, seal_us, open_us);

    let block = noise(1);
    for &format in BlockFormat::ALL {
        let sealed = keys.seal_block(&block, format, 0, 0).unwrap();
        let seal_us = least_us(|| keys.seal_block(&block, format, 0, 0));
        let open_us = least_us(|| keys.reopen_block(1, &sealed).map(drop));
        let what = format!("a second of sound at {RATE} Hz, {}", format.name());
        report(&what, &sealed, seal_us, open_us);
    }
}
