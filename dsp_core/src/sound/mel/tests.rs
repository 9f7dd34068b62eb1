use super::*;

#[test]
fn ln_is_good_to_two_units() {
    let mut worst = [0.0_f64; 2];
    let mut v = 1e-6_f32;
    while v < 1e7 {
        for bits in 0..64 {
            let v = f32::from_bits(v.to_bits() + bits);
            let expected = libm::log(f64::from(v));
            let error = (f64::from(ln(v)) - expected).abs();
            let rounded = expected as f32;
            let unit = f64::from(f32::from_bits(rounded.abs().to_bits() + 1) - rounded.abs());
            worst[0] = worst[0].max(error / unit.max(6e-8));
            worst[1] = worst[1].max(error);
        }
        v *= 1.0007;
    }
    assert!(worst[0] <= 2.0 && worst[1] <= 1.5e-6, "{worst:?}");
}

#[test]
fn silence_is_ln_of_the_offset() {
    assert_eq!(ln(LOG_OFFSET), -6.907_755_4);
    let street = LogMel::new(LogMelSettings::STREET).unwrap();
    assert!(
        street
            .log_mel(&[0.0; 16_000])
            .iter()
            .all(|&x| x == -6.907_755_4)
    );
}

#[test]
fn speech_touches_42_bands_and_with_its_guard_44() {
    let street = LogMel::new(LogMelSettings::STREET).unwrap();
    for (low, high, first, n) in [(300.0, 3_400.0, 4, 42), (220.0, 3_480.0, 2, 44)] {
        let mask = street.bands_touching(low, high);
        let touched: Vec<usize> = (0..64).filter(|&band| mask[band]).collect();
        assert_eq!(touched, (first..first + n).collect::<Vec<_>>());
    }
}

/// Slow and obvious: one frame at a time, f64 throughout.
fn reference(settings: &LogMelSettings, samples: &[f32]) -> Vec<f64> {
    let n_fft = settings.n_fft;
    let fft = realfft::RealFftPlanner::<f64>::new().plan_fft_forward(n_fft);
    let edge = |i: usize| {
        let (low, high) = (mel_of(settings.fmin), mel_of(settings.fmax));
        low + (high - low) * i as f64 / (settings.n_mels + 1) as f64
    };
    let mut out = Vec::new();
    let mut start = 0;
    while start + settings.win_length <= samples.len() {
        let mut frame = vec![0.0; n_fft];
        for n in 0..settings.win_length {
            let angle = 2.0 * std::f64::consts::PI * n as f64 / settings.win_length as f64;
            frame[n] = f64::from(samples[start + n]) * (0.5 - 0.5 * angle.cos());
        }
        let mut bins = fft.make_output_vec();
        fft.process(&mut frame, &mut bins).unwrap();
        for band in 0..settings.n_mels {
            let mut sum = 0.0;
            for (k, bin) in bins.iter().enumerate().skip(1) {
                let mel = mel_of(k as f64 * f64::from(settings.sample_rate) / n_fft as f64);
                let rise = (mel - edge(band)) / (edge(band + 1) - edge(band));
                let fall = (edge(band + 2) - mel) / (edge(band + 2) - edge(band + 1));
                sum += rise.min(fall).max(0.0) * bin.norm();
            }
            out.push((sum + 0.001).ln());
        }
        start += settings.hop;
    }
    out
}

fn noise(n: usize) -> Vec<f32> {
    let mut state = 7_u32;
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / 4_294_967_296.0 - 0.5
        })
        .collect()
}

#[test]
fn matches_the_reference() {
    let other = LogMelSettings {
        sample_rate: 48_000,
        n_fft: 1024,
        win_length: 1024,
        hop: 512,
        n_mels: 37,
        fmin: 0.0,
        fmax: 24_000.0,
    };
    for settings in [LogMelSettings::STREET, other] {
        let samples = noise(20_000);
        let got = LogMel::new(settings).unwrap().log_mel(&samples);
        let expected = reference(&settings, &samples);
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(&expected) {
            assert!(
                (f64::from(*got) - expected).abs() < 3e-6,
                "{got} {expected}"
            );
        }
    }
}

#[test]
fn refuses_settings() {
    let s = LogMelSettings::STREET;
    for bad in [
        LogMelSettings {
            sample_rate: 0,
            ..s
        },
        LogMelSettings { hop: 0, ..s },
        LogMelSettings { n_mels: 0, ..s },
        LogMelSettings { fmin: 8_000.0, ..s },
        LogMelSettings {
            fmin: f64::NAN,
            ..s
        },
        LogMelSettings { fmax: 8_001.0, ..s },
        LogMelSettings {
            fmax: f64::NAN,
            ..s
        },
        LogMelSettings { n_fft: 500, ..s },
    ] {
        assert!(LogMel::new(bad).is_err(), "{bad:?}");
    }
    let street = LogMel::new(s).unwrap();
    assert!(street.log_mel_into(&[0.0; 400], &mut [0.0; 63]).is_err());
    assert_eq!(street.n_frames(399), 0);
    assert_eq!(street.n_frames(560), 2);
}
