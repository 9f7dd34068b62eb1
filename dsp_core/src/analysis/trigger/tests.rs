//! Laws of the trigger.

use proptest::prelude::*;

use super::*;
use crate::analysis::synthetic_street::{Draw, description};

type Cut = (u64, u64, u32, Vec<u32>);

fn cut(windows: Vec<FeatureWindow>) -> Vec<Cut> {
    let bits = |w: &FeatureWindow| w.bands().iter().map(|x| x.to_bits()).collect();
    let cut = |w: &FeatureWindow| (w.index(), w.slot(), w.level_dbfs().to_bits(), bits(w));
    windows.iter().map(cut).collect()
}

/// Noise with a bang every 9 s or so, and some digital silence.
fn sound(seed: u64, n_frames: usize) -> Vec<[f32; N_BANDS]> {
    let mut draw = Draw(seed);
    let frame = |f: usize| {
        let bang = if f % 937 > 900 { 4.0 } else { 0.0 };
        let is_silent = (1_400..1_520).contains(&(f % 2_000));
        let mut level = |_| {
            let noise = (0.5 * draw.normal()) as f32;
            if is_silent {
                -6.907_755_4
            } else {
                noise - 3.0 + bang
            }
        };
        std::array::from_fn(&mut level)
    };
    (0..n_frames).map(frame).collect()
}

fn whole(frames: &[[f32; N_BANDS]], dial: f64) -> (Vec<Cut>, u64, Vec<u8>) {
    let mut trigger = Trigger::new(7, dial, None).unwrap();
    let mut windows = cut(trigger.push(&description(0, frames)));
    windows.extend(cut(trigger.finish()));
    (windows, trigger.n_alarms(), saved(&trigger))
}

fn saved(trigger: &Trigger) -> Vec<u8> {
    let mut out = Writer::default();
    trigger.save(&mut out);
    out.into_bytes().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_gives_the_windows_of_the_whole(seed: u64, n in 1_usize..4_000, cuts in prop::collection::vec(1_usize..400, 1..30)) {
        let frames = sound(seed, n);
        let mut trigger = Trigger::new(7, 300.0, None).unwrap();
        let (mut windows, mut at) = (Vec::new(), 0);
        for &size in cuts.iter().cycle() {
            let end = (at + size).min(n);
            windows.extend(cut(trigger.push(&description(at as u64, &frames[at..end]))));
            at = end;
            if at == n { break; }
        }
        windows.extend(cut(trigger.finish()));
        prop_assert_eq!(whole(&frames, 300.0), (windows, trigger.n_alarms(), saved(&trigger)));
    }

    #[test]
    fn a_restored_trigger_goes_on_byte_for_byte(seed: u64, n in 300_usize..4_000, share in 0.0_f64..1.0) {
        let frames = sound(seed, n);
        let middle = (n as f64 * share) as usize;
        let mut first = Trigger::new(7, 300.0, None).unwrap();
        let mut windows = cut(first.push(&description(0, &frames[..middle])));
        let bytes = saved(&first);
        let mut reader = Reader::new(&bytes);
        let mut second = Trigger::load(&mut reader).unwrap();
        reader.finish().unwrap();
        let from = middle.saturating_sub(200);
        // In two parts.
        let half = (from + middle) / 2;
        second.refill(&description(from as u64, &frames[from..half]));
        second.refill(&description(half as u64, &frames[half..middle]));
        windows.extend(cut(second.push(&description(middle as u64, &frames[middle..]))));
        windows.extend(cut(second.finish()));
        prop_assert_eq!(whole(&frames, 300.0), (windows, second.n_alarms(), saved(&second)));
    }

    #[test]
    fn extreme_frames_leave_the_state_finite(values in prop::collection::vec(prop::num::f32::ANY, 64..128)) {
        let frame = |f: usize| std::array::from_fn(|b| values[(f * 31 + b) % values.len()]);
        let frames: Vec<[f32; N_BANDS]> = (0..900).map(frame).collect();
        let mut trigger = Trigger::new(7, 300.0, None).unwrap();
        trigger.push(&description(0, &frames));
        let bytes = saved(&trigger);
        prop_assert!(Trigger::load(&mut Reader::new(&bytes)).is_ok());
    }

    #[test]
    fn damaged_state_never_panics(at in 0_usize..7_000, flip in 1_u8.., cut_at in 0_usize..7_000) {
        let mut bytes = saved(&Trigger::new(7, 300.0, None).unwrap());
        let (at, cut_at) = (at % bytes.len(), cut_at % bytes.len());
        prop_assert!(Trigger::load(&mut Reader::new(&bytes[..cut_at])).is_err());
        bytes[at] ^= flip;
        if let Ok(mut trigger) = Trigger::load(&mut Reader::new(&bytes)) {
            trigger.push(&description(trigger.ring.end(), &sound(1, 300)));
        }
    }
}

#[test]
fn a_bang_goes_on_and_the_calm_around_it_does_not() {
    let mut frames = sound(3, 890);
    frames.extend(sound(4, 60).iter().map(|f| f.map(|x| x + 3.0)));
    frames.extend(sound(5, 450));
    let (windows, n_alarms, _) = whole(&frames, 300.0);
    let passed: Vec<u64> = windows.iter().map(|w| w.0).collect();
    // The first five touch the first 2 s; then those that touch frames 880 to 939 and the 2 s behind.
    assert_eq!(passed[..6], [0, 1, 2, 3, 4, 17]);
    assert!(
        *passed.last().unwrap() <= 24 && passed.contains(&19),
        "{passed:?}"
    );
    // Within 10 s of the stream's beginning: still that alarm.
    assert_eq!(n_alarms, 1);
}

#[test]
fn an_infinite_dial_passes_every_window_and_a_short_stream_gives_one() {
    let (windows, ..) = whole(&sound(3, 2_000), f64::INFINITY);
    let every: Vec<u64> = (0..=(2_000 - 96) / 48).collect();
    assert_eq!(windows.iter().map(|w| w.0).collect::<Vec<_>>(), every);
    assert_eq!(whole(&sound(3, 96), 24.0).0.len(), 1);
}

#[test]
fn a_stream_without_frames_gives_nothing() {
    let mut trigger = Trigger::new(7, 300.0, None).unwrap();
    assert!(trigger.push(&description(0, &[])).is_empty() && trigger.finish().is_empty());
    assert_eq!(trigger.n_alarms(), 0);
}

#[test]
fn no_window_reaches_over_a_gap_and_frames_heard_before_are_passed_over() {
    let frames = sound(3, 1_000);
    let mut trigger = Trigger::new(7, f64::INFINITY, None).unwrap();
    let mut windows = trigger.push(&description(0, &frames[..200]));
    windows.extend(trigger.push(&description(100, &frames[100..250])));
    windows.extend(trigger.push(&description(500, &frames[500..700])));
    windows.extend(trigger.finish());
    let passed: Vec<u64> = windows.iter().map(FeatureWindow::index).collect();
    assert_eq!(passed, [0, 1, 2, 3, 11, 12]);
}

#[test]
fn a_window_goes_on_at_most_19_frames_after_its_last_one() {
    let mut trigger = Trigger::new(7, f64::INFINITY, None).unwrap();
    for (f, frame) in sound(3, 2_000).iter().enumerate() {
        for window in trigger.push(&description(f as u64, &[*frame])) {
            assert!((f as u64) - (window.index() * 48 + 95) <= 19);
        }
    }
}

#[test]
fn a_dial_that_is_no_rate_is_refused() {
    for dial in [0.0, -1.0, f64::NAN] {
        assert!(Trigger::new(7, dial, None).is_err());
    }
}

#[test]
fn the_state_of_a_sensor_is_small() {
    let bytes = saved(&Trigger::new(7, 300.0, None).unwrap());
    assert!(bytes.len() <= 8_192, "{} bytes", bytes.len());
}

/// Indices of the windows that went on, and of the lulls after them, in the order in which they are sent.
fn sent(frames: &[[f32; N_BANDS]], cuts: &[usize]) -> Vec<(u64, u64, bool)> {
    let mut trigger = Trigger::new(7, 300.0, None).unwrap();
    let (mut sent, mut at) = (Vec::new(), 0);
    let mut send = |windows: Vec<FeatureWindow>, lull: Option<FeatureWindow>| {
        let all = windows.into_iter().chain(lull);
        sent.extend(all.map(|w| (w.index(), w.slot(), w.is_empty())));
    };
    for &size in cuts.iter().cycle() {
        let end = (at + size).min(frames.len());
        let windows = trigger.push(&description(at as u64, &frames[at..end]));
        send(windows, trigger.lull());
        at = end;
        if at == frames.len() {
            break;
        }
    }
    let windows = trigger.finish();
    send(windows, trigger.lull());
    assert!(trigger.lull().is_none(), "once");
    sent
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// What is sent grows, and after the last window of each alarm something tells that its second is over.
    #[test]
    fn every_alarm_ends_with_a_lull(seed: u64, n in 300_usize..4_000, cuts in prop::collection::vec(1_usize..60, 1..30)) {
        let sent = sent(&sound(seed, n), &cuts);
        prop_assert!(sent.is_sorted_by(|a, b| a.0 < b.0), "{:?}", sent);
        let windows = sent.iter().enumerate().filter(|(_, sent)| !sent.2);
        for (i, &(_, slot, _)) in windows {
            let tells = |&(index, ..): &(u64, u64, bool)| first_slot_after(1_000, index) > slot;
            let told = (i..sent.len()).find(|&next| tells(&sent[next]));
            prop_assert!(told.is_some(), "slot {} of {:?}", slot, sent);
            // In time: by one of the windows that go on, or soon after the last of them.
            let is_soon = told.is_some_and(|told| told == i || sent[told].0 <= sent[told - 1].0 + 4);
            prop_assert!(is_soon, "slot {} of {:?}", slot, sent);
        }
    }
}
