use super::band_pass::LANES;
use super::*;

#[test]
fn nominal_frequencies_lie_in_their_bands() {
    for x in LOWEST..=HIGHEST {
        assert_eq!(band_of("fmin", nominal_hz(x), LOWEST, HIGHEST), Ok(x));
        assert!((nominal_hz(x) / midband_hz(x)).log10().abs() < 0.006);
    }
    assert_eq!(nominal_hz(-15), 31.5);
    assert_eq!(nominal_hz(HIGHEST), 20_000.0);
}

#[test]
fn eight_lanes_are_enough_at_any_rate() {
    for sample_rate in (8_000..=192_000).step_by(997).chain([44_100, 48_000]) {
        let bank = ThirdOctaves::new(sample_rate, 10.0, None).unwrap();
        let periods = bank.periods(sample_rate as usize, None).unwrap();
        let stages = bank.stages(&periods);
        let n_bands: Vec<_> = stages.iter().map(|s| s.band_pass.n_bands()).collect();
        assert!(
            n_bands.iter().all(|&n| n <= LANES),
            "{sample_rate}: {n_bands:?}"
        );
        assert_eq!(n_bands.iter().sum::<usize>(), bank.midbands_hz().len());
    }
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
        let bank = ThirdOctaves::new(sample_rate, 25.0, Some(top)).unwrap();
        assert_eq!(bank.highest, highest_band(sample_rate));
        let refused = ThirdOctaves::new(sample_rate, 25.0, Some(1.26 * top)).unwrap_err();
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
        let refused = ThirdOctaves::new(48_000, fmin, fmax);
        assert!(refused.is_err_and(|e| e.name == name), "{fmin} {fmax:?}");
    }
}

#[test]
fn periods_shorter_than_a_sample_of_the_slowest_stage_are_refused() {
    let bank = ThirdOctaves::new(48_000, 25.0, None).unwrap();
    assert!(bank.periods(48_000, Some(0.006)).is_ok());
    assert!(
        bank.periods(48_000, Some(0.005))
            .is_err_and(|e| e.name == "period_s")
    );
}

#[test]
fn every_path_gives_the_same_bytes() {
    let samples: Vec<f32> = (0..20_000)
        .map(|i| ((i * i) % 1_009) as f32 / 504.5 - 1.0)
        .collect();
    let bank = ThirdOctaves::new(44_100, 25.0, None).unwrap();
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
