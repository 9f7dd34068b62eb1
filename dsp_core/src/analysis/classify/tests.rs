//! Tests of the stage.

use proptest::prelude::*;

use super::*;
use crate::analysis::no_alloc::n_allocations;
use crate::analysis::rehearsal;
use crate::analysis::window::WINDOW_FRAMES;

fn street() -> Classify {
    Classify::new(Arc::new(Model::street().unwrap()), SPEECH_BAND_HZ).unwrap()
}

/// Small, with classes on either side of the rule, and a threshold that windows fall on either side of.
fn small(seed: u32, threshold: f32) -> Classify {
    let codes = [1, 2, 7, 8, 10];
    let file = rehearsal::model_bytes(seed, 16, &[(2, 32), (2, 32)], &codes, threshold);
    Classify::new(Arc::new(Model::from_bytes(&file).unwrap()), SPEECH_BAND_HZ).unwrap()
}

type Bits = ([u32; N_CLASSES], [u32; N_CLASSES], [u8; N_CLASSES]);

fn bits(candidate: &Candidate) -> Bits {
    let bits = |margins: &[f32; N_CLASSES]| margins.map(f32::to_bits);
    (
        bits(&candidate.full_margin),
        bits(&candidate.masked_margin),
        candidate.confidence,
    )
}

/// The class that a window releases and its confidence, by the rule of the weights file.
fn decision(candidate: &Candidate) -> Option<(usize, u8)> {
    let hits = SoundClass::ALL.iter().filter(|class| {
        let code = usize::from(class.code());
        let is_full = candidate.full_margin[code] >= 0.0;
        is_full && (class.is_full_band() || candidate.masked_margin[code] >= 0.0)
    });
    let codes = hits.map(|class| usize::from(class.code()));
    let best = codes.max_by(|&a, &b| candidate.full_margin[a].total_cmp(&candidate.full_margin[b]));
    best.map(|code| (code, candidate.confidence[code]))
}

#[test]
fn the_mask_is_what_touches_the_speech_band() {
    let model = Arc::new(Model::street().unwrap());
    let masked = |band| Classify::new(model.clone(), band).unwrap().masked;
    let expected: [bool; N_BANDS] = std::array::from_fn(|band| (2..=45).contains(&band));
    assert_eq!(masked(SPEECH_BAND_HZ), expected);
    assert_eq!(masked([100.0, 8_000.0]), [true; N_BANDS]);
    let wider = masked([200.0, 4_000.0]);
    assert!(wider.iter().filter(|&&is_masked| is_masked).count() > 44);
    assert_eq!(MASK_FILL.to_bits(), crate::sound::mel::ln(0.001).to_bits());
}

#[test]
fn a_speech_band_is_never_narrowed() {
    let model = Arc::new(Model::street().unwrap());
    for band in [
        [221.0, 3_480.0],
        [220.0, 3_479.0],
        [f64::NAN, 4_000.0],
        [0.0, f64::INFINITY],
        [-1.0, 4_000.0],
    ] {
        assert!(Classify::new(model.clone(), band).is_err(), "{band:?}");
    }
    assert!(Classify::new(model, [100.0, 5_000.0]).is_ok());
}

#[test]
fn margins_are_relative_and_classes_without_output_have_none() {
    let zero = small(3, 0.0).score(&rehearsal::window(2), true);
    let one = small(3, 1.0).score(&rehearsal::window(2), true);
    for code in 0..N_CLASSES {
        let has_output = [1, 2, 7, 8, 10].contains(&code);
        assert_eq!(zero.full_margin[code] != NO_OUTPUT, has_output);
        if has_output {
            assert_eq!(zero.full_margin[code] - 1.0, one.full_margin[code]);
            assert_eq!(zero.masked_margin[code] - 1.0, one.masked_margin[code]);
        }
    }
    assert_ne!(zero.full_margin, zero.masked_margin);
}

#[test]
fn confidence_counts_steps_of_the_deciding_margin() {
    for (margin, expected) in [
        (-9.0, 0),
        (0.0, 0),
        (0.49, 0),
        (0.5, 1),
        (1.4, 2),
        (1.5, 3),
        (1e9, 3),
        (NO_OUTPUT, 0),
    ] {
        assert_eq!(confidence(margin, 0.5), expected, "{margin}");
    }
    let candidate = small(3, -20.0).score(&rehearsal::window(2), true);
    for class in small(3, -20.0).classes() {
        let code = usize::from(class.sound_class.code());
        let deciding = match class.sound_class.is_full_band() {
            true => candidate.full_margin[code],
            false => candidate.masked_margin[code],
        };
        assert_eq!(candidate.confidence[code], confidence(deciding, 0.5));
    }
}

#[test]
fn no_number_is_no_output() {
    assert_eq!(margin(f32::NAN, 0.0), NO_OUTPUT);
    let bands = vec![f32::NAN; WINDOW_FRAMES * N_BANDS];
    let candidate = street().push(FeatureWindow::new(1, 2, 3, -4.0, bands));
    assert!(candidate.full_margin.iter().all(|margin| !margin.is_nan()));
    assert_eq!(
        (candidate.sensor_id, candidate.index, candidate.slot),
        (1, 2, 3)
    );
    assert_eq!(candidate.level_dbfs, -4.0);
}

#[test]
fn skipping_the_masked_pass_changes_no_decision() {
    let (mut n_skipped, mut n_hits, mut n_masked_out) = (0, 0, 0);
    for seed in 0..60 {
        let mut classify = small(seed, 4.0);
        for window in 0..6 {
            let quick = classify.push(rehearsal::window(window));
            let thorough = classify.score(&rehearsal::window(window), true);
            assert_eq!(decision(&quick), decision(&thorough));
            assert_eq!(quick.full_margin, thorough.full_margin);
            let is_skipped = quick.masked_margin == [NO_OUTPUT; N_CLASSES];
            n_skipped += usize::from(is_skipped);
            n_hits += usize::from(decision(&quick).is_some());
            n_masked_out += usize::from(!is_skipped && decision(&quick).is_none());
        }
    }
    assert!(
        n_skipped > 20 && n_hits > 20 && n_masked_out > 5,
        "{n_skipped} {n_hits} {n_masked_out}"
    );
}

#[test]
fn neither_repetition_nor_order_matters() {
    let mut classify = street();
    let alone: Vec<Bits> = (0..3)
        .map(|seed| bits(&street().score(&rehearsal::window(seed), true)))
        .collect();
    for round in 0..20u32 {
        for step in 0..3 {
            let seed = (step * 2 + round) % 3;
            let candidate = classify.score(&rehearsal::window(seed), true);
            assert_eq!(bits(&candidate), alone[seed as usize]);
        }
    }
}

#[test]
fn nothing_of_a_window_stays_behind() {
    let mut classify = street();
    drop(classify.score(&rehearsal::window(1), true));
    assert!(classify.scratch.is_wiped());
}

#[test]
fn a_window_is_scored_without_an_allocation() {
    let mut classify = street();
    let windows = [1, 2, 3].map(rehearsal::window);
    assert_eq!(
        n_allocations(|| windows
            .into_iter()
            .for_each(|window| drop(classify.push(window)))),
        0
    );
}

#[test]
fn debug_prints_no_score() {
    let mut classify = street();
    let text = format!("{classify:?} {:?}", classify.push(rehearsal::window(1)));
    assert!(
        !text.contains("margin") && !text.contains("bands"),
        "{text}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_masked_pass_hears_nothing_of_the_speech_band(
        seed in 0u32..1000,
        changes in prop::collection::vec((0usize..WINDOW_FRAMES, 2usize..=45, any::<f32>()), 1..300),
    ) {
        let mut classify = street();
        let expected = classify.score(&rehearsal::window(seed), true);
        let mut bands = rehearsal::bands(seed);
        for (frame, band, value) in changes {
            bands[frame * N_BANDS + band] = value;
        }
        let found = classify.score(&FeatureWindow::new(0, 0, 0, 0.0, bands), true);
        prop_assert_eq!(bits(&found).1, bits(&expected).1);
    }
}
