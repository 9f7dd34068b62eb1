//! The chain cut where a broker would stand: sealed windows and candidates, sent twice, sent again after a restore, and taken over
//! by others give the records of the chain in one process.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::adversary::Xorshift;
use super::chain::{
    SAMPLE_RATE, START_SLOT, classified, in_blocks, noise_bytes, policy, sound, stages,
};
use super::{Calibration, Gate};
use crate::analysis::{Classify, Description, Model};
use crate::checkpoint::{Checkpoint, Hearing, Stages};
use crate::error::Reason;
use crate::open::Policy;
use crate::open::policy::SPEECH_BAND_HZ;
use crate::open::record::canonical_bytes;
use crate::seal::{BlockFormat, KEY_BYTES, KeyRing, Mark};
use crate::simd::{Path, limit_path};
use crate::sound::AudioBlock;

const BLOCK: usize = 4_000;
const BOOT_NS: u64 = START_SLOT * 1_000_000_000;

fn keys() -> KeyRing {
    KeyRing::new(vec![Zeroizing::new([9; KEY_BYTES])]).unwrap()
}

/// What the sensor sends: sealed blocks and when they were received.
fn sound_log() -> Vec<(Vec<u8>, u64)> {
    sent(&sound(), 0)
}

/// Sound whose first sample the sensor counts as `first_sample`.
fn sent(samples: &[f32], first_sample: u64) -> Vec<(Vec<u8>, u64)> {
    let seal = |(n, samples): (usize, &[f32])| {
        let start = first_sample + (n * BLOCK) as u64;
        let block = AudioBlock::new(1, SAMPLE_RATE, start, samples.to_vec()).unwrap();
        let sealed = keys().seal_block(&block, BlockFormat::F32Le, BOOT_NS, start);
        let end = (n * BLOCK + samples.len()) as u64;
        let ms = end * 1_000 / u64::from(SAMPLE_RATE);
        (sealed.unwrap(), START_SLOT * 1_000 + ms + 80)
    };
    samples.chunks(BLOCK).enumerate().map(seal).collect()
}

/// The stages that hear: sealed blocks in, sealed windows and records of level out.
struct Hear {
    stages: Hearing,
    windows: Vec<Vec<u8>>,
    records: Vec<Vec<u8>>,
}

impl Hear {
    fn new(policy: &Policy) -> Self {
        let Stages {
            describe,
            trigger,
            level_gate,
            ..
        } = stages(policy);
        Self {
            stages: Hearing {
                describe,
                trigger,
                level_gate,
                mark: Mark::default(),
            },
            windows: Vec::new(),
            records: Vec::new(),
        }
    }

    fn take(&mut self, (sealed, received_ms): &(Vec<u8>, u64)) -> Option<Reason> {
        let stages = &mut self.stages;
        let block = match keys().open_block(1, sealed, &mut stages.mark, *received_ms) {
            Ok(block) => block,
            Err(refused) => return Some(refused.reason),
        };
        let mut description = Description::default();
        stages.describe.push_into(&block, &mut description).unwrap();
        self.pass_on(&description, *received_ms, false);
        None
    }

    fn take_all(&mut self, log: &[(Vec<u8>, u64)]) {
        for message in log {
            assert_eq!(self.take(message), None);
        }
    }

    fn refill(&mut self, log: &[(Vec<u8>, u64)]) {
        let Hearing {
            describe, trigger, ..
        } = &mut self.stages;
        for (sealed, _) in log {
            let block = keys().reopen_block(1, sealed).unwrap();
            let mut description = Description::default();
            describe.refill_into(&block, &mut description).unwrap();
            trigger.refill(&description);
        }
    }

    fn finish(&mut self, received_ms: u64) {
        let mut description = Description::default();
        self.stages.describe.finish_into(&mut description);
        self.pass_on(&description, received_ms, true);
        let levels = self.stages.level_gate.finish();
        self.records
            .extend(levels.in_order().iter().map(noise_bytes));
    }

    fn pass_on(&mut self, description: &Description, received_ms: u64, is_end: bool) {
        let mut windows = self.stages.trigger.push(description);
        if is_end {
            windows.extend(self.stages.trigger.finish());
        }
        windows.extend(self.stages.trigger.lull());
        let seal = |window| keys().seal_window(&window, Some(received_ms)).unwrap();
        self.windows.extend(windows.into_iter().map(seal));
        let levels = self.stages.level_gate.push(description);
        self.records
            .extend(levels.in_order().iter().map(noise_bytes));
    }

    fn checkpoint(&self, n_blocks: usize) -> Checkpoint {
        let Hearing {
            describe,
            trigger,
            level_gate,
            mark,
        } = &self.stages;
        let offset = n_blocks as u64;
        Checkpoint::of_hearing(describe, trigger, level_gate, mark, offset, b"17 came")
    }
}

/// Hears the whole log in one go.
fn heard(policy: &Policy) -> Hear {
    let mut hear = Hear::new(policy);
    let log = sound_log();
    hear.take_all(&log);
    hear.finish(log.last().unwrap().1);
    hear
}

/// What the shipped model makes of the windows, on a set of instructions.
fn scored(windows: &[Vec<u8>], path: Path) -> Vec<Vec<u8>> {
    limit_path(path);
    let mut classify = Classify::new(Arc::new(Model::street().unwrap()), SPEECH_BAND_HZ).unwrap();
    let score = |sealed: &Vec<u8>| {
        let window = keys().open_window(1, sealed, u64::MAX).unwrap();
        keys().seal_candidate(&classify.push(window)).unwrap()
    };
    windows.iter().map(score).collect()
}

/// Sealed bytes, of sound to scores and records: a nonce is made of what is sealed, so that equal bytes are equal content.
#[test]
fn on_every_set_of_instructions_the_cut_chain_gives_the_same_bytes() {
    let policy = policy();
    let on = |path| {
        limit_path(path);
        let hear = heard(&policy);
        let candidates = scored(&hear.windows[..12], path);
        (hear.windows, hear.records, candidates)
    };
    let baseline = on(Path::Baseline);
    assert!(baseline == on(Path::Avx2));
    assert!(baseline == on(Path::Avx512));
}

fn candidates(windows: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let score = |sealed: &Vec<u8>| {
        let window = keys().open_window(1, sealed, u64::MAX).unwrap();
        keys().seal_candidate(&classified(window)).unwrap()
    };
    windows.iter().map(score).collect()
}

fn new_gate(policy: &Policy) -> (Gate, Mark) {
    let calibration = Calibration::FullScale { db: 120.0 };
    (Gate::new(1, policy, calibration), Mark::default())
}

/// Lets the gate judge a stretch of the log; answers with what leaves and how many messages came before.
fn judge((gate, mark): &mut (Gate, Mark), log: &[Vec<u8>]) -> (Vec<Vec<u8>>, usize) {
    let (mut events, mut n_duplicates) = (Vec::new(), 0);
    for sealed in log {
        match keys().open_candidate(1, sealed, mark) {
            Ok(candidate) => events.extend(gate.receive(candidate).iter().map(canonical_bytes)),
            Err(refused) => {
                assert_eq!(refused.reason, Reason::Duplicate);
                n_duplicates += 1;
            }
        }
    }
    (events, n_duplicates)
}

fn of_kind(records: &[Vec<u8>], is_event: bool) -> Vec<Vec<u8>> {
    let mut records = records.to_vec();
    records.retain(|bytes| (bytes[0] == 1) == is_event);
    records
}

#[test]
fn cut_at_the_broker_the_chain_gives_the_records_of_one_process() {
    let policy = policy();
    let (whole_gate, whole) = in_blocks(&policy, || BLOCK);
    let hear = heard(&policy);
    let mut gate = new_gate(&policy);
    let (events, n_duplicates) = judge(&mut gate, &candidates(&hear.windows));
    assert_eq!(events, of_kind(&whole, true));
    assert!(events.len() >= 4 && n_duplicates == 0);
    assert_eq!(gate.0.n_withheld(), whole_gate.n_withheld());
    assert_eq!(gate.0.finish(), [], "a lull let the last one out");
    assert_eq!(hear.records, of_kind(&whole, false));
}

#[test]
fn blocks_that_come_twice_are_heard_once() {
    let policy = policy();
    let (expected, log) = (heard(&policy), sound_log());
    let (mut hear, mut random) = (Hear::new(&policy), Xorshift(7));
    for (n, message) in log.iter().enumerate() {
        assert_eq!(hear.take(message), None);
        let earlier = random.below(n as u64 + 1) as usize;
        assert_eq!(hear.take(&log[earlier]), Some(Reason::Duplicate));
    }
    hear.finish(log.last().unwrap().1);
    assert!(hear.windows == expected.windows);
    assert_eq!(hear.records, expected.records);
}

/// Whoever takes over hears the two seconds before again, then goes on: the same bytes, sealed too.
#[test]
fn hearing_that_is_restored_goes_on_byte_for_byte() {
    let policy = policy();
    let (expected, log) = (heard(&policy), sound_log());
    for n_blocks in [1, 5, 30, 57, 90] {
        let mut hear = Hear::new(&policy);
        hear.take_all(&log[..n_blocks]);
        let sealed = hear.checkpoint(n_blocks).seal(&keys()).unwrap();
        let kept = Checkpoint::unseal(&keys(), 1, &sealed).unwrap();
        assert_eq!(kept.kafka_offset(), n_blocks as u64);
        assert_eq!(kept.note(), b"17 came");
        // What the first worker still sent after its last checkpoint, the second one sends again.
        let mut windows = hear.windows.clone();
        let mut records = hear.records.clone();
        hear.take_all(&log[n_blocks..n_blocks + 4]);
        hear.stages = kept.restore_hearing(&policy).unwrap();
        hear.refill(&log[n_blocks.saturating_sub(8)..n_blocks]);
        hear.windows.clear();
        hear.records.clear();
        assert_eq!(hear.take(&log[n_blocks - 1]), Some(Reason::Duplicate));
        hear.take_all(&log[n_blocks..]);
        hear.finish(log.last().unwrap().1);
        windows.append(&mut hear.windows);
        records.append(&mut hear.records);
        assert!(windows == expected.windows, "after {n_blocks}");
        assert_eq!(records, expected.records, "after {n_blocks}");
    }
}

/// Two workers, an old one that goes on and a new one, both send; the gate is restored at any point and reads on from anywhere
/// before it.
#[test]
fn a_gate_that_is_restored_amid_doubled_messages_gives_the_same_events() {
    let policy = policy();
    let calm = candidates(&heard(&policy).windows);
    let expected = judge(&mut new_gate(&policy), &calm).0;
    let mut random = Xorshift(3);
    for _ in 0..40 {
        let mut log = calm.clone();
        for _ in 0..6 {
            let from = random.below(calm.len() as u64) as usize;
            let to = (from + 1 + random.below(20) as usize).min(calm.len());
            // After the first time that they were sent.
            let at = log
                .iter()
                .position(|sealed| *sealed == calm[to - 1])
                .unwrap()
                + 1;
            log.splice(at..at, calm[from..to].iter().cloned());
        }
        let cut = random.below(log.len() as u64) as usize;
        let mut gate = new_gate(&policy);
        let (mut events, _) = judge(&mut gate, &log[..cut]);
        let sealed = Checkpoint::of_gate(&gate.0, &gate.1, cut as u64).seal(&keys());
        let kept = Checkpoint::unseal(&keys(), 1, &sealed.unwrap()).unwrap();
        let mut restored = kept.restore_gate(&policy).unwrap();
        assert_eq!(restored, gate);
        let again = cut.saturating_sub(random.below(9) as usize);
        events.extend(judge(&mut restored, &log[again..]).0);
        assert_eq!(events, expected);
    }
}

/// Behind a gap a stream begins with the sample that comes, and is heard like one that begins with sample 0.
#[test]
fn hearing_goes_on_at_any_sample() {
    let policy = policy();
    let kept = Hear::new(&policy).checkpoint(0);
    let windows = |first_sample: u64| {
        let log = sent(&sound()[..20 * BLOCK], first_sample);
        let mut hear = Hear::new(&policy);
        let resumed = kept.resume_hearing(&policy, SAMPLE_RATE, START_SLOT, first_sample);
        hear.stages = resumed.unwrap();
        hear.take_all(&log[..12]);
        let state = hear.checkpoint(4);
        assert_eq!(state.position(), first_sample + 12 * BLOCK as u64);
        hear.stages = state.restore_hearing(&policy).unwrap();
        hear.refill(&log[4..12]);
        hear.take_all(&log[12..]);
        hear.finish(log[19].1);
        hear.windows
    };
    assert!(windows(0).len() >= 4 && windows(0) == windows(987_654_321));
}

#[test]
fn a_checkpoint_is_restored_as_what_it_is_of() {
    let policy = policy();
    let (gate, mark) = new_gate(&policy);
    let of_gate = Checkpoint::of_gate(&gate, &mark, 5);
    let of_hearing = Hear::new(&policy).checkpoint(5);
    assert!(of_gate.restore_gate(&policy).is_ok());
    assert!(of_hearing.resume_hearing(&policy, 48_000, 9_000, 7).is_ok());
    let refusals = [
        of_gate.restore(&policy).err(),
        of_gate.restore_hearing(&policy).err(),
        of_hearing.restore_gate(&policy).err(),
        of_hearing.resume(&policy, 16_000, 9_000).err(),
    ];
    for refusal in refusals {
        assert_eq!(refusal.unwrap().reason, Reason::BadCheckpoint);
    }
}
