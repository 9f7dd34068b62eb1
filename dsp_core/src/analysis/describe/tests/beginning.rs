//! Streams that begin at another sample than 0.

use super::*;

/// A stream begins on a whole second, wherever its blocks begin; refilled it passes over the same.
#[test]
fn passes_over_what_lies_before_its_first_sample() {
    let (rate, samples) = (16_000, noise(40_000, 3));
    let new = || {
        Describe::new(SENSOR, rate, SLOT)
            .unwrap()
            .beginning_at(9_500)
    };
    let (mut out, mut expected) = (Description::default(), Heard::default());
    new()
        .push_into(&block(rate, 9_500, &samples[9_500..]), &mut out)
        .unwrap();
    expected.take(&out);
    let (mut describe, mut heard) = (new(), Heard::default());
    push_in_blocks(
        &mut describe,
        &samples[..32_000],
        0,
        &[4_000],
        &mut heard,
        &mut out,
    );
    let mut restored = restore(&describe);
    for at in (0..32_000).step_by(8_000) {
        let before = block(rate, at, &samples[at..at + 8_000]);
        restored.refill_into(&before, &mut out).unwrap();
    }
    push_in_blocks(
        &mut restored,
        &samples,
        32_000,
        &[8_000],
        &mut heard,
        &mut out,
    );
    assert_eq!(heard, expected);
    let before = block(rate, 0, &samples[..4_000]);
    assert_eq!(
        reason(restored.push_into(&before, &mut out)),
        Reason::OutOfOrder
    );
}
