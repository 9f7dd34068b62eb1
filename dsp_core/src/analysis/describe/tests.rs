use proptest::prelude::*;

use super::*;
use crate::analysis::window::N_BANDS;
use crate::simd::{Path, limit_path};
use crate::sound::block::MAX_MAGNITUDE;
use crate::sound::mel::{LOG_OFFSET, LogMel, LogMelSettings};
use crate::sound::weighting::WeightingKind;

mod arrays;

mod beginning;

mod many;

const SENSOR: u32 = 17;
const SLOT: u64 = 1_700_000_000;

fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..n)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let x = state as f32 / 4_294_967_296.0 - 0.5;
            // Loud and quiet stretches, a few of them clipped.
            (x * [0.02, 0.5, 2.5, 0.1][i / 1_500 % 4]).clamp(-1.0, 1.0)
        })
        .collect()
}

fn block(rate: u32, start: usize, samples: &[f32]) -> AudioBlock {
    AudioBlock::new(SENSOR, rate, start as u64, samples.to_vec()).unwrap()
}

/// All that came out, as bits.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    next_frame: u64,
    bits: Vec<u32>,
    seconds: Vec<SecondLevel>,
}

impl Heard {
    fn take(&mut self, out: &Description) {
        assert_eq!(out.bands.len(), out.n_frames() * N_BANDS);
        assert_eq!(out.first_frame, self.next_frame, "frames follow each other");
        self.next_frame += out.n_frames() as u64;
        let values = out.bands.iter().chain(out.masked_energy.iter());
        assert!(values.clone().all(|x| x.is_finite()));
        for (frame, energy) in out.bands.chunks(N_BANDS).zip(out.masked_energy.iter()) {
            self.bits.extend(frame.iter().map(|x| x.to_bits()));
            self.bits.push(energy.to_bits());
        }
        self.seconds.extend(&out.seconds[..]);
    }
}

fn hear(rate: u32, samples: &[f32], cuts: &[usize]) -> Heard {
    let mut describe = Describe::new(SENSOR, rate, SLOT).unwrap();
    let mut heard = Heard::default();
    let mut out = Description::default();
    push_in_blocks(&mut describe, samples, 0, cuts, &mut heard, &mut out);
    describe.finish_into(&mut out);
    heard.take(&out);
    heard
}

fn push_in_blocks(
    describe: &mut Describe,
    samples: &[f32],
    from: usize,
    sizes: &[usize],
    heard: &mut Heard,
    out: &mut Description,
) {
    let rate = describe.sample_rate();
    let (mut at, mut sizes) = (from, sizes.iter().cycle());
    while at < samples.len() {
        let n = sizes
            .next()
            .map_or(usize::MAX, |&n| n)
            .min(samples.len() - at);
        describe
            .push_into(&block(rate, at, &samples[at..at + n]), out)
            .unwrap();
        heard.take(out);
        at += n;
    }
}

const RATES: [u32; 8] = [
    8_000, 16_000, 16_001, 22_050, 44_100, 44_101, 48_000, 96_000,
];

/// Laws hold on each set of instructions.
fn paths() -> impl Strategy<Value = Path> {
    proptest::sample::select(vec![Path::Baseline, Path::Avx2, Path::Avx512])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_gives_the_answer_of_the_whole(
        rate in proptest::sample::select(RATES.to_vec()),
        sizes in proptest::collection::vec(1_usize..9_000, 1..6),
        n in 1_usize..100_000,
        path in paths(),
    ) {
        limit_path(path);
        let samples = noise(n, n as u32);
        prop_assert_eq!(hear(rate, &samples, &sizes), hear(rate, &samples, &[n]));
    }

    #[test]
    fn goes_on_after_a_restore_as_if_nothing_had_happened(
        rate in proptest::sample::select(RATES.to_vec()),
        share in 0.0_f64..1.0,
        sizes in proptest::collection::vec(1_usize..20_000, 1..4),
        tail in 1_usize..60_000,
        path in paths(),
    ) {
        limit_path(path);
        let position = (share * 3.5 * f64::from(rate)) as usize;
        let samples = noise(position + tail, 5);
        let whole = hear(rate, &samples, &[samples.len()]);
        let mut describe = Describe::new(SENSOR, rate, SLOT).unwrap();
        let (mut heard, mut out) = (Heard::default(), Description::default());
        push_in_blocks(&mut describe, &samples[..position], 0, &sizes, &mut heard, &mut out);
        let mut restored = restore(&describe);
        let start = position.saturating_sub(2 * rate as usize);
        let mut again = Heard::default();
        let (mut at, mut sizes_again) = (start, sizes.iter().rev().cycle());
        while at < position {
            let n = (*sizes_again.next().unwrap()).min(position - at);
            restored.refill_into(&block(rate, at, &samples[at..at + n]), &mut out).unwrap();
            if at == start {
                again.next_frame = out.first_frame;
            }
            again.take(&out);
            at += n;
        }
        let n_again = again.bits.len();
        prop_assert_eq!(&heard.bits[heard.bits.len() - n_again..], &again.bits[..]);
        if restored.hears_events() {
            prop_assert!(n_again / (N_BANDS + 1) >= 192.min(heard.next_frame as usize));
        }
        prop_assert!(again.seconds.is_empty());
        push_in_blocks(&mut restored, &samples, position, &sizes, &mut heard, &mut out);
        restored.finish_into(&mut out);
        heard.take(&out);
        prop_assert_eq!(heard, whole);
    }
}

fn restore(describe: &Describe) -> Describe {
    let mut writer = Writer::default();
    describe.save(&mut writer);
    let bytes = writer.into_bytes();
    let mut reader = Reader::new(&bytes);
    let restored = Describe::load(&mut reader).unwrap();
    reader.finish().unwrap();
    restored
}

#[test]
fn every_path_gives_the_same_bytes() {
    for rate in RATES {
        let samples = noise(rate as usize * 2 + 777, 3);
        let heard = [Path::Baseline, Path::Avx2, Path::Avx512].map(|path| {
            limit_path(path);
            hear(rate, &samples, &[4_321])
        });
        assert_eq!(heard[0], heard[1], "{rate}");
        assert_eq!(heard[0], heard[2], "{rate}");
    }
}

#[test]
fn pads_to_whole_windows() {
    for (n, n_frames) in [
        (1, 96),
        (4_800, 96),
        (15_600, 96),
        (15_601, 144),
        (15_600 + 7_680, 144),
        (15_600 + 7_681, 192),
    ] {
        let heard = hear(16_000, &noise(n, 1), &[1_000]);
        assert_eq!(heard.next_frame, n_frames, "{n}");
    }
    let mut describe = Describe::new(SENSOR, 16_000, SLOT).unwrap();
    let mut out = Description::default();
    describe.finish_into(&mut out);
    assert_eq!((out.n_frames(), out.seconds.len()), (0, 0));
}

#[test]
fn padding_is_silence_and_no_level() {
    let heard = hear(48_000, &noise(24_000, 1), &[1_000]);
    assert_eq!(heard.next_frame, 96);
    let last = &heard.bits[heard.bits.len() - 65..];
    let quiet = (LOG_OFFSET).ln();
    assert!(
        last[..64]
            .iter()
            .all(|&x| (f32::from_bits(x) - quiet).abs() < 1e-6)
    );
    assert_eq!(heard.seconds.len(), 1);
    assert_eq!(heard.seconds[0].heard, 0.5);
    assert!(heard.seconds[0].fast[3] > 0.0);
    assert_eq!(heard.seconds[0].fast[4], -1.0);
}

#[test]
fn seconds_are_whole_at_once() {
    let rate = 44_100;
    let mut describe = Describe::new(SENSOR, rate, SLOT).unwrap();
    let mut out = Description::default();
    for second in 0..3 {
        let samples = noise(rate as usize, 1);
        let start = second * rate as usize;
        describe
            .push_into(&block(rate, start, &samples), &mut out)
            .unwrap();
        assert_eq!(out.seconds.len(), 1);
        assert_eq!(out.seconds[0].slot, SLOT + second as u64);
        assert_eq!(out.seconds[0].heard, 1.0);
    }
}

fn reason(result: Result<(), BlockError>) -> Reason {
    result.unwrap_err().reason
}

#[test]
fn refuses_what_does_not_follow() {
    let mut describe = Describe::new(SENSOR, 16_000, SLOT).unwrap();
    let mut out = Description::default();
    let samples = noise(1_000, 1);
    let other_sensor = AudioBlock::new(SENSOR + 1, 16_000, 0, samples.clone()).unwrap();
    for other in [other_sensor, block(8_000, 0, &samples)] {
        assert_eq!(
            reason(describe.push_into(&other, &mut out)),
            Reason::Mismatch
        );
    }
    let first = block(16_000, 0, &samples);
    let late = block(16_000, 1, &samples);
    assert_eq!(
        reason(describe.push_into(&late, &mut out)),
        Reason::OutOfOrder
    );
    describe.push_into(&first, &mut out).unwrap();
    assert_eq!(
        reason(describe.push_into(&first, &mut out)),
        Reason::OutOfOrder
    );
    assert_eq!(
        reason(describe.refill_into(&first, &mut out)),
        Reason::OutOfOrder
    );
    assert!(Describe::new(SENSOR, 7_999, SLOT).is_err());
    assert!(Describe::new(SENSOR, 192_001, SLOT).is_err());
}

#[test]
fn waits_for_its_refill_after_a_restore() {
    let mut describe = Describe::new(SENSOR, 16_000, SLOT).unwrap();
    let mut out = Description::default();
    let samples = noise(1_000, 1);
    let first = block(16_000, 0, &samples);
    describe.push_into(&first, &mut out).unwrap();
    let mut restored = restore(&describe);
    let next = block(16_000, 1_000, &samples);
    assert_eq!(
        reason(restored.push_into(&next, &mut out)),
        Reason::OutOfOrder
    );
    let too_late = block(16_000, 1, &samples[1..]);
    for wrong in [&next, &too_late] {
        assert_eq!(
            reason(restored.refill_into(wrong, &mut out)),
            Reason::OutOfOrder
        );
    }
    restored.refill_into(&first, &mut out).unwrap();
    restored.push_into(&next, &mut out).unwrap();
    restored.finish_into(&mut out);
    let after = block(16_000, 2_000, &samples);
    assert_eq!(
        reason(restored.push_into(&after, &mut out)),
        Reason::OutOfOrder
    );
}

#[test]
fn every_cut_of_a_checkpoint_is_refused() {
    let describe = Describe::new(SENSOR, 16_000, SLOT).unwrap();
    let mut writer = Writer::default();
    describe.save(&mut writer);
    let bytes = writer.into_bytes();
    for n in 0..bytes.len() {
        assert!(Describe::load(&mut Reader::new(&bytes[..n])).is_err());
    }
}

/// Level of a sine in the frames, without the speech band, against the A weighting.
#[test]
fn masked_energy_is_a_weighted_and_deaf_to_speech() {
    let energy = |hz: f64| {
        let samples: Vec<f32> = (0..16_000)
            .map(|n| libm::sin(2.0 * std::f64::consts::PI * hz * f64::from(n) / 16_000.0) as f32)
            .collect();
        let mut describe = Describe::new(SENSOR, 16_000, SLOT).unwrap();
        let mut out = Description::default();
        describe
            .push_into(&block(16_000, 0, &samples), &mut out)
            .unwrap();
        10.0 * f64::from(out.masked_energy[40]).log10()
    };
    for hz in [4_000.0, 5_000.0, 6_300.0] {
        let expected = 10.0 * (0.5 * WeightingKind::A.gain(hz).powi(2)).log10();
        assert!(
            (energy(hz) - expected).abs() < 0.1,
            "{hz}: {} {expected}",
            energy(hz)
        );
    }
    for hz in [300.0, 500.0, 1_000.0, 3_400.0] {
        assert!(energy(hz) < -35.0, "{hz}: {}", energy(hz));
    }
}

/// Silence, constants, the smallest numbers, a full-scale square and the fastest largest one.
fn extremes(n: usize) -> [Vec<f32>; 6] {
    let square = |half: usize, peak: f32| -> Vec<f32> {
        let sample = |i: usize| {
            if (i / half).is_multiple_of(2) {
                peak
            } else {
                -peak
            }
        };
        (0..n).map(sample).collect()
    };
    [
        vec![0.0; n],
        vec![0.7; n],
        vec![MAX_MAGNITUDE; n],
        vec![f32::MIN_POSITIVE / 8.0; n],
        square(20, 1.0),
        square(1, MAX_MAGNITUDE),
    ]
}

#[test]
fn extremes_give_finite_values() {
    for rate in [8_000, 16_000, 44_100] {
        let heard = extremes(rate as usize * 2).map(|samples| hear(rate, &samples, &[2_000]));
        for second in heard.iter().flat_map(|h| h.seconds.iter()) {
            assert!(second.a_mean_square.is_finite() && second.a_mean_square >= 0.0);
            assert!(second.fast.iter().all(|x| x.is_finite()));
        }
        for silent in &heard[..4] {
            assert!(silent.seconds.iter().all(|s| s.is_silent));
        }
        assert_eq!(heard[0].seconds[1].a_mean_square, 0.0);
        let constant = heard[1].seconds[1];
        assert!(constant.a_mean_square < 1e-12, "a constant has no level");
        assert!(!heard[4].seconds[0].is_silent);
        assert_eq!(heard[0].seconds[0].n_clipped, 0);
        assert_eq!(heard[4].seconds[1].n_clipped, rate);
    }
}

#[test]
fn sample_life_is_bounded() {
    let life = |rate| {
        Describe::new(SENSOR, rate, SLOT)
            .unwrap()
            .longest_sample_life_s(1.0)
    };
    assert!(life(8_000) < 1.002);
    assert!(life(16_000) < 1.026);
    assert!(life(48_000) < 1.032);
}
