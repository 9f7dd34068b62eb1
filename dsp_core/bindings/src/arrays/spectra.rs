//! Spectra, filter banks, resampling and scores.

use std::sync::{Arc, Mutex, PoisonError};

use dsp_core::ParameterError;
use dsp_core::analysis::scorer;
use dsp_core::sound::filterbank::{self, MelScale};
use dsp_core::sound::leq::check_finite;
use dsp_core::sound::mel::{LogMel, LogMelSettings};
use dsp_core::sound::power::PowerSpectrum;
use dsp_core::sound::resample;
use numpy::prelude::*;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;

use super::{Rows, map_rows, reader};
use crate::error;

/// Tables that are kept for the next call: a service that works block by block calls with the same settings for ever.
const N_KEPT: usize = 8;

/// The tables of some settings, made once.
fn tables(settings: LogMelSettings) -> Result<Arc<LogMel>, ParameterError> {
    static KEPT: Mutex<Vec<Arc<LogMel>>> = Mutex::new(Vec::new());
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(tables) = kept.iter().find(|tables| *tables.settings() == settings) {
        return Ok(Arc::clone(tables));
    }
    let tables = Arc::new(LogMel::new(settings)?);
    tables.check_bands()?;
    if kept.len() == N_KEPT {
        kept.remove(0);
    }
    kept.push(Arc::clone(&tables));
    Ok(tables)
}

/// Number of frames in `n` samples.
#[pyfunction]
fn array_n_frames(n: usize, n_fft: usize, win_length: usize, hop: usize) -> PyResult<usize> {
    let tables = PowerSpectrum::new(n_fft, win_length, hop).map_err(error::parameter)?;
    Ok(tables.n_frames(n))
}

/// Power spectra of each row into `out`.
#[pyfunction]
fn array_power_spectrum(
    py: Python<'_>,
    y: &Rows<'_>,
    out: &Rows<'_>,
    n_fft: usize,
    win_length: usize,
    hop: usize,
) -> PyResult<()> {
    let tables = PowerSpectrum::new(n_fft, win_length, hop).map_err(error::parameter)?;
    map_rows(py, y, out, |row, out| tables.power_into(row, out))
}

/// Log-mel frames of each row into `out`.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // the settings of the front end, by position, from one caller
fn array_log_mel(
    py: Python<'_>,
    y: &Rows<'_>,
    out: &Rows<'_>,
    sample_rate: u32,
    n_fft: usize,
    win_length: usize,
    hop: usize,
    n_mels: usize,
    fmin: f64,
    fmax: f64,
) -> PyResult<()> {
    let tables = tables(LogMelSettings {
        sample_rate,
        n_fft,
        win_length,
        hop,
        n_mels,
        fmin,
        fmax,
    })
    .map_err(error::parameter)?;
    map_rows(py, y, out, |row, out| tables.log_mel_into(row, out))
}

/// A filter bank as a matrix.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // as above
fn array_mel_filterbank<'py>(
    py: Python<'py>,
    sample_rate: u32,
    n_fft: usize,
    n_mels: usize,
    fmin: f64,
    fmax: f64,
    is_slaney: bool,
    is_area_normalised: bool,
) -> PyResult<Bound<'py, PyArray1<f32>>> {
    let settings = LogMelSettings {
        sample_rate,
        n_fft,
        win_length: n_fft,
        hop: 1,
        n_mels,
        fmin,
        fmax,
    };
    let scale = if is_slaney {
        MelScale::Slaney
    } else {
        MelScale::Htk
    };
    filterbank::mel_filterbank(settings, scale, is_area_normalised)
        .map(|matrix| matrix.into_pyarray(py))
        .map_err(error::parameter)
}

/// Samples that `n` samples become.
#[pyfunction]
fn array_n_resampled(n: usize, sample_rate: u32, target_rate: u32) -> usize {
    resample::n_resampled(n, sample_rate, target_rate)
}

/// Each row at another rate into `out`.
#[pyfunction]
fn array_resample(
    py: Python<'_>,
    y: &Rows<'_>,
    out: &Rows<'_>,
    sample_rate: u32,
    target_rate: u32,
) -> PyResult<()> {
    map_rows(py, y, out, |row, out| {
        resample::resample_into(row, sample_rate, target_rate, out)
    })
}

/// Scores of one recording; the class behind `dsp_core.arrays.AnomalyScorer`.
#[pyclass(module = "dsp_core._dsp_core")]
struct ArrayScorer(scorer::AnomalyScorer);

#[pymethods]
impl ArrayScorer {
    #[new]
    fn new(alarms_per_day: f64) -> PyResult<Self> {
        scorer::AnomalyScorer::new(alarms_per_day)
            .map(Self)
            .map_err(error::parameter)
    }
    /// Scores and thresholds, shape=(n_units, 2), of the units that `frames` complete.
    fn push<'py>(
        &mut self,
        py: Python<'py>,
        frames: &Rows<'py>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let n_columns = frames.shape()[1];
        let frames = reader(frames)?;
        let values = frames.as_slice()?;
        let inner = &mut self.0;
        let scores = py
            .detach(|| check_finite("frames", values, n_columns).map(|()| inner.push(values)))
            .map_err(error::parameter)?;
        to_array(py, scores)
    }
    /// The unit that is not complete, shape=(0 or 1, 2).
    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f32>>> {
        to_array(py, self.0.finish().into_iter().collect())
    }
}

fn to_array<'py>(py: Python<'py>, scores: Vec<[f32; 2]>) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let n_units = scores.len();
    scores
        .into_flattened()
        .into_pyarray(py)
        .reshape([n_units, 2])
}

/// Adds the functions and the class.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(array_n_frames, module)?)?;
    module.add_function(wrap_pyfunction!(array_power_spectrum, module)?)?;
    module.add_function(wrap_pyfunction!(array_log_mel, module)?)?;
    module.add_function(wrap_pyfunction!(array_mel_filterbank, module)?)?;
    module.add_function(wrap_pyfunction!(array_n_resampled, module)?)?;
    module.add_function(wrap_pyfunction!(array_resample, module)?)?;
    module.add_class::<ArrayScorer>()
}
