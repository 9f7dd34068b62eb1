//! Candidates from someone who knows the gate and wants more out of it than the policy permits.

use std::collections::{BTreeMap, BTreeSet};

use super::release::tests::{after_frames, gate, heard};
use super::{Gate, Verdict, WithheldReason};
use crate::analysis::Candidate;
use crate::checkpoint::{Reader, Writer};
use crate::open::policy::tests::all_classes;
use crate::open::record::canonical_bytes;
use crate::open::{Event, Policy, PolicyFields, SoundClass};

/// Marsaglia's xorshift64: the same numbers in every run.
pub(crate) struct Xorshift(pub(crate) u64);

impl Xorshift {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// A window with random margins around the thresholds, near the given slot, before or after it.
fn hostile(random: &mut Xorshift, around: u64) -> Candidate {
    let slot = (around + random.below(40)).saturating_sub(random.below(60));
    let mut candidate = heard(slot, SoundClass::Siren, 0.0);
    for code in 0..SoundClass::ALL.len() {
        candidate.full_margin[code] = random.below(200) as f32 - 100.0;
        candidate.masked_margin[code] = random.below(200) as f32 - 100.0;
        candidate.confidence[code] = random.below(256) as u8;
    }
    candidate.level_dbfs = random.below(400) as f32 - 200.0;
    candidate
}

fn assert_within(events: &[Event], policy: &Policy) {
    let mut minutes = BTreeMap::<u64, (u32, u32)>::new();
    let mut hours = BTreeMap::<u64, (u32, u32)>::new();
    let mut seen = BTreeSet::new();
    let mut last = (0, 0);
    for event in events {
        let (slot, class) = (event.slot(), event.sound_class());
        assert!(policy.permits(class));
        assert!(
            seen.insert((slot, class)),
            "a second event of {slot} {class:?}"
        );
        assert!(last <= (slot, class.code()), "an event out of order");
        assert!(
            !class.is_full_band() || event.level() == 0,
            "a level of the speech band"
        );
        last = (slot, class.code());
        let is_other = u32::from(!policy.alert_classes().contains(&class));
        for (spans, span) in [(&mut minutes, slot / 60), (&mut hours, slot / 3600)] {
            let (n, n_other) = spans.entry(span).or_default();
            *n += 1;
            *n_other += is_other;
        }
    }
    let (minute, hour) = (policy.max_per_minute(), policy.max_per_hour());
    assert!(
        minutes
            .values()
            .all(|&(n, other)| n <= minute && other <= minute - policy.reserved_per_minute())
    );
    assert!(
        hours
            .values()
            .all(|&(n, other)| n <= hour && other <= hour - policy.reserved_per_hour())
    );
}

#[test]
fn a_million_hostile_submissions_stay_within_the_budgets() {
    let fields = PolicyFields {
        reserved_per_minute: 1,
        reserved_per_hour: 8,
        alert_classes: vec!["gunshot".into(), "glass_break".into()],
        sound_classes: all_classes()
            .sound_classes
            .into_iter()
            .filter(|c| c != "impact")
            .collect(),
        merge_gap_s: 0,
        repeat_s: 10,
        ..all_classes()
    };
    let policy = Policy::new(fields).unwrap();
    let mut gate = Gate::new(1, &policy, super::Calibration::Uncalibrated);
    let mut random = Xorshift(0x9e37_79b9_7f4a_7c15);
    let (mut events, mut now) = (Vec::new(), 1_000_000);
    for _ in 0..1_000_000 {
        now += random.below(20) / 19;
        gate.push(hostile(&mut random, now));
        if random.below(50) == 0 {
            events.extend(gate.advance(&after_frames(now, random.below(700))));
        }
    }
    events.extend(gate.finish());
    assert_within(&events, &policy);
    let n_hours = (now + 40) / 3600 - 1_000_000 / 3600 + 1;
    assert!(events.len() as u64 <= n_hours * u64::from(policy.max_per_hour()));
    assert!(
        events.len() as u64 > (n_hours - 3) * u64::from(policy.max_per_hour()),
        "hardly any attack"
    );
    let verdicts: u64 = gate.n_withheld().iter().sum();
    let weaker = gate.n_withheld()[usize::from(WithheldReason::Weaker.code())];
    assert_eq!(gate.n_held() + verdicts - weaker, 1_000_000);
    assert_eq!(gate.n_held(), events.len() as u64);
}

/// A stream as the stages give it: hits on time, in order, some windows beside each other.
fn on_time(random: &mut Xorshift, n: usize) -> Vec<Candidate> {
    let mut slot = 500;
    let classes = [
        SoundClass::GlassBreak,
        SoundClass::Gunshot,
        SoundClass::Horn,
        SoundClass::Siren,
        SoundClass::Impact,
    ];
    let mut one = |_| {
        slot += random.below(12) * random.below(3);
        let class = classes[random.below(5) as usize];
        let mut candidate = heard(slot, class, random.below(5) as f32 - 1.0);
        candidate.level_dbfs = -(random.below(90) as f32);
        candidate.confidence = [random.below(4) as u8; 16];
        candidate
    };
    (0..n).map(&mut one).collect()
}

/// Pushes each candidate and then says how far the stream is, `n_at_once` candidates at a time.
fn run(
    mut gate: Gate,
    candidates: Vec<Candidate>,
    mut n_at_once: impl FnMut() -> u64,
) -> (Gate, Vec<u8>, Vec<Verdict>) {
    let (mut out, mut verdicts) = (Vec::new(), Vec::new());
    let mut left = 0;
    for candidate in candidates {
        if left == 0 {
            left = n_at_once();
            // A candidate comes at the latest 135 frames after the end of its slot.
            let n_frames = candidate.slot * 100 + 235;
            out.extend(
                gate.advance(&after_frames(0, n_frames))
                    .iter()
                    .flat_map(canonical_bytes),
            );
        }
        left -= 1;
        verdicts.push(gate.push(candidate));
    }
    out.extend(gate.finish().iter().flat_map(canonical_bytes));
    (gate, out, verdicts)
}

#[test]
fn any_split_of_advance_gives_the_same_records_and_verdicts() {
    let candidates = || on_time(&mut Xorshift(7), 2000);
    let (whole, records, verdicts) = run(gate(), candidates(), || u64::MAX);
    assert!(
        records.len() > 17 * 40 && verdicts.contains(&Verdict::Withheld(WithheldReason::Merged))
    );
    for seed in 1..20 {
        let mut random = Xorshift(seed);
        let split = run(gate(), candidates(), || 1 + random.below(9));
        assert_eq!((&split.1, &split.2), (&records, &verdicts));
        assert_eq!(split.0.n_withheld(), whole.n_withheld());
    }
}

#[test]
fn a_gate_goes_on_from_its_saved_state_at_any_point() {
    let policy = Policy::new(all_classes()).unwrap();
    let fresh = || Gate::new(1, &policy, super::Calibration::FullScale { db: 120.0 });
    let (_, whole, _) = run(fresh(), on_time(&mut Xorshift(11), 300), || 1);
    for at in (0..300).step_by(7) {
        let mut first = on_time(&mut Xorshift(11), 300);
        let second = first.split_off(at);
        let mut gate = fresh();
        let mut records = Vec::new();
        for candidate in first {
            let n_frames = candidate.slot * 100 + 135;
            records.extend(
                gate.advance(&after_frames(0, n_frames))
                    .iter()
                    .flat_map(canonical_bytes),
            );
            gate.push(candidate);
        }
        let mut saved = Writer::default();
        gate.save(&mut saved);
        let bytes = saved.into_bytes();
        let mut reader = Reader::new(&bytes);
        let loaded = Gate::load(&policy, &mut reader).unwrap();
        reader.finish().unwrap();
        assert_eq!(loaded, gate);
        records.extend(run(loaded, second, || 1).1);
        assert_eq!(records, whole, "saved after {at}");
    }
}
