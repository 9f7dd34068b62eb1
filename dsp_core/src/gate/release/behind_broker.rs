//! A gate behind a broker tells what a gate in the sensor's own process tells, of any candidates: whatever their delay, whatever
//! other sensors send meanwhile, over gaps, silence, boots and full hours.

use proptest::prelude::*;

use super::super::release::tests::{after_frames, gate, heard};
use super::*;
use crate::analysis::window::{WINDOW_FRAMES, WINDOW_HOP, first_slot_after, slots_of};
use crate::open::SoundClass::{GlassBreak, Gunshot, Horn, Impact, Scream, Siren};

const CLASSES: [SoundClass; 6] = [GlassBreak, Gunshot, Horn, Siren, Impact, Scream];
/// Longest delay at which the oldest second that a window can be heard in still counts.
const MAX_DELAY_MS: u64 = 117_000;

/// A window of a stream, and how it comes.
#[derive(Debug, Clone)]
struct Heard {
    /// Windows since the one before.
    step: u64,
    /// Where in the window its loudest frame lies, 0 to 2.
    place: u64,
    class: usize,
    margin: f32,
    level_dbfs: f32,
    delay_ms: u64,
    /// Frames after its end that the stream has come by then, 0 to 39.
    frames_late: u64,
    /// By how much other sensors are ahead of it, if any sends something.
    others_ms: Option<u64>,
}

fn heard_windows() -> impl Strategy<Value = Vec<Heard>> {
    let step = prop_oneof![4 => 1u64..3, 1 => 3u64..200];
    let delay_ms = prop_oneof![3 => 0u64..2_000, 1 => 0..MAX_DELAY_MS];
    let others_ms = prop_oneof![2 => Just(None), 1 => (0u64..5_000).prop_map(Some)];
    let window = (
        step,
        0u64..3,
        0..CLASSES.len(),
        -0.5f32..2.0,
        -60.0f32..-10.0,
        delay_ms,
        0u64..40,
        others_ms,
    );
    let window = window.prop_map(
        |(step, place, class, margin, level_dbfs, delay_ms, frames_late, others_ms)| Heard {
            step,
            place,
            class,
            margin,
            level_dbfs,
            delay_ms,
            frames_late,
            others_ms,
        },
    );
    prop::collection::vec(window, 1..40)
}

/// A stream's candidates, each with how it comes; those of the window that is behind the last second of an alarm are empty.
fn candidates(start_slot: u64, windows: &[Heard]) -> Vec<(Candidate, Heard)> {
    let (mut found, mut index, mut last_slot): (Vec<(Candidate, Heard)>, u64, u64) =
        (Vec::new(), 0, 0);
    for (n, window) in windows.iter().enumerate() {
        index += window.step;
        let slots = slots_of(start_slot, index);
        let slot = (*slots.start() + window.place)
            .min(*slots.end())
            .max(last_slot);
        last_slot = slot;
        let mut candidate = heard(slot, CLASSES[window.class], window.margin);
        (candidate.start_slot, candidate.index) = (start_slot, index);
        candidate.level_dbfs = window.level_dbfs;
        candidate.confidence = [(index % 4) as u8; 16];
        found.push((candidate, window.clone()));
        let tells = |&lull: &u64| first_slot_after(start_slot, lull) > slot;
        let lull = (index..=index + 4).find(tells).unwrap();
        let next = windows
            .get(n + 1)
            .map_or(u64::MAX, |next| index + next.step);
        if lull > index && lull < next {
            let mut empty = heard(*slots_of(start_slot, lull).start(), GlassBreak, 1.0);
            (empty.start_slot, empty.index, empty.is_empty) = (start_slot, lull, true);
            found.push((empty, window.clone()));
        }
    }
    found
}

/// What one process tells: blocks end anywhere, and a window goes on at the latest 40 frames after its last one.
fn in_process(streams: Vec<Vec<(Candidate, Heard)>>) -> (Vec<Event>, Gate) {
    let (mut gate, mut events) = (gate(), Vec::new());
    for stream in streams {
        for (candidate, window) in stream.into_iter().filter(|(one, _)| !one.is_empty) {
            let end = candidate.index * WINDOW_HOP as u64 + WINDOW_FRAMES as u64;
            let heard_to = after_frames(candidate.start_slot, end + window.frames_late);
            events.extend(gate.advance(&heard_to));
            gate.push(candidate);
        }
        events.extend(gate.finish());
    }
    (events, gate)
}

/// What a gate behind a broker tells, whose time never goes back.
fn received(streams: Vec<Vec<(Candidate, Heard)>>) -> (Vec<Event>, Gate) {
    let (mut gate, mut events, mut now_ms) = (gate(), Vec::new(), 0);
    for (mut candidate, window) in streams.into_iter().flatten() {
        let latest = *slots_of(candidate.start_slot, candidate.index).end();
        now_ms = now_ms.max(latest * 1_000 + window.delay_ms);
        // Broker's time has passed by this stream: its sound is too late, in whatever placement it is judged.
        if now_ms > candidate.slot * 1_000 + 120_000 {
            now_ms = candidate.slot * 1_000 + 120_000;
        }
        if let Some(others_ms) = window.others_ms {
            events.extend(gate.advance_to(now_ms + others_ms));
        }
        candidate.received_ms = Some(now_ms);
        events.extend(gate.receive(candidate));
    }
    (events, gate)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_gate_behind_a_broker_tells_what_one_process_tells(
        parts in prop::collection::vec((0u64..200, heard_windows()), 1..4),
        start in 3_400u64..3_600,
    ) {
        let streams = || {
            let mut start_slot = start;
            let stream = |(gap, windows): &(u64, Vec<Heard>)| {
                let stream = candidates(start_slot + gap, windows);
                start_slot = 1 + stream.iter().map(|(candidate, _)| candidate.slot).max().unwrap();
                stream
            };
            parts.iter().map(stream).collect()
        };
        let ((expected, one), (found, other)) = (in_process(streams()), received(streams()));
        prop_assert_eq!(found, expected);
        prop_assert_eq!(other.n_withheld(), one.n_withheld());
        prop_assert_eq!(other.n_held(), one.n_held());
    }
}
