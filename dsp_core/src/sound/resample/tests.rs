use super::*;

fn resample(samples: &[f32], rate: u32) -> Result<Vec<f32>, ParameterError> {
    let mut out = vec![0.0; n_resampled(samples.len(), rate, TARGET_RATE)];
    resample_into(samples, rate, TARGET_RATE, &mut out).map(|()| out)
}

const RATES: [u32; 9] = [
    22_050, 32_000, 44_100, 48_000, 96_000, 192_000, 44_101, 16_001, 191_999,
];

/// Output of a sine of amplitude 1 at `hz`, without the filter's ends.
fn sine(sample_rate: u32, hz: f64) -> Vec<f32> {
    let step = 2.0 * std::f64::consts::PI * hz / f64::from(sample_rate);
    let samples: Vec<f32> = (0..sample_rate)
        .map(|n| libm::sin(step * f64::from(n)) as f32)
        .collect();
    let out = resample(&samples, sample_rate).unwrap();
    assert_eq!(out.len(), 16_000);
    out[200..15_800].to_vec()
}

fn level_db(samples: &[f32]) -> f64 {
    let sum: f64 = samples.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    10.0 * (2.0 * sum / samples.len() as f64).log10()
}

#[test]
fn pass_band_is_flat_and_in_place() {
    for rate in RATES {
        for hz in [
            50.0, 997.0, 3_000.0, 5_000.0, 6_500.0, 7_000.0, 7_400.0, 7_500.0,
        ] {
            let out = sine(rate, hz);
            // Against the sine at the outputs' own times: gain and delay at once.
            let step = 2.0 * std::f64::consts::PI * hz / 16_000.0;
            let worst = out
                .iter()
                .enumerate()
                .map(|(i, &y)| (f64::from(y) - libm::sin(step * (i + 200) as f64)).abs());
            let worst = worst.fold(0.0, f64::max);
            assert!(worst < 2e-4, "{rate} Hz, sine of {hz} Hz: {worst:e}");
        }
    }
}

#[test]
fn aliases_are_80_db_down() {
    for rate in RATES {
        let nyquist = f64::from(rate) / 2.0;
        let mut hz = 8_500.0;
        while hz < nyquist {
            let level = level_db(&sine(rate, hz));
            assert!(level < -80.0, "{rate} Hz, sine of {hz} Hz: {level:.1} dB");
            hz += 0.037 * nyquist;
        }
    }
}

#[test]
fn sixteen_khz_is_untouched() {
    let samples: Vec<f32> = (0..5_000)
        .map(|n| (n as f32 * 0.37).fract() - 0.5)
        .collect();
    assert_eq!(resample(&samples, 16_000).unwrap(), samples);
    assert!(resample(&samples, 7_999).is_err());
    assert!(resample(&[], 44_100).unwrap().is_empty());
}

#[test]
fn lower_rates_keep_their_band() {
    for rate in [8_000, 11_025] {
        let out = sine(rate, 0.4 * f64::from(rate));
        assert!(level_db(&out).abs() < 0.01, "{rate}: {}", level_db(&out));
    }
}

#[test]
fn tables_are_bounded_and_shared() {
    for rate in RATES {
        let table = Table::shared(rate, TARGET_RATE);
        assert!(Arc::ptr_eq(&table, &Table::shared(rate, TARGET_RATE)));
        assert!(table.coefficients.len() * LANES * 4 <= 1_100_000, "{rate}");
    }
    assert!(Table::new(44_100, TARGET_RATE).is_exact && Table::new(22_050, TARGET_RATE).is_exact);
    assert!(!Table::new(44_101, TARGET_RATE).is_exact);
}
