//! Every output of the real gate for tiny policies, driven by every candidate sequence, against the exact count.

use std::collections::BTreeSet;

use num_bigint::BigUint;

use super::release::tests::{after_frames, heard};
use super::{Calibration, Gate};
use crate::analysis::Candidate;
use crate::open::capacity::{EventSets, N_RELEASE_DELAYS};
use crate::open::record::canonical_bytes;
use crate::open::rules::{Calendar, ClassSet, Limits, Rules};
use crate::open::{Event, SoundClass};

fn tiny(
    calendar: [u32; 2],
    limits: [u16; 4],
    classes: &[SoundClass],
    alert: &[SoundClass],
) -> Rules {
    let [slots_per_minute, minutes_per_hour] = calendar;
    let [
        max_per_minute,
        max_per_hour,
        reserved_per_minute,
        reserved_per_hour,
    ] = limits;
    let permitted: ClassSet = classes.iter().copied().collect();
    Rules {
        calendar: Calendar {
            slots_per_minute,
            minutes_per_hour,
        },
        limits: Limits {
            max_per_minute,
            max_per_hour,
            reserved_per_minute,
            reserved_per_hour,
        },
        permitted,
        full_band: permitted.iter().filter(|c| c.is_full_band()).collect(),
        alert: alert.iter().copied().collect(),
        merge_gap_s: 0,
        repeat_s: 60,
        health_period_s: 60,
    }
}

/// One thing that can be said of a slot: class, level index and confidence.
#[derive(Clone, Copy)]
struct Symbol {
    slot: u64,
    class: SoundClass,
    level: u8,
    confidence: u8,
}

fn candidate(symbol: Symbol) -> Candidate {
    let mut candidate = heard(symbol.slot, symbol.class, 1.0);
    candidate.confidence = [symbol.confidence; 16];
    candidate.level_dbfs = match symbol.level {
        0 => f32::NEG_INFINITY,
        level => -96.0 + 3.0 * f32::from(level - 1),
    };
    candidate
}

/// Every symbol of an hour; a full-band class is offered with two levels, of which none may show.
fn symbols(rules: &Rules, levels: &[u8]) -> Vec<Symbol> {
    let n_slots = rules.calendar.slots_per_minute * rules.calendar.minutes_per_hour;
    let mut all = Vec::new();
    for slot in 0..u64::from(n_slots) {
        for class in rules.permitted.iter() {
            for &level in if class.is_full_band() {
                &[0, 9]
            } else {
                levels
            } {
                for confidence in 0..4 {
                    all.push(Symbol {
                        slot,
                        class,
                        level,
                        confidence,
                    });
                }
            }
        }
    }
    all
}

fn bytes(events: &[Event]) -> Vec<u8> {
    events.iter().flat_map(canonical_bytes).collect()
}

/// Different outputs of every sequence of at most `depth` of the symbols, in any order and with repetitions, by their bytes and
/// their number of events.
fn outputs(rules: &Rules, symbols: &[Symbol], depth: usize) -> BTreeSet<(usize, Vec<u8>)> {
    fn walk(gate: &Gate, symbols: &[Symbol], depth: usize, found: &mut BTreeSet<(usize, Vec<u8>)>) {
        let events = gate.clone().finish();
        found.insert((events.len(), bytes(&events)));
        if depth == 0 {
            return;
        }
        for &symbol in symbols {
            let mut next = gate.clone();
            next.push(candidate(symbol));
            walk(&next, symbols, depth - 1, found);
        }
    }
    let mut found = BTreeSet::new();
    let gate = Gate::with_rules(1, *rules, Calibration::Uncalibrated);
    walk(&gate, symbols, depth, &mut found);
    found
}

/// Outputs with each event's release delay, of which the count knows four.
fn with_delays(outputs: &BTreeSet<(usize, Vec<u8>)>) -> BigUint {
    let delays =
        |&(n_events, _): &(usize, Vec<u8>)| BigUint::from(N_RELEASE_DELAYS).pow(n_events as u32);
    outputs.iter().map(delays).sum()
}

fn counted(rules: &Rules) -> BigUint {
    EventSets::new(rules, N_RELEASE_DELAYS)
        .in_parts_of_hour()
        .pop()
        .unwrap()
}

use SoundClass::{GlassBreak, Horn, Siren};

#[test]
fn all_sequences_of_one_full_band_class() {
    for limits in [[1, 1, 0, 0], [1, 2, 0, 0], [2, 2, 0, 0], [2, 3, 1, 1]] {
        let rules = tiny([2, 2], limits, &[Horn], &[]);
        let found = outputs(&rules, &symbols(&rules, &[]), 3);
        assert_eq!(with_delays(&found), counted(&rules), "{limits:?}");
    }
}

#[test]
fn all_sequences_of_an_alert_class_and_another() {
    for limits in [
        [1, 2, 0, 0],
        [1, 2, 1, 1],
        [2, 2, 1, 1],
        [2, 2, 0, 1],
        [2, 3, 1, 2],
    ] {
        let rules = tiny([1, 2], limits, &[Horn, Siren], &[Siren]);
        let found = outputs(&rules, &symbols(&rules, &[]), 3);
        assert_eq!(with_delays(&found), counted(&rules), "{limits:?}");
    }
}

#[test]
fn all_levels_and_confidences_of_a_normal_class() {
    let levels: Vec<u8> = (0..32).collect();
    let rules = tiny([1, 2], [1, 2, 0, 0], &[GlassBreak], &[]);
    let found = outputs(&rules, &symbols(&rules, &levels), 2);
    assert_eq!(with_delays(&found), counted(&rules));
}

/// Different outputs of every set of cells (slot and class), offered in order, with no more said of a cell than that it is there.
fn sets(rules: &Rules) -> BTreeSet<Vec<Event>> {
    let n_slots = u64::from(rules.calendar.slots_per_minute * rules.calendar.minutes_per_hour);
    let of_slot = |slot| rules.permitted.iter().map(move |class| (slot, class));
    let cells: Vec<_> = (0..n_slots).flat_map(of_slot).collect();
    let mut found = BTreeSet::new();
    for offered in 0u32..1 << cells.len() {
        let mut gate = Gate::with_rules(1, *rules, Calibration::Uncalibrated);
        for (i, &(slot, class)) in cells.iter().enumerate() {
            if offered >> i & 1 == 1 {
                gate.push(heard(slot, class, 1.0));
            }
        }
        found.insert(gate.finish());
    }
    found
}

#[test]
fn all_sets_of_three_classes() {
    // That an event takes n_levels × 4 values of its own is shown by the tests above; its 4 delays come on top.
    let values =
        |e: &Event| BigUint::from(u32::from(e.sound_class().n_levels()) * 4 * N_RELEASE_DELAYS);
    let weight = |set: &Vec<Event>| set.iter().map(values).product::<BigUint>();
    let classes = [GlassBreak, Horn, Siren];
    for limits in [
        [1, 1, 0, 0],
        [2, 3, 0, 0],
        [2, 3, 1, 2],
        [3, 4, 1, 1],
        [3, 5, 3, 2],
    ] {
        let rules = tiny([2, 2], limits, &classes, &[GlassBreak, Siren]);
        let total: BigUint = sets(&rules).iter().map(weight).sum();
        assert_eq!(total, counted(&rules), "{limits:?}");
    }
}

#[test]
fn merging_only_lowers_the_count() {
    for gap in [1, 3] {
        let mut rules = tiny([2, 2], [2, 3, 0, 0], &[Horn], &[]);
        rules.merge_gap_s = gap;
        let found = outputs(&rules, &symbols(&rules, &[]), 3);
        assert!(with_delays(&found) < counted(&rules));
    }
}

#[test]
fn any_timing_of_advance_gives_outputs_that_were_counted() {
    // Late candidates, with advance called anywhere between them: the outputs stay within the set of the ordered ones.
    let rules = tiny([2, 2], [2, 3, 1, 1], &[Horn, Siren], &[Siren]);
    let mut symbols = symbols(&rules, &[]);
    symbols.retain(|symbol| symbol.confidence == 0 && symbol.level == 0);
    let all = outputs(&rules, &symbols, 4);
    for choice in 0..(symbols.len() * 7).pow(3) {
        let mut gate = Gate::with_rules(1, rules, Calibration::Uncalibrated);
        let mut events = Vec::new();
        let mut rest = choice;
        for _ in 0..3 {
            gate.push(candidate(symbols[rest % symbols.len()]));
            rest /= symbols.len();
            events.extend(gate.advance(&after_frames(0, 100 * (rest % 7) as u64)));
            rest /= 7;
        }
        events.extend(gate.finish());
        assert!(all.contains(&(events.len(), bytes(&events))));
    }
}
