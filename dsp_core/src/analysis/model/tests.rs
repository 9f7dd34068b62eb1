//! Tests of the weights file's reader.

use proptest::prelude::*;

use super::stored::*;
use super::*;
use crate::Reason;
use crate::analysis::rehearsal;
use crate::analysis::window::N_BANDS;

fn small() -> Vec<u8> {
    rehearsal::model_bytes(5, 16, &[(2, 16), (2, 32)], &[1, 7, 8], 0.0)
}

/// Reads, and where that succeeds runs: neither may panic.
fn try_out(file: &[u8]) -> Result<(), BlockError> {
    let model = Model::from_bytes(file)?;
    let mut scratch = model.network().scratch();
    let bands = rehearsal::bands(1);
    let _ = model
        .network()
        .forward(&bands, &[false; N_BANDS], 0.0, &mut scratch);
    Ok(())
}

fn refusal(file: &[u8]) -> Reason {
    try_out(file).unwrap_err().reason
}

#[test]
fn street_is_whole() {
    let model = Model::street().unwrap();
    assert!(model.classes().len() >= 8);
    assert_eq!(model.id().len(), 64);
    let scream = |c: &&ModelClass| c.sound_class == SoundClass::Scream;
    assert!(
        model
            .classes()
            .iter()
            .find(scream)
            .is_none_or(|c| c.is_experimental)
    );
}

#[test]
fn classes_are_read_in_order() {
    let model = Model::from_bytes(&small()).unwrap();
    let codes: Vec<u8> = model
        .classes()
        .iter()
        .map(|c| c.sound_class.code())
        .collect();
    assert_eq!(codes, [1, 7, 8]);
    assert!(model.classes()[0].is_experimental && !model.classes()[2].is_experimental);
    assert_eq!(model.classes()[1].confidence_step, 0.5);
}

#[test]
fn what_does_not_fit_is_refused() {
    let file = small();
    try_out(&file).unwrap();
    let with = |at: usize, byte: u8| {
        let mut file = file.clone();
        file[at] = byte;
        refusal(&file)
    };
    let n = file.len();
    // The magic, the number of layers, the first layer's kind, stride, inputs and outputs.
    for (at, byte) in [
        (0, 0),
        (8, 5),
        (8, 4),
        (8, 255),
        (12, 1),
        (13, 3),
        (14, 2),
        (16, 17),
        (16, 0),
    ] {
        assert_eq!(with(at, byte), Reason::BadModel, "{at} {byte}");
    }
    // The last class: a code twice, none such, unknown flags, an infinite threshold, a negative step.
    for (at, byte) in [
        (n - 14, 7),
        (n - 14, 16),
        (n - 13, 2),
        (n - 1, 0xbf),
        (n - 43, 2),
    ] {
        assert_eq!(with(at, byte), Reason::BadModel, "{at} {byte}");
    }
    let mut infinite = file.clone();
    infinite[n - 12..n - 8].copy_from_slice(&f32::INFINITY.to_le_bytes());
    assert_eq!(refusal(&infinite), Reason::BadModel);
    assert_eq!(refusal(&[&file[..], &[0]].concat()), Reason::BadModel);
    assert_eq!(refusal(&vec![0; MAX_BYTES + 1]), Reason::BadModel);
}

fn reason(file: &[u8]) -> String {
    let error = Model::from_bytes(file).unwrap_err();
    assert_eq!(error.reason, Reason::BadModel);
    error.to_string()
}

#[test]
fn the_form_without_steps_is_refused_by_its_name() {
    let mut file = small();
    file[7] = b'1';
    let text = reason(&file);
    assert!(
        text.contains("SRDNNET2") && text.contains("SRDNNET1"),
        "{text}"
    );
}

#[test]
fn a_step_is_a_positive_number() {
    for place in rehearsal::step_places(&small()) {
        for step in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            let mut file = small();
            file[place..place + 4].copy_from_slice(&step.to_le_bytes());
            let _ = reason(&file);
        }
    }
}

#[test]
fn layers_come_in_turn_and_rows_are_even() {
    let mut two_pointwise = small();
    let steps = rehearsal::step_places(&two_pointwise);
    two_pointwise[steps[1] - 6] = 2;
    assert!(reason(&two_pointwise).contains("in turn"));
    let odd = rehearsal::model_bytes(5, 16, &[(2, 16), (2, 16), (2, 16), (2, 16)], &[1], 0.0);
    assert!(reason(&odd).contains("even number of rows"));
}

/// No sum of products leaves 32 bits: the weights of one output may not add up to more, and up to that they may.
#[test]
fn weights_that_could_overflow_are_refused() {
    let n_in = 2 * 528;
    let with = |sum: i32| {
        let mut file = rehearsal::model_bytes(5, 16, &[(2, 528)], &[1], 0.0);
        let weights = rehearsal::step_places(&file)[3] + 4;
        let mut left = sum;
        for weight in &mut file[weights..weights + n_in] {
            let magnitude = left.min(127);
            *weight = if left % 2 == 0 { -magnitude } else { magnitude } as i8 as u8;
            left -= magnitude;
        }
        assert_eq!(left, 0);
        file
    };
    try_out(&with(MAX_WEIGHT_SUM)).unwrap();
    assert!(reason(&with(MAX_WEIGHT_SUM + 1)).contains("32 bits"));
    let largest = i64::from(MAX_WEIGHT_SUM) * 32_767;
    assert!(largest <= i64::from(i32::MAX) && largest + 32_767 > i64::from(i32::MAX));
    const { assert!(512 * 128 <= MAX_WEIGHT_SUM) };
}

#[test]
fn every_shorter_file_is_refused() {
    let file = small();
    for length in 0..file.len() {
        assert_eq!(refusal(&file[..length]), Reason::BadModel);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_mutation_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut file = small();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        let _ = try_out(&file);
    }

    #[test]
    fn no_mutated_header_panics(changes in prop::collection::vec((0usize..40, 0usize..20, any::<u8>()), 1..4)) {
        let mut file = small();
        let steps = rehearsal::step_places(&file);
        for (layer, offset, byte) in changes {
            let at = steps[layer % steps.len()] - 6 + offset % 10;
            file[at] = byte;
        }
        let _ = try_out(&file);
    }

    #[test]
    fn no_bytes_panic(tail in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = try_out(&[MAGIC, &tail].concat());
    }
}
