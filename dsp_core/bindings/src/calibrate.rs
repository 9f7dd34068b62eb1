//! A calibrator's tone to what full scale is.

use dsp_core::sound::calibrate;
use pyo3::prelude::*;

use crate::error;
use crate::handles::AudioBlock;

/// Measures a calibrator's tone, for one sensor.
///
/// Parameters
/// ----------
/// sample_rate : int
///     Of the blocks to come, 8000 to 192000 Hz.
/// tone_hz : float
///     Frequency of the calibrator, 200 to 2000 Hz.
/// tone_db : float
///     Level of the calibrator in dB re 20 µPa, 60 to 140.
///
/// Raises
/// ------
/// ParameterError
///     If a parameter is out of its range: its name, what it may be, what it was.
#[pyclass(module = "dsp_core.zone")]
pub(crate) struct Calibrate(calibrate::Calibrate);

#[pymethods]
impl Calibrate {
    #[new]
    #[pyo3(signature = (*, sample_rate, tone_hz, tone_db))]
    fn new(sample_rate: u32, tone_hz: f64, tone_db: f64) -> PyResult<Self> {
        calibrate::Calibrate::new(sample_rate, tone_hz, tone_db)
            .map(Self)
            .map_err(error::parameter)
    }
    /// Hears one block.
    ///
    /// Parameters
    /// ----------
    /// block : AudioBlock
    ///     The next samples of the recording of the tone.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     If it is of another rate.
    fn push(&mut self, py: Python<'_>, block: &AudioBlock) -> PyResult<()> {
        let stage = &mut self.0;
        py.detach(|| stage.push(&block.0)).map_err(error::block)
    }
    /// What full scale is, and how steady the tone was.
    ///
    /// Returns
    /// -------
    /// tuple of float, float
    ///     Level of full scale (a mean square of 1) in dB re 20 µPa, and spread of the tone in dB, in steps of 0.1.
    ///
    /// Raises
    /// ------
    /// BlockError
    ///     Without 6 s of a steady, pure tone of the frequency: `wrong_frequency`, `too_noisy`, `too_quiet` or `no_tone`;
    ///     `clipped`, or `unstable`.
    fn finish(&mut self) -> PyResult<(f64, f64)> {
        let found = self.0.finish().map_err(error::block)?;
        Ok((found.full_scale_db, found.spread_db))
    }
}
