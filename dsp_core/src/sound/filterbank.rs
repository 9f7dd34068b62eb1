//! Mel filter banks as matrices, for arrays: the shipped one, and the one that music analysis has made common.

use crate::error::ParameterError;
use crate::sound::mel::{LogMel, LogMelSettings};
use crate::sound::spectrum::N_FFT;

/// Which bank.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MelScale {
    /// HTK's formula, triangles linear in mel, no weight on 0 Hz: the shipped front end.
    Htk,
    /// Linear below 1 kHz and logarithmic above, triangles linear in Hz.
    ///
    /// # Source
    /// M. Slaney, Auditory Toolbox, Technical Report 1998-010, Interval Research.
    Slaney,
}

/// Width of a mel below 1 kHz, in Hz.
const LINEAR_HZ: f64 = 200.0 / 3.0;
const BREAK_HZ: f64 = 1_000.0;
/// Mels per octave above: 27 from 1 to 6.4 kHz.
const N_LOG: f64 = 27.0;
const LOG_RANGE: f64 = 6.4;

fn slaney_of(hz: f64) -> f64 {
    if hz < BREAK_HZ {
        hz / LINEAR_HZ
    } else {
        BREAK_HZ / LINEAR_HZ + libm::log(hz / BREAK_HZ) / libm::log(LOG_RANGE) * N_LOG
    }
}

fn hz_of_slaney(mel: f64) -> f64 {
    let at_break = BREAK_HZ / LINEAR_HZ;
    if mel < at_break {
        mel * LINEAR_HZ
    } else {
        BREAK_HZ * libm::exp((mel - at_break) / N_LOG * libm::log(LOG_RANGE))
    }
}

/// A bank as a matrix; with `is_area_normalised` each row is divided by half its width in Hz, so that all have equal area.
///
/// # Shape
/// (n_mels, n_fft / 2 + 1), row by row; `settings.win_length` and `settings.hop` do not matter.
///
/// # Errors
/// As [`LogMel::new`]; a band without a bin, which would be silent whatever sounds.
pub fn mel_filterbank(
    settings: LogMelSettings,
    scale: MelScale,
    is_area_normalised: bool,
) -> Result<Vec<f32>, ParameterError> {
    let settings = LogMelSettings {
        win_length: settings.n_fft,
        hop: 1,
        ..settings
    };
    let htk = LogMel::new(settings)?;
    let (mut matrix, edges) = match scale {
        MelScale::Htk => {
            htk.check_bands()?;
            (htk.filterbank(), htk.edges_hz().collect())
        }
        MelScale::Slaney => {
            let edges = slaney_edges(&settings);
            (triangles(&settings, &edges), edges)
        }
    };
    let n_bins = settings.n_fft / 2 + 1;
    for (row, band) in matrix.chunks_exact_mut(n_bins).zip(&edges) {
        if row.iter().all(|&weight| weight == 0.0) {
            return Err(empty_band(&settings, *band));
        }
        if is_area_normalised {
            let [low, _, high] = band;
            let scale = 2.0 / (high - low);
            row.iter_mut()
                .for_each(|weight| *weight = (f64::from(*weight) * scale) as f32);
        }
    }
    Ok(matrix)
}

/// A band that holds no bin of the transform, the first one of a bank, and the ways out.
pub(crate) fn empty_band(settings: &LogMelSettings, edges_hz: [f64; 3]) -> ParameterError {
    let [low, peak, high] = edges_hz;
    // Bands above are wider, and those below keep their bins when the transform grows by a power of two.
    let n_fft = ((f64::from(settings.sample_rate) / (high - low)) as usize + 1).next_power_of_two();
    let mut ways = vec!["fewer bands".to_owned()];
    if N_FFT.contains(&n_fft) {
        ways.insert(0, format!("n_fft={n_fft}"));
    }
    if settings.sample_rate > LogMelSettings::STREET.sample_rate {
        ways.push("resample to 16000 Hz".to_owned());
    }
    let expected = "few enough bands for each to hold a bin of n_fft";
    let n_mels = settings.n_mels;
    let actual = format!(
        "{n_mels} with an empty one at {peak:.1} Hz: {}",
        ways.join(", or ")
    );
    ParameterError::new("n_mels", expected, actual)
}

fn slaney_edges(settings: &LogMelSettings) -> Vec<[f64; 3]> {
    let (low, high) = (slaney_of(settings.fmin), slaney_of(settings.fmax));
    let step = (high - low) / (settings.n_mels + 1) as f64;
    (0..settings.n_mels)
        .map(|band| [0, 1, 2].map(|i| hz_of_slaney(low + step * (band + i) as f64)))
        .collect()
}

fn triangles(settings: &LogMelSettings, edges: &[[f64; 3]]) -> Vec<f32> {
    let n_bins = settings.n_fft / 2 + 1;
    let bin_hz = f64::from(settings.sample_rate) / settings.n_fft as f64;
    let weight = |&[low, peak, high]: &[f64; 3], k: usize| {
        let hz = bin_hz * k as f64;
        let (rise, fall) = ((hz - low) / (peak - low), (high - hz) / (high - peak));
        rise.min(fall).max(0.0) as f32
    };
    let rows = edges.iter();
    rows.flat_map(|edge| (0..n_bins).map(move |k| weight(edge, k)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_and_its_inverse_fit() {
        for hz in [0.0, 125.0, 999.0, 1_000.0, 1_001.0, 6_400.0, 11_025.0] {
            assert!((hz_of_slaney(slaney_of(hz)) - hz).abs() < 1e-9);
        }
        assert!((slaney_of(1_000.0) - 15.0).abs() < 1e-12);
        assert!((slaney_of(6_400.0) - 42.0).abs() < 1e-12);
    }

    #[test]
    fn a_band_without_a_bin_is_refused() {
        let narrow = LogMelSettings {
            n_mels: 200,
            ..LogMelSettings::STREET
        };
        for scale in [MelScale::Htk, MelScale::Slaney] {
            assert!(mel_filterbank(narrow, scale, false).is_err());
            assert!(mel_filterbank(LogMelSettings::STREET, scale, true).is_ok());
        }
    }
}
