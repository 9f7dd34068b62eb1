use super::*;

const RATE: u32 = 48_000;

/// A tone of an amplitude between two silences of 1 s, with noise of a level throughout.
fn recording(rate: u32, hz: f64, amplitude: f64, seconds: f64, noise: f64) -> Vec<f32> {
    let (n, n_tone) = (rate as usize, (seconds * f64::from(rate)) as usize);
    let mut state = 1_u64;
    (0..2 * n + n_tone)
        .map(|i| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let random = (state >> 40) as f64 / (1 << 23) as f64 - 1.0;
            let is_on = (n..n + n_tone).contains(&i);
            let phase = 2.0 * PI * hz * i as f64 / f64::from(rate);
            let tone = if is_on { amplitude * phase.sin() } else { 0.0 };
            (tone + noise * random) as f32
        })
        .collect()
}

fn calibrate(
    rate: u32,
    tone_hz: f64,
    samples: &[f32],
    block: usize,
) -> Result<Calibrated, BlockError> {
    let mut stage = Calibrate::new(rate, tone_hz, 94.0).unwrap();
    let mut start = 0;
    for piece in samples.chunks(block) {
        stage.push(&AudioBlock::new(1, rate, start, piece.to_vec()).unwrap())?;
        start += piece.len() as u64;
    }
    stage.finish()
}

fn reason(result: Result<Calibrated, BlockError>) -> Reason {
    result.unwrap_err().reason
}

#[test]
fn full_scale_is_the_tones_level_less_what_it_reads() {
    for (rate, hz) in [
        (8_000, 1_000.0),
        (16_000, 250.0),
        (44_100, 1_000.0),
        (RATE, 250.0),
    ] {
        for off in [0.0, 0.0024, -0.013, 0.028] {
            // Amplitude 0.1: -23.01 dBFS.
            let samples = recording(rate, hz * (1.0 + off), 0.1, 8.0, 0.001);
            let found = calibrate(rate, hz, &samples, 7_919).unwrap();
            assert_eq!(found.full_scale_db, 117.0, "{rate} {hz} {off}");
            assert!(found.spread_db <= 0.1);
        }
    }
}

#[test]
fn any_split_gives_the_same() {
    let samples = recording(RATE, 1_003.0, 0.2, 7.0, 0.01);
    let whole = calibrate(RATE, 1_000.0, &samples, samples.len()).unwrap();
    for block in [100, 12_000, 12_001] {
        assert_eq!(calibrate(RATE, 1_000.0, &samples, block).unwrap(), whole);
    }
}

#[test]
fn what_is_no_calibrators_tone_is_refused_by_its_reason() {
    let tone = |hz, amplitude, seconds, noise| recording(RATE, hz, amplitude, seconds, noise);
    let of = |samples: Vec<f32>| reason(calibrate(RATE, 1_000.0, &samples, 24_000));
    assert_eq!(
        of(tone(1_000.0, 0.1, 5.0, 0.0)),
        Reason::NoTone,
        "too short"
    );
    assert_eq!(
        of(tone(1_100.0, 0.1, 9.0, 0.0)),
        Reason::NoTone,
        "another frequency"
    );
    assert_eq!(
        of(tone(250.0, 0.1, 9.0, 0.001)),
        Reason::WrongFrequency,
        "the other calibrator"
    );
    assert_eq!(
        of(tone(1_000.0, 0.1, 9.0, 0.1)),
        Reason::TooNoisy,
        "noise over it"
    );
    assert_eq!(of(tone(1_000.0, 0.01, 9.0, 0.1)), Reason::NoTone, "noise");
    assert_eq!(
        of(tone(1_000.0, 1e-5, 9.0, 0.0)),
        Reason::TooQuiet,
        "too quiet"
    );
    assert_eq!(of(vec![0.0; 480_000]), Reason::TooQuiet, "silence");
    assert_eq!(of(vec![]), Reason::NoTone, "nothing");
    let mut clipped = tone(1_000.0, 1.2, 9.0, 0.0);
    clipped.iter_mut().for_each(|x| *x = x.clamp(-1.0, 1.0));
    assert_eq!(of(clipped), Reason::Clipped);
    let mut drifting = tone(1_000.0, 0.1, 9.0, 0.0);
    for (i, x) in drifting.iter_mut().enumerate() {
        *x *= 1.0 + 0.01 * (i as f32 / RATE as f32);
    }
    assert_eq!(of(drifting), Reason::Unstable);
}

#[test]
fn a_block_of_another_rate_is_refused() {
    let mut stage = Calibrate::new(RATE, 1_000.0, 94.0).unwrap();
    let other = AudioBlock::new(1, 44_100, 0, vec![0.0; 10]).unwrap();
    assert_eq!(stage.push(&other).unwrap_err().reason, Reason::Mismatch);
}

#[test]
fn impossible_settings_are_refused() {
    assert!(Calibrate::new(7_000, 1_000.0, 94.0).is_err());
    assert!(Calibrate::new(RATE, f64::NAN, 94.0).is_err());
    assert!(Calibrate::new(RATE, 1_000.0, 200.0).is_err());
}
