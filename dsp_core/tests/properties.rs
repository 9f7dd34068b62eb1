//! Laws of the public functions.

use dsp_core::sound::mel::{LogMel, LogMelSettings};
use dsp_core::sound::resample::{TARGET_RATE, n_resampled, resample_into};
use proptest::prelude::*;

fn resample(samples: &[f32], rate: u32) -> Result<Vec<f32>, dsp_core::ParameterError> {
    let mut out = vec![0.0; n_resampled(samples.len(), rate, TARGET_RATE)];
    resample_into(samples, rate, TARGET_RATE, &mut out).map(|()| out)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Frames are what their own samples make them, wherever they stand among others.
    #[test]
    fn frames_do_not_depend_on_their_neighbours(
        samples in proptest::collection::vec(-1.0_f32..1.0, 400..8_000),
        skipped in 0_usize..40,
    ) {
        let log_mel = LogMel::new(LogMelSettings::STREET).unwrap();
        let whole = log_mel.log_mel(&samples);
        let start = skipped.min(log_mel.n_frames(samples.len()) - 1);
        let part = log_mel.log_mel(&samples[start * 160..]);
        prop_assert_eq!(bits(&whole[start * 64..]), bits(&part));
    }

    /// Rows share lanes, and nothing else.
    #[test]
    fn rows_do_not_depend_on_other_rows(
        samples in proptest::collection::vec(-1.0_f32..1.0, 400..6_000),
        n_rows in 1_usize..12,
        seed in 1_usize..1_000,
    ) {
        let log_mel = LogMel::new(LogMelSettings::STREET).unwrap();
        let n = samples.len();
        let mut all: Vec<f32> = (0..n * n_rows).map(|i| (i * seed % 997) as f32 / 997.0).collect();
        let which = seed % n_rows;
        all[which * n..(which + 1) * n].copy_from_slice(&samples);
        let mut out = vec![0.0; n_rows * log_mel.n_frames(n) * 64];
        log_mel.log_mel_rows_into(&all, n, &mut out).unwrap();
        let alone = log_mel.log_mel(&samples);
        prop_assert_eq!(bits(&out[which * alone.len()..][..alone.len()]), bits(&alone));
    }

    #[test]
    fn any_settings_give_finite_frames(
        log2 in 6_u32..13,
        share in 0.01_f64..1.0,
        hop in 1_usize..2_000,
        n_mels in 1_usize..200,
        fmax in 0.01_f64..1.0,
        samples in proptest::collection::vec(-1.0_f32..1.0, 0..20_000),
    ) {
        let n_fft = 1_usize << log2;
        let settings = LogMelSettings {
            sample_rate: 22_050,
            n_fft,
            win_length: ((share * n_fft as f64) as usize).max(1),
            hop,
            n_mels,
            fmin: 0.0,
            fmax: fmax * 11_025.0,
        };
        let log_mel = LogMel::new(settings).unwrap();
        let frames = log_mel.log_mel(&samples);
        prop_assert_eq!(frames.len(), log_mel.n_frames(samples.len()) * n_mels);
        prop_assert!(frames.iter().all(|x| x.is_finite()));
    }

    /// A longer signal begins with the samples of the shorter one, but for the filter's reach.
    #[test]
    fn resampling_looks_no_further_than_its_taps(
        rate in 8_000_u32..=192_000,
        n in 3_000_usize..9_000,
    ) {
        let samples: Vec<f32> = (0..n).map(|i| ((i * 7_919) % 1_009) as f32 / 1_009.0 - 0.5).collect();
        let whole = resample(&samples, rate).unwrap();
        prop_assert_eq!(whole.len(), (n * 16_000).div_ceil(rate as usize));
        let part = resample(&samples[..n - 700], rate).unwrap();
        let n_same = ((n as u64 - 700 - 520) * 16_000 / u64::from(rate)) as usize;
        prop_assert_eq!(bits(&whole[..n_same]), bits(&part[..n_same]));
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}
