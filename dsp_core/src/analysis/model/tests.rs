//! Tests of the weights file's reader.

use proptest::prelude::*;

use super::stored::*;
use super::*;
use crate::analysis::rehearsal;

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
        let starts = layer_starts(&file);
        for (layer, offset, byte) in changes {
            let at = (starts[layer % starts.len()] + offset % 6).min(file.len() - 1);
            file[at] = byte;
        }
        let _ = try_out(&file);
    }

    #[test]
    fn no_bytes_panic(tail in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = try_out(&[MAGIC, &tail].concat());
    }
}

/// Where the layers' headers start, and the number of classes.
fn layer_starts(file: &[u8]) -> Vec<usize> {
    let size = |at: usize| usize::from(u16::from_le_bytes([file[at], file[at + 1]]));
    let mut starts = vec![12];
    for _ in 0..file[8] {
        let at = starts[starts.len() - 1];
        let n_terms = if file[at] < 2 { 9 } else { size(at + 2) };
        starts.push(at + 6 + (n_terms + 8) * size(at + 4));
    }
    starts
}
