//! Weighted signals and levels of rows of samples: looked at where they lie, with the GIL released.

use dsp_core::sound::fractional_octave::{Bank, Fraction};
use dsp_core::sound::leq::{self, Periods};
use dsp_core::sound::sound_level_meter::{self, SoundLevelMeter};
use dsp_core::sound::time_weighting::TimeWeighting;
use dsp_core::sound::weighting::{Weighting, WeightingKind};
use dsp_core::sound::z_weighting::ZWeighting;
use numpy::ndarray::{Array1, Array2, Array3};
use numpy::prelude::*;
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArray3, PyReadonlyArray1};
use pyo3::prelude::*;

use super::{Rows, map_rows, reader};
use crate::error;

/// A weighting of each row: A, C or Z.
#[pyfunction]
#[pyo3(signature = (y, out, *, sample_rate, kind))]
fn weight_rows(
    py: Python<'_>,
    y: &Rows<'_>,
    out: &Rows<'_>,
    sample_rate: u32,
    kind: &str,
) -> PyResult<()> {
    let kind = match kind {
        "A" => WeightingKind::A,
        "C" => WeightingKind::C,
        _ => {
            let weighting = ZWeighting::new(sample_rate);
            return map_rows(py, y, out, |row, out| {
                weighting.weight_into(row, out);
                Ok(())
            });
        }
    };
    let weighting = Weighting::new(kind, sample_rate);
    map_rows(py, y, out, |row, out| {
        weighting.weight_into(row, out);
        Ok(())
    })
}

/// Running level of each row; without a time constant, Impulse.
#[pyfunction]
#[pyo3(signature = (y, out, *, sample_rate, time_constant_s, reference))]
fn time_weight_rows(
    py: Python<'_>,
    y: &Rows<'_>,
    out: &Rows<'_>,
    sample_rate: u32,
    time_constant_s: Option<f64>,
    reference: f64,
) -> PyResult<()> {
    let weighting = time_constant_s.map_or_else(
        || TimeWeighting::impulse(sample_rate),
        |seconds| TimeWeighting::exponential(sample_rate, seconds),
    );
    map_rows(py, y, out, |row, out| {
        weighting.levels_into(row, reference, out);
        Ok(())
    })
}

/// Equivalent levels of each row, by complete period.
#[pyfunction]
#[pyo3(signature = (y, *, sample_rate, period_s, reference))]
fn leq_rows<'py>(
    py: Python<'py>,
    y: &Rows<'py>,
    sample_rate: u32,
    period_s: Option<f64>,
    reference: f64,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (m, n) = (y.shape()[0], y.shape()[1]);
    let y = reader(y)?;
    let y = y.as_slice()?;
    py.detach(|| {
        let periods = Periods::new(n, sample_rate, period_s)?;
        leq::check_samples(leq::SIGNAL, y, n)?;
        let mut levels = Array2::zeros((m, periods.count()));
        for (row, mut out) in y.chunks(n).zip(levels.rows_mut()) {
            if let Some(out) = out.as_slice_mut() {
                leq::leq_into(row, &periods, reference, out);
            }
        }
        Ok(levels)
    })
    .map(|levels| levels.into_pyarray(py))
    .map_err(error::parameter)
}

/// Exact midbands, and levels of each row by period and band.
type Bands<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray3<f64>>);

/// Levels of each row in octaves (`is_octave`) or third octaves.
#[pyfunction]
#[pyo3(signature = (y, *, is_octave, sample_rate, fmin, fmax, period_s, reference))]
#[allow(clippy::too_many_arguments)] // each is one of the Python function's
fn band_rows<'py>(
    py: Python<'py>,
    y: &Rows<'py>,
    is_octave: bool,
    sample_rate: u32,
    fmin: f64,
    fmax: Option<f64>,
    period_s: Option<f64>,
    reference: f64,
) -> PyResult<Bands<'py>> {
    let (m, n) = (y.shape()[0], y.shape()[1]);
    let y = reader(y)?;
    let y = y.as_slice()?;
    py.detach(|| {
        let fraction = if is_octave {
            Fraction::Octave
        } else {
            Fraction::ThirdOctave
        };
        let bank = Bank::new(fraction, sample_rate, fmin, fmax)?;
        let periods = bank.periods(n, period_s)?;
        leq::check_samples(leq::SIGNAL, y, n)?;
        let midbands = Array1::from(bank.midbands_hz());
        let mut levels = Array3::zeros((m, periods.count(), midbands.len()));
        for (row, mut out) in y.chunks(n).zip(levels.outer_iter_mut()) {
            if let Some(out) = out.as_slice_mut() {
                bank.levels_into(row, &periods, reference, out);
            }
        }
        Ok((midbands, levels))
    })
    .map(|(midbands, levels)| (midbands.into_pyarray(py), levels.into_pyarray(py)))
    .map_err(error::parameter)
}

type Six = (f64, f64, f64, f64, f64, f64);

fn six(levels: &sound_level_meter::Levels) -> Six {
    let l = levels;
    let (fast, slow) = (l.lafmax_db, l.lasmax_db);
    (l.laeq_db, fast, slow, l.lceq_db, l.lzeq_db, l.lcpeak_db)
}

/// A sound level meter for one stream of samples.
#[pyclass(module = "dsp_core._dsp_core")]
pub(crate) struct LevelMeter(SoundLevelMeter);

#[pymethods]
impl LevelMeter {
    #[new]
    #[pyo3(signature = (*, sample_rate, reference))]
    fn new(sample_rate: u32, reference: f64) -> Self {
        Self(SoundLevelMeter::new(sample_rate, reference))
    }
    /// Samples heard.
    #[getter]
    fn n_samples(&self) -> u64 {
        self.0.n_samples()
    }
    /// Hears samples and gives the seconds that end with them: number, six levels and eight Fast levels a row.
    ///
    /// Parameters
    /// ----------
    /// y : numpy.ndarray
    ///     float32, shape=(n,).
    fn push<'py>(
        &mut self,
        py: Python<'py>,
        y: PyReadonlyArray1<'py, f32>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let y = y.as_slice()?;
        let meter = &mut self.0;
        let seconds = py
            .detach(|| {
                leq::check_samples(leq::SIGNAL, y, y.len())?;
                let mut seconds = Vec::new();
                meter.push_into(y, &mut seconds);
                Ok(seconds)
            })
            .map_err(error::parameter)?;
        let mut table = Array2::zeros((seconds.len(), 7 + sound_level_meter::N_FAST));
        for (mut row, second) in table.rows_mut().into_iter().zip(&seconds) {
            let (laeq, lafmax, lasmax, lceq, lzeq, lcpeak) = six(&second.levels);
            let number = second.second as f64;
            let fixed = [number, laeq, lafmax, lasmax, lceq, lzeq, lcpeak];
            let values = fixed.iter().chain(&second.laf_db);
            row.iter_mut()
                .zip(values)
                .for_each(|(to, &from)| *to = from);
        }
        Ok(table.into_pyarray(py))
    }
    /// The six levels over everything heard; None before the first sample.
    fn total(&self) -> Option<Six> {
        self.0.total().as_ref().map(six)
    }
    /// Fast levels of the begun second's complete eighths.
    fn begun_laf_db<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        Array1::from(self.0.begun_laf_db()).into_pyarray(py)
    }
}

/// Adds the functions and the meter.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LevelMeter>()?;
    module.add_function(wrap_pyfunction!(band_rows, module)?)?;
    module.add_function(wrap_pyfunction!(leq_rows, module)?)?;
    module.add_function(wrap_pyfunction!(time_weight_rows, module)?)?;
    module.add_function(wrap_pyfunction!(weight_rows, module)?)
}
