use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::analysis::describe::SecondLevel;
use crate::analysis::{Describe, Description, Trigger};
use crate::gate::Calibration;
use crate::gate::level::tests::described;
use crate::gate::release::tests::{after_frames, heard};
use crate::open::policy::tests::all_classes;
use crate::open::{LevelFields, PolicyFields, SoundClass};
use crate::seal::KEY_BYTES;
use crate::sound::AudioBlock;

/// Made once: counting its capacity takes longer than a case.
static POLICY: LazyLock<Policy> = LazyLock::new(new_policy);
static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| checkpoint().bytes.to_vec());

fn new_policy() -> Policy {
    let level = |metric: &str, period_s| LevelFields {
        metric: metric.into(),
        period_s,
    };
    let levels = vec![level("laeq", 10), level("la50", 3600)];
    Policy::new(PolicyFields {
        levels,
        ..all_classes()
    })
    .unwrap()
}

/// Seconds of a stream from `first` on.
fn seconds(first: u64, n: u64) -> Description {
    described((first..first + n).map(|slot| SecondLevel {
        slot,
        heard: 1.0,
        a_mean_square: 1e-5 * (1 + slot % 7) as f64,
        fast: [1e-5; 8],
        ..SecondLevel::default()
    }))
}

/// The gates of sensor 1 in the middle of everything: an event held, a budget used up, periods open, records waiting.
fn busy(policy: &Policy) -> (Gate, LevelGate) {
    let calibration = Calibration::FullScale { db: 110.0 };
    let mut gate = Gate::new(1, policy, calibration);
    let mut level_gate = LevelGate::new(1, policy, calibration, 3500);
    for class in [
        SoundClass::Horn,
        SoundClass::Impact,
        SoundClass::Siren,
        SoundClass::Gunshot,
    ] {
        gate.push(heard(3601, class, 1.0));
    }
    gate.advance(&after_frames(3500, 10_000));
    level_gate.push(&seconds(3500, 102));
    (gate, level_gate)
}

fn checkpoint() -> Checkpoint {
    let (gate, level_gate) = busy(&POLICY);
    take(&gate, &level_gate)
}

/// With stages before the gates that are at sample 77.
fn take(gate: &Gate, level_gate: &LevelGate) -> Checkpoint {
    let mut describe = Describe::new(1, 16_000, 3500).unwrap();
    let mut trigger = Trigger::new(1, 300.0, None).unwrap();
    let block = AudioBlock::new(1, 16_000, 0, vec![0.1; 77]).unwrap();
    let mut description = Description::default();
    describe.push_into(&block, &mut description).unwrap();
    trigger.push(&description);
    Checkpoint::new(&describe, &trigger, gate, level_gate)
}

fn of(bytes: Vec<u8>) -> Result<Checkpoint, BlockError> {
    Checkpoint::from_bytes(1, Zeroizing::new(bytes))
}

fn keys() -> KeyRing {
    KeyRing::new(vec![Zeroizing::new([3; KEY_BYTES])]).unwrap()
}

#[test]
fn sealed_it_comes_back_for_its_own_sensor_alone() {
    let taken = checkpoint();
    let sealed = taken.seal(&keys()).unwrap();
    let opened = Checkpoint::unseal(&keys(), 1, &sealed).unwrap();
    assert_eq!(opened.bytes, taken.bytes);
    let other = Checkpoint::unseal(&keys(), 2, &sealed);
    assert_eq!(other.err().unwrap().reason, Reason::WrongSensor);
}

#[test]
fn resumed_the_gates_remember_and_the_sound_begins_anew() {
    let (gate, level_gate) = busy(&POLICY);
    let resumed = take(&gate, &level_gate).resume(&POLICY, 48_000, 3_700);
    let stages = resumed.unwrap();
    assert_eq!(
        (stages.describe.position(), stages.describe.start_slot()),
        (0, 3_700)
    );
    assert_eq!(stages.describe.sample_rate(), 48_000);
    assert_eq!((stages.gate, stages.level_gate), (gate, level_gate));
    let block = AudioBlock::new(1, 48_000, 0, vec![0.1; 100]).unwrap();
    let mut stages = take(&busy(&POLICY).0, &busy(&POLICY).1)
        .resume(&POLICY, 48_000, 3_700)
        .unwrap();
    assert!(
        stages
            .describe
            .push_into(&block, &mut Description::default())
            .is_ok()
    );
    assert!(checkpoint().resume(&POLICY, 100, 3_700).is_err());
}

#[test]
fn the_stages_come_back_as_they_were() {
    let (gate, level_gate) = busy(&POLICY);
    let taken = take(&gate, &level_gate);
    let moved = of(taken.bytes.to_vec()).unwrap();
    assert_eq!(moved.position(), 77);
    let stages = moved.restore(&POLICY).unwrap();
    assert_eq!(stages.describe.position(), 77);
    assert_eq!((stages.gate, stages.level_gate), (gate, level_gate));
    assert_eq!(
        format!("{moved:?}"),
        "Checkpoint { position: 77, kafka_offset: 0, .. }"
    );
}

#[test]
fn another_policy_and_stages_of_two_sensors_are_refused() {
    let other = Policy::new(all_classes()).unwrap();
    assert_eq!(
        checkpoint().restore(&other).err().unwrap().reason,
        Reason::BadCheckpoint
    );
    let (gate, _) = busy(&POLICY);
    let foreign = LevelGate::new(2, &POLICY, Calibration::Uncalibrated, 0);
    let mixed = take(&gate, &foreign);
    assert_eq!(
        mixed.restore(&POLICY).err().unwrap().reason,
        Reason::BadCheckpoint
    );
}

#[test]
fn every_truncation_and_every_addition_is_refused() {
    let bytes = BYTES.clone();
    let is_refused = |bytes: &[u8]| {
        let taken = of(bytes.to_vec());
        taken.and_then(|c| c.restore(&POLICY)).is_err()
    };
    assert!((0..bytes.len()).all(|n| is_refused(&bytes[..n])));
    assert!(is_refused(&[bytes.as_slice(), &[0]].concat()));
}

/// Whatever comes back from damaged bytes can be worked with: no panic, and records as bounded as ever.
fn work_on(gate: &mut Gate, level_gate: &mut LevelGate) {
    for slot in [0, 3602, 7200, u64::MAX] {
        for &class in SoundClass::ALL {
            gate.push(heard(slot, class, 1.0));
        }
        gate.advance(&after_frames(slot, 5000));
        level_gate.push(&seconds(slot.min(u64::MAX - 100), 100));
    }
    gate.withhold_hour_of(u64::MAX);
    let events = gate.finish();
    assert!(
        events
            .iter()
            .all(|e| e.level() < e.sound_class().n_levels())
    );
    level_gate.finish();
}

/// A second of sound goes through, whatever the state is.
fn listen(describe: &mut Describe, trigger: &mut Trigger) {
    let (id, rate, at) = (describe.sensor_id(), 16_000, describe.position());
    let block = AudioBlock::new(id, rate, at.min(1 << 40), vec![0.1; 16_000]).unwrap();
    let mut description = Description::default();
    if describe.push_into(&block, &mut description).is_ok() {
        trigger.push(&description);
    }
    describe.finish_into(&mut description);
    trigger.push(&description);
    trigger.finish();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn damaged_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8), cut in any::<prop::sample::Index>(), is_cut in any::<bool>()) {
        let mut bytes = BYTES.clone();
        for (at, value) in changes {
            // Half of the changes go into the state of the gate, which is short beside the histogram.
            let at = if value % 2 == 0 { at.index(bytes.len()) } else { at.index(1500) };
            bytes[at] = value;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(mut stages) = of(bytes).and_then(|c| c.restore(&POLICY)) {
            listen(&mut stages.describe, &mut stages.trigger);
            work_on(&mut stages.gate, &mut stages.level_gate);
        }
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = BYTES[..24].to_vec();
        framed.extend(bytes);
        prop_assert!(of(framed).and_then(|c| c.restore(&POLICY)).is_err());
    }
}
