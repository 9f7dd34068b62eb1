use super::band_pass::LANES;
use super::*;

const BOTH: [Fraction; 2] = [Fraction::Octave, Fraction::ThirdOctave];
const THIRD: Fraction = Fraction::ThirdOctave;

#[test]
fn nominal_frequencies_lie_in_their_bands() {
    for fraction in BOTH {
        let (lowest, highest) = fraction.offered();
        for x in fraction.bands(lowest, highest) {
            let found = fraction.band_of("fmin", nominal_hz(x), lowest, highest);
            assert_eq!(found, Ok(x));
            assert!((nominal_hz(x) / midband_hz(x)).log10().abs() < 0.006);
        }
    }
    assert_eq!(nominal_hz(-15), 31.5);
    assert_eq!(nominal_hz(13), 20_000.0);
    assert_eq!((nominal_hz(-18), nominal_hz(12)), (16.0, 16_000.0));
}

#[test]
fn bands_meet_at_their_edges() {
    for fraction in BOTH {
        let (lowest, highest) = fraction.offered();
        let bands: Vec<_> = fraction.bands(lowest, highest).collect();
        assert_eq!((bands[0], bands[bands.len() - 1]), (lowest, highest));
        for pair in bands.windows(2) {
            let (upper, lower) = (fraction.edges_hz(pair[0]).1, fraction.edges_hz(pair[1]).0);
            assert!((upper / lower - 1.0).abs() < 1e-12, "{fraction:?} {pair:?}");
        }
    }
}

#[test]
fn eight_lanes_are_enough_at_any_rate() {
    for sample_rate in (8_000..=192_000).step_by(997).chain([44_100, 48_000]) {
        for (fraction, fmin) in [(Fraction::Octave, 16.0), (Fraction::ThirdOctave, 10.0)] {
            check_lanes(&Bank::new(fraction, sample_rate, fmin, None).unwrap());
        }
    }
}

fn check_lanes(bank: &Bank) {
    let sample_rate = bank.sample_rate;
    let periods = bank.periods(sample_rate as usize, None).unwrap();
    let stages = bank.stages(&periods);
    let n_bands: Vec<_> = stages.iter().map(|s| s.band_pass.n_bands()).collect();
    assert!(
        n_bands.iter().all(|&n| n <= LANES),
        "{sample_rate}: {n_bands:?}"
    );
    assert_eq!(n_bands.iter().sum::<usize>(), bank.midbands_hz().len());
}

#[test]
fn bands_that_the_rate_does_not_hold_are_refused() {
    for (sample_rate, top) in [
        (8_000, 3_150.0),
        (16_000, 6_300.0),
        (32_000, 12_500.0),
        (44_100, 16_000.0),
        (48_000, 20_000.0),
        (192_000, 20_000.0),
    ] {
        let bank = Bank::new(THIRD, sample_rate, 25.0, Some(top)).unwrap();
        assert_eq!(bank.highest, THIRD.highest_band(sample_rate));
        let refused = Bank::new(THIRD, sample_rate, 25.0, Some(1.26 * top)).unwrap_err();
        assert_eq!(refused.name, "fmax");
        assert!(
            refused.expected.contains(&format!("25 to {top} Hz")),
            "{refused}"
        );
    }
    for (fmin, fmax, name) in [
        (8.0, None, "fmin"),
        (f64::NAN, None, "fmin"),
        (25_000.0, None, "fmin"),
        (1_000.0, Some(500.0), "fmax"),
        (1_000.0, Some(f64::INFINITY), "fmax"),
    ] {
        let refused = Bank::new(THIRD, 48_000, fmin, fmax);
        assert!(refused.is_err_and(|e| e.name == name), "{fmin} {fmax:?}");
    }
}

#[test]
fn periods_shorter_than_a_sample_of_the_slowest_stage_are_refused() {
    let bank = Bank::new(THIRD, 48_000, 25.0, None).unwrap();
    assert!(bank.periods(48_000, Some(0.006)).is_ok());
    assert!(
        bank.periods(48_000, Some(0.005))
            .is_err_and(|e| e.name == "period_s")
    );
}

#[test]
fn octaves_that_the_rate_does_not_hold_are_refused() {
    for (sample_rate, top) in [
        (8_000, 2_000.0),
        (16_000, 4_000.0),
        (32_000, 8_000.0),
        (44_100, 8_000.0),
        (48_000, 16_000.0),
    ] {
        let bank = Bank::new(Fraction::Octave, sample_rate, 16.0, Some(top)).unwrap();
        assert_eq!(
            bank.highest,
            Fraction::Octave.highest_band(sample_rate),
            "{sample_rate}"
        );
        let refused = Bank::new(Fraction::Octave, sample_rate, 31.5, Some(2.0 * top)).unwrap_err();
        assert_eq!(refused.name, "fmax");
        assert!(
            refused.expected.contains(&format!("31.5 to {top} Hz")),
            "{refused}"
        );
    }
    assert!(Bank::new(Fraction::Octave, 48_000, 10.0, None).is_err_and(|e| e.name == "fmin"));
}

#[test]
fn every_path_gives_the_same_bytes() {
    let samples: Vec<f32> = (0..20_000)
        .map(|i| ((i * i) % 1_009) as f32 / 504.5 - 1.0)
        .collect();
    let bank = Bank::new(THIRD, 44_100, 25.0, None).unwrap();
    let periods = bank.periods(samples.len(), Some(0.05)).unwrap();
    let levels = || {
        let mut out = vec![0.0; periods.count() * bank.midbands_hz().len()];
        bank.levels_into(&samples, &periods, 1.0, &mut out);
        out
    };
    let widest = levels();
    for path in [crate::simd::Path::Baseline, crate::simd::Path::Avx2] {
        crate::simd::limit_path(path);
        assert_eq!(levels(), widest, "{path:?}");
    }
    crate::simd::limit_path(crate::simd::Path::Avx512);
}
