//! The stages before the gates as they are, with a classifier that says something of every window: candidates come on time, and
//! neither the split into blocks nor a restore shows in what leaves.

use super::adversary::Xorshift;
use super::{Calibration, Gate, LevelGate, NoiseRecord, WithheldReason};
use crate::analysis::model::STREET_VERSION;
use crate::analysis::{Candidate, Describe, Description, FeatureWindow, Trigger};
use crate::checkpoint::{Checkpoint, Stages};
use crate::open::policy::tests::all_classes;
use crate::open::record::canonical_bytes;
use crate::open::{LevelFields, Policy, PolicyFields};
use crate::sound::AudioBlock;

pub(super) const SAMPLE_RATE: u32 = 16_000;
pub(super) const START_SLOT: u64 = 3_590;

pub(super) fn policy() -> Policy {
    let laeq = LevelFields {
        metric: "laeq".into(),
        period_s: 10,
    };
    Policy::new(PolicyFields {
        levels: vec![laeq],
        merge_gap_s: 0,
        repeat_s: 10,
        ..all_classes()
    })
    .unwrap()
}

pub(super) fn stages(policy: &Policy) -> Stages {
    let calibration = Calibration::FullScale { db: 120.0 };
    Stages {
        describe: Describe::new(1, SAMPLE_RATE, START_SLOT).unwrap(),
        trigger: Trigger::new(1, f64::INFINITY, None).unwrap(),
        gate: Gate::new(1, policy, calibration),
        level_gate: LevelGate::new(1, policy, calibration, START_SLOT),
    }
}

/// Noise with a burst every 0.7 s, so that the loudest frame lies anywhere in its window and its second.
pub(super) fn sound() -> Vec<f32> {
    let mut random = Xorshift(5);
    let mut one = |i: usize| {
        let gain = if i % 11_200 < 900 { 0.5 } else { 0.01 };
        gain * (random.below(2001) as f32 / 1000.0 - 1.0)
    };
    (0..24 * SAMPLE_RATE as usize).map(&mut one).collect()
}

pub(super) fn classified(window: FeatureWindow) -> Candidate {
    let mut candidate = Candidate::of(&window, STREET_VERSION);
    if !window.is_empty() {
        let code = (window.index() * 7 % 16) as usize;
        candidate.full_margin[code] = 1.0;
        candidate.masked_margin[code] = 1.0;
        candidate.confidence = [(window.index() % 4) as u8; 16];
    }
    candidate
}

/// Records of one description, once the windows that it completes are judged.
fn judge(
    stages: &mut Stages,
    windows: Vec<FeatureWindow>,
    heard: &Description,
    out: &mut Vec<Vec<u8>>,
) {
    for window in windows {
        stages.gate.push(classified(window));
    }
    let events = stages.gate.advance(heard);
    out.extend(events.iter().map(canonical_bytes));
    let levels = stages.level_gate.push(heard);
    out.extend(levels.in_order().iter().map(noise_bytes));
}

pub(super) fn noise_bytes(record: &NoiseRecord) -> Vec<u8> {
    match record {
        NoiseRecord::Level(level) => canonical_bytes(level),
        NoiseRecord::Health(health) => canonical_bytes(health),
    }
}

fn hear(stages: &mut Stages, samples: &[f32], start: usize, out: &mut Vec<Vec<u8>>) {
    let block = AudioBlock::new(1, SAMPLE_RATE, start as u64, samples.to_vec()).unwrap();
    let mut description = Description::default();
    stages.describe.push_into(&block, &mut description).unwrap();
    let windows = stages.trigger.push(&description);
    judge(stages, windows, &description, out);
}

fn end(mut stages: Stages, mut out: Vec<Vec<u8>>) -> (Gate, Vec<Vec<u8>>) {
    let mut description = Description::default();
    stages.describe.finish_into(&mut description);
    let mut windows = stages.trigger.push(&description);
    windows.extend(stages.trigger.finish());
    judge(&mut stages, windows, &description, &mut out);
    out.extend(stages.gate.finish().iter().map(canonical_bytes));
    let levels = stages.level_gate.finish();
    out.extend(levels.in_order().iter().map(noise_bytes));
    (stages.gate, out)
}

/// Record kinds apart, each in its order: where events stand between levels is not promised.
fn by_kind(mut records: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    records.sort_by_key(|bytes| bytes[0] > 1);
    records
}

pub(super) fn in_blocks(policy: &Policy, mut n: impl FnMut() -> usize) -> (Gate, Vec<Vec<u8>>) {
    let (sound, mut stages, mut out) = (sound(), stages(policy), Vec::new());
    let mut start = 0;
    while start < sound.len() {
        let to = (start + n()).min(sound.len());
        hear(&mut stages, &sound[start..to], start, &mut out);
        start = to;
    }
    end(stages, out)
}

#[test]
fn any_split_into_blocks_gives_the_same_records_and_no_candidate_is_late() {
    let policy = policy();
    let (gate, whole) = in_blocks(&policy, || usize::MAX / 2);
    let late = gate.n_withheld()[usize::from(WithheldReason::OutOfOrder.code())];
    let n_events = whole.iter().filter(|bytes| bytes[0] == 1).count();
    assert!(n_events >= 4 && late == 0, "{n_events} events, {late} late");
    let whole = by_kind(whole);
    let mut random = Xorshift(3);
    for n in [160, 4_000, 16_000, 0] {
        let size = || {
            if n > 0 {
                n
            } else {
                1 + random.below(9_000) as usize
            }
        };
        let (split, records) = in_blocks(&policy, size);
        assert_eq!(by_kind(records), whole, "blocks of {n}");
        assert_eq!(split.n_withheld(), gate.n_withheld(), "blocks of {n}");
    }
}

#[test]
fn a_restored_chain_goes_on_as_if_nothing_had_happened() {
    let policy = policy();
    let sound = sound();
    let (_, expected) = in_blocks(&policy, || 4_000);
    for n_blocks in [1, 9, 30, 57, 95] {
        let (mut stages, mut out) = (stages(&policy), Vec::new());
        let cut = n_blocks * 4_000;
        for start in (0..cut).step_by(4_000) {
            hear(&mut stages, &sound[start..start + 4_000], start, &mut out);
        }
        let Stages {
            describe,
            trigger,
            gate,
            level_gate,
        } = &stages;
        let taken = Checkpoint::new(describe, trigger, gate, level_gate);
        let mut stages = taken.restore(&policy).unwrap();
        let from = cut.saturating_sub(2 * SAMPLE_RATE as usize);
        let block =
            AudioBlock::new(1, SAMPLE_RATE, from as u64, sound[from..cut].to_vec()).unwrap();
        let mut description = Description::default();
        stages
            .describe
            .refill_into(&block, &mut description)
            .unwrap();
        stages.trigger.refill(&description);
        for start in (cut..sound.len()).step_by(4_000) {
            hear(&mut stages, &sound[start..start + 4_000], start, &mut out);
        }
        assert_eq!(
            end(stages, out).1,
            expected,
            "restored after {n_blocks} blocks"
        );
    }
}
