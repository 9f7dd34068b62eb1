//! Spectra, filter banks, resampling and scores.

use dsp_core::analysis::scorer;
use dsp_core::sound::filterbank::{self, MelScale};
use dsp_core::sound::leq::{FRAMES, check_samples};
use dsp_core::sound::mel::{LogMel, LogMelSettings};
use dsp_core::sound::power::PowerSpectrum;
use dsp_core::sound::resample;
use numpy::prelude::*;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::prelude::*;

use super::{Rows, map_all, map_rows, reader};
use crate::error;

/// Tables of power spectra; who calls again with the same settings keeps them.
#[pyclass(module = "dsp_core._dsp_core", frozen)]
struct ArrayPowerSpectrum(PowerSpectrum);

#[pymethods]
impl ArrayPowerSpectrum {
    #[new]
    #[pyo3(signature = (*, n_fft, win_length, hop))]
    fn new(n_fft: usize, win_length: usize, hop: usize) -> PyResult<Self> {
        PowerSpectrum::new(n_fft, win_length, hop)
            .map(Self)
            .map_err(error::parameter)
    }
    /// Number of frames in `n` samples.
    fn n_frames(&self, n: usize) -> usize {
        self.0.n_frames(n)
    }
    /// Power spectra of each row into `out`.
    fn power_into(&self, py: Python<'_>, y: &Rows<'_>, out: &Rows<'_>) -> PyResult<()> {
        map_all(py, y, out, |y, n, out| self.0.power_rows_into(y, n, out))
    }
}

/// Tables of log-mel frames; who calls again with the same settings keeps them.
#[pyclass(module = "dsp_core._dsp_core", frozen)]
struct ArrayLogMel(LogMel);

#[pymethods]
impl ArrayLogMel {
    #[new]
    #[pyo3(signature = (*, sample_rate, n_fft, win_length, hop, n_mels, fmin, fmax))]
    fn new(
        sample_rate: u32,
        n_fft: usize,
        win_length: usize,
        hop: usize,
        n_mels: usize,
        fmin: f64,
        fmax: f64,
    ) -> PyResult<Self> {
        let settings = LogMelSettings {
            sample_rate,
            n_fft,
            win_length,
            hop,
            n_mels,
            fmin,
            fmax,
        };
        let tables = LogMel::new(settings).map_err(error::parameter)?;
        tables.check_bands().map_err(error::parameter)?;
        Ok(Self(tables))
    }
    /// Number of frames in `n` samples.
    fn n_frames(&self, n: usize) -> usize {
        self.0.n_frames(n)
    }
    /// Log-mel frames of each row into `out`.
    fn log_mel_into(&self, py: Python<'_>, y: &Rows<'_>, out: &Rows<'_>) -> PyResult<()> {
        map_all(py, y, out, |y, n, out| self.0.log_mel_rows_into(y, n, out))
    }
}

/// A filter bank as a matrix.
#[pyfunction]
#[allow(clippy::too_many_arguments)] // the settings of a bank, by position, from one caller
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
fn array_n_resampled(n: usize, sample_rate: u32, target_rate: u32) -> PyResult<usize> {
    resample::check_rates(sample_rate, target_rate).map_err(error::parameter)?;
    Ok(resample::n_resampled(n, sample_rate, target_rate))
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
            .detach(|| check_samples(FRAMES, values, n_columns).map(|()| inner.push(values)))
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

/// Adds the classes and the functions.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ArrayLogMel>()?;
    module.add_class::<ArrayPowerSpectrum>()?;
    module.add_class::<ArrayScorer>()?;
    module.add_function(wrap_pyfunction!(array_mel_filterbank, module)?)?;
    module.add_function(wrap_pyfunction!(array_n_resampled, module)?)?;
    module.add_function(wrap_pyfunction!(array_resample, module)?)
}
