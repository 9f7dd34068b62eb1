//! Tests of the layers.

use proptest::prelude::*;

use super::*;
use crate::analysis::model::{Model, STREET};
use crate::analysis::reference::{logits_f64, logits_in_integers};
use crate::analysis::rehearsal;
use crate::simd::{self, Path};

/// Shapes that exercise every edge: leftover positions, odd numbers of groups, every stride, half-used lanes in the head.
const SHAPES: [(u16, &[(u8, u16)]); 5] = [
    (16, &[]),
    (32, &[(1, 16)]),
    (16, &[(2, 32), (1, 48), (2, 32)]),
    (48, &[(2, 16), (2, 16), (1, 32), (1, 16), (2, 64), (1, 16)]),
    (16, &[(2, 64), (2, 128), (1, 112)]),
];
const CODES: [&[u8]; 5] = [&[7], &[1, 2, 3], &[1, 7, 8, 9, 12], &[0, 15], &[4]];

fn small_model(seed: u32, shape: usize) -> Vec<u8> {
    let (n_first, pairs) = SHAPES[shape];
    rehearsal::model_bytes(seed, n_first, pairs, CODES[shape], 0.0)
}

fn models() -> impl Iterator<Item = Vec<u8>> {
    let small = (0..SHAPES.len()).map(|shape| small_model(90 + shape as u32, shape));
    small.chain([STREET.to_vec()])
}

fn logits(model: &Model, bands: &[f32], scratch: &mut Scratch) -> Vec<f32> {
    let network = model.network();
    let logits = network.forward(bands, &[false; N_BANDS], 0.0, scratch);
    logits[..model.classes().len()].to_vec()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Holds every path that is there against the reference, and gives its largest sum.
fn check(file: &[u8], bands: &[f32]) -> i64 {
    let model = Model::from_bytes(file).unwrap();
    let (expected, largest) = logits_in_integers(file, bands);
    for path in [Path::Baseline, Path::Avx2, Path::Avx512] {
        simd::limit_path(path);
        let found = logits(&model, bands, &mut model.network().scratch());
        assert_eq!(bits(&found), bits(&expected), "{path:?}");
    }
    largest
}

#[test]
fn every_path_gives_the_bits_of_the_reference() {
    for (i, file) in models().enumerate() {
        let largest = check(&file, &rehearsal::bands(i as u32));
        assert!(largest > 1 << 20, "{i}: {largest}");
    }
}

/// Activations that are cut off at their largest, and sums near the end of 32 bits: whatever the bands, nothing wraps.
#[test]
fn every_path_gives_the_bits_of_the_reference_at_the_ends_of_the_range() {
    for (i, mut file) in models().enumerate() {
        for step in rehearsal::step_places(&file) {
            file[step..step + 4].copy_from_slice(&1e-4f32.to_le_bytes());
        }
        for value in [f32::MAX, -1e9, f32::INFINITY] {
            let mut bands = rehearsal::bands(i as u32);
            bands.iter_mut().step_by(3).for_each(|band| *band = value);
            assert!(check(&file, &bands) <= i64::from(i32::MAX));
        }
    }
}

#[test]
fn the_sums_come_to_the_end_of_32_bits_and_not_beyond() {
    // 512 inputs, each at its largest with a weight at its largest.
    let mut file = rehearsal::model_bytes(7, 16, &[(2, 512), (2, 16)], &[1, 2], 0.0);
    let steps = rehearsal::step_places(&file);
    for (layer, n_outputs) in [16, 16, 512, 512, 16].into_iter().enumerate() {
        let (step, end) = (steps[layer], steps[layer + 1] - 6);
        let (weight, biases) = (if layer == 4 { -128i8 } else { 127 }, end - 4 * n_outputs);
        file[step..step + 4].copy_from_slice(&1e-9f32.to_le_bytes());
        file[step + 4..end - 8 * n_outputs].fill(weight as u8);
        file[biases..end].fill(0);
    }
    let largest = check(&file, &[9.0; WINDOW_FRAMES * N_BANDS]);
    assert!(largest > i64::from(i32::MAX) - 100_000, "{largest}");
    assert!(largest <= i64::from(i32::MAX), "{largest}");
}

#[test]
fn it_is_close_to_what_is_not_rounded() {
    for (i, file) in models().enumerate() {
        let model = Model::from_bytes(&file).unwrap();
        let bands = rehearsal::bands(7);
        let found = logits(&model, &bands, &mut model.network().scratch());
        let expected = logits_f64(&file, &bands);
        let largest = expected.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
        for (found, expected) in found.into_iter().zip(expected) {
            let error = (f64::from(found) - expected).abs() / largest;
            assert!(error < 1e-3, "model {i}: {found} for {expected}");
        }
    }
}

/// Logits of a model and a window from seeds, by another program: `tests/golden/make_classifier.py`.
#[test]
fn it_gives_the_golden_logits() {
    const GOLDEN: [u32; 5] = [
        0xc173_2a60,
        0x3ffb_3dc0,
        0x4080_a760,
        0xc1a0_7454,
        0xc1bd_2454,
    ];
    let (file, bands) = (small_model(92, 2), rehearsal::bands(7));
    assert_eq!(bits(&logits_in_integers(&file, &bands).0), GOLDEN);
    let model = Model::from_bytes(&file).unwrap();
    let found = logits(&model, &bands, &mut model.network().scratch());
    assert_eq!(bits(&found), GOLDEN);
}

#[test]
fn what_the_buffers_held_does_not_matter() {
    let model = Model::street().unwrap();
    let mut scratch = model.network().scratch();
    let expected = bits(&logits(&model, &rehearsal::bands(3), &mut scratch));
    for buffer in scratch.buffers() {
        buffer.fill(Lanes([i32::MIN + 12_345; LANES]));
    }
    let found = logits(&model, &rehearsal::bands(3), &mut scratch);
    assert_eq!(bits(&found), expected);
}

#[test]
fn what_is_no_number_is_a_zero() {
    let model = Model::street().unwrap();
    let mut scratch = model.network().scratch();
    let mut pass = |value| {
        bits(&logits(
            &model,
            &[value; WINDOW_FRAMES * N_BANDS],
            &mut scratch,
        ))
    };
    assert_eq!(pass(f32::NAN), pass(0.0));
}

#[test]
fn street_is_of_the_size_that_the_figures_are_about() {
    let model = Model::street().unwrap();
    let n_op: usize = model.network().layers.iter().map(Layer::n_op).sum();
    assert!((15_000_000..100_000_000).contains(&n_op), "{n_op}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_weights_and_bands_give_the_bits_of_the_reference(
        seed in any::<u32>(),
        shape in 0..SHAPES.len(),
        gain in -20f32..20.0,
    ) {
        let mut bands = rehearsal::bands(seed);
        bands.iter_mut().for_each(|band| *band *= gain);
        check(&small_model(seed, shape), &bands);
    }
}
