use proptest::prelude::*;
use zeroize::Zeroizing;

use super::*;
use crate::analysis::model::{Model, STREET_VERSION};
use crate::analysis::window::{N_BANDS, WINDOW_FRAMES, slots_of};
use crate::analysis::{Candidate, Classify, FeatureWindow};
use crate::gate::adversary::Xorshift;
use crate::open::policy::SPEECH_BAND_HZ;
use crate::sound::AudioBlock;

mod refusals;

#[cfg(feature = "std-io")]
mod files;

const NOW_MS: u64 = 1_800_000_000_000;
const BOOT_NS: u64 = NOW_MS * 1_000_000;

fn ring(first: u8) -> KeyRing {
    KeyRing::new(vec![Zeroizing::new([first; KEY_BYTES])]).unwrap()
}

fn block(n: usize) -> AudioBlock {
    let samples = (0..n as i32).map(|i| (i * 7 - 300) as f32 / 32_768.0);
    AudioBlock::new(17, 16_000, 800, samples.collect()).unwrap()
}

fn sealed_block() -> Vec<u8> {
    ring(7)
        .seal_block(&block(50), BlockFormat::S16Le, BOOT_NS, 3)
        .unwrap()
}

/// A window of sensor 17 with bands from a seed, of a stream that begins at the clock's second.
fn window(seed: u64, index: u64) -> FeatureWindow {
    let mut random = Xorshift(seed + 1);
    let mut band = || f32::from(random.below(1 << 15) as i16 - (1 << 14)) / 2_048.0;
    let bands = (0..WINDOW_FRAMES * N_BANDS).map(|_| band()).collect();
    let start_slot = NOW_MS / 1_000;
    let slot = *slots_of(start_slot, index).end();
    FeatureWindow::new(17, index, slot, -31.25, bands).of_stream(start_slot)
}

fn classifier() -> Classify {
    Classify::new(Model::street().unwrap().into(), SPEECH_BAND_HZ).unwrap()
}

fn candidate_bytes(candidate: &Candidate) -> Vec<u8> {
    let mut out = crate::checkpoint::Writer::default();
    candidate.write(&mut out);
    out.into_bytes().to_vec()
}

fn place(candidate: &Candidate) -> (u32, u64, u64, Option<u64>, u32) {
    let Candidate {
        sensor_id,
        start_slot,
        index,
        received_ms,
        model,
        ..
    } = *candidate;
    (sensor_id, start_slot, index, received_ms, model)
}

#[test]
fn a_block_comes_back_as_it_was_in_every_format() {
    for &format in BlockFormat::ALL {
        let (block, mut mark) = (block(160), Mark::default());
        let sealed = ring(7).seal_block(&block, format, BOOT_NS, 0).unwrap();
        let opened = ring(7).open_block(17, &sealed, &mut mark, NOW_MS).unwrap();
        assert_eq!(opened.samples(), block.samples());
        assert_eq!((opened.sample_rate(), opened.start_sample()), (16_000, 800));
        let again = ring(7).reopen_block(17, &sealed).unwrap();
        assert_eq!(again.samples(), block.samples());
    }
}

#[test]
fn samples_that_the_format_does_not_hold_are_refused_not_rounded() {
    for (sample, format) in [
        (1.0, BlockFormat::S16Le),
        (0.1, BlockFormat::S16Le),
        (0.1, BlockFormat::S24Le),
        (-1.01, BlockFormat::S24Le),
        (-0.0, BlockFormat::S16Le),
        (900.0, BlockFormat::S24Le),
    ] {
        let block = AudioBlock::new(1, 16_000, 0, vec![0.0, sample]).unwrap();
        let refusal = ring(7).seal_block(&block, format, 0, 0).unwrap_err();
        assert_eq!(refusal.reason, Reason::UnsupportedEncoding, "{sample}");
    }
}

#[test]
fn blocks_of_a_length_are_of_a_size_whatever_was_heard() {
    let size = |samples: Vec<f32>| {
        let block = AudioBlock::new(1, 16_000, 0, samples).unwrap();
        ring(7)
            .seal_block(&block, BlockFormat::S16Le, 0, 0)
            .unwrap()
            .len()
    };
    assert_eq!(size(vec![0.0; 16_000]), size(vec![0.5; 16_000]));
    let windows = [window(1, 0), FeatureWindow::empty(17, 100, 4)];
    let [full, empty] = windows.map(|w| ring(7).seal_window(&w, None).unwrap().len());
    assert_eq!(full, empty);
}

#[test]
fn nothing_of_the_content_stands_in_the_open() {
    let sealed = ring(7).seal_window(&FeatureWindow::empty(17, 5, 0), None);
    let sealed = sealed.unwrap();
    let zeros = sealed[header::BYTES..].windows(8).filter(|w| *w == [0; 8]);
    assert_eq!(zeros.count(), 0);
}

#[test]
fn the_header_tells_who_carries_it_what_it_needs() {
    let header = Header::read(&sealed_block()).unwrap();
    assert_eq!((header.topic(), header.sensor_id()), (Topic::Sound, 17));
    assert_eq!((header.boot_ns(), header.sequence()), (BOOT_NS, 3));
    assert_eq!((header.content_version(), header.n_bytes()), (1, 16 + 100));
    assert_eq!(header.key_id(), ring(7).ids()[0]);
    let sealed = ring(7).seal_window(&window(1, 9), None).unwrap();
    let header = Header::read(&sealed).unwrap();
    let place = (header.boot_ns(), header.sequence());
    assert_eq!(place, (BOOT_NS, 9), "a window's boot is its stream's");
}

/// The law that no nonce comes twice with two contents.
#[test]
fn one_place_gives_one_nonce_for_one_content_alone() {
    let nonce = |sealed: &[u8]| sealed[header::BYTES..][..NONCE_BYTES].to_vec();
    let first = ring(7).seal_window(&window(1, 9), None).unwrap();
    assert_eq!(first, ring(7).seal_window(&window(1, 9), None).unwrap());
    let others = [
        ring(7).seal_window(&window(2, 9), None).unwrap(),
        ring(7).seal_window(&window(1, 10), None).unwrap(),
        ring(7).seal_window(&window(1, 9), Some(1)).unwrap(),
        ring(8).seal_window(&window(1, 9), None).unwrap(),
    ];
    let mut nonces: Vec<_> = others.iter().map(|sealed| nonce(sealed)).collect();
    nonces.push(nonce(&first));
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 5);
}

#[test]
fn two_keys_open_during_a_rotation_and_the_first_seals() {
    let keys = [8, 7].map(|first| Zeroizing::new([first; KEY_BYTES]));
    let both = KeyRing::new(keys.to_vec()).unwrap();
    assert!(both.reopen_block(17, &sealed_block()).is_ok());
    assert_eq!(both.ids(), [ring(8).ids(), ring(7).ids()].concat());
    let sealed = both.seal_block(&block(5), BlockFormat::S16Le, 0, 0);
    assert!(ring(8).reopen_block(17, &sealed.unwrap()).is_ok());
}

#[test]
fn rings_without_or_with_doubled_keys_are_refused() {
    let key = || Zeroizing::new([1; KEY_BYTES]);
    assert!(KeyRing::new(vec![]).is_err());
    assert!(KeyRing::new(vec![key(), key()]).is_err());
}

#[test]
fn nothing_shown_holds_the_key() {
    let shown = format!("{:?}", ring(0xAB));
    assert!(!shown.contains("abab") && !shown.contains("171"), "{shown}");
}

#[test]
fn a_received_time_stays_with_a_window_from_where_it_first_had_one() {
    let keys = ring(7);
    let sealed = keys.seal_window(&window(1, 0), Some(5)).unwrap();
    let opened = keys.open_window(17, &sealed, 9).unwrap();
    assert_eq!(opened.received_ms(), Some(5));
    let sealed = keys.seal_window(&window(1, 0), None).unwrap();
    let opened = keys.open_window(17, &sealed, 9).unwrap();
    assert_eq!(opened.received_ms(), Some(9));
}

#[test]
fn an_empty_window_is_scored_by_nobody_and_stays_empty() {
    let keys = ring(7);
    let start_slot = NOW_MS / 1_000;
    let sealed = keys.seal_window(&FeatureWindow::empty(17, start_slot, 6), None);
    let opened = keys.open_window(17, &sealed.unwrap(), NOW_MS).unwrap();
    assert!(opened.is_empty());
    let candidate = classifier().push(opened);
    let sealed = keys.seal_candidate(&candidate).unwrap();
    let opened = keys
        .open_candidate(17, &sealed, &mut Mark::default())
        .unwrap();
    assert!(opened.is_empty && candidate.is_empty);
    assert_eq!(candidate_bytes(&opened), candidate_bytes(&candidate));
}

#[test]
fn a_candidate_of_this_process_alone_is_not_sealed() {
    let candidate = classifier().push(window(1, 0));
    let refusal = ring(7).seal_candidate(&candidate).unwrap_err();
    assert_eq!(refusal.reason, Reason::Mismatch);
}

#[test]
fn the_version_of_candidates_is_the_shipped_model() {
    assert_eq!(Model::street().unwrap().version(), STREET_VERSION);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sealed and opened, a window is scored to the same bits, and so is what is sealed on.
    #[test]
    fn a_window_and_a_candidate_come_back_as_they_were(seed in 0_u64..1 << 40, index in 0_u64..1 << 40) {
        let (keys, mut classify) = (ring(7), classifier());
        let expected = classify.push(window(seed, index));
        let sealed = keys.seal_window(&window(seed, index), None).unwrap();
        let found = classify.push(keys.open_window(17, &sealed, NOW_MS).unwrap());
        prop_assert_eq!(candidate_bytes(&found), candidate_bytes(&expected));
        let sealed = keys.seal_candidate(&found).unwrap();
        // A window so far on lies after now; its stream does not.
        let opened = keys.open_candidate(17, &sealed, &mut Mark::default()).unwrap();
        prop_assert_eq!(candidate_bytes(&opened), candidate_bytes(&found));
        prop_assert_eq!(place(&opened), place(&found));
    }

    #[test]
    fn any_samples_come_back_as_floats(samples in prop::collection::vec(-1000.0_f32..1000.0, 1..300), start: u64, boot in 0..BOOT_NS, sequence: u64) {
        let block = AudioBlock::new(2, 48_000, start, samples).unwrap();
        let sealed = ring(7).seal_block(&block, BlockFormat::F32Le, boot, sequence).unwrap();
        let opened = ring(7).open_block(2, &sealed, &mut Mark::default(), NOW_MS).unwrap();
        prop_assert_eq!(opened.samples(), block.samples());
        prop_assert_eq!(opened.start_sample(), start);
    }
}
