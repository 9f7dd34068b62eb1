//! The policy and its capacity, as Python sees them.

use dsp_core::open::{self, policy};
use pyo3::prelude::*;

use crate::error;

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct LevelFields {
    metric: String,
    period_s: u32,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct HealthFields {
    period_s: u32,
}

/// What may leave, checked as a whole: the keys of a policy file are its keyword arguments.
///
/// Parameters
/// ----------
/// name : str
///     1 to 32 characters of `a-z`, `0-9`, `_` and `-`.
/// sound_classes : sequence of str
///     What may be released at all.
/// full_band_classes : sequence of str
///     Which of horn, siren and alarm among them; named twice, as they are decided on the full band.
/// voice_classes : sequence of str
///     `scream`, where a law allows it.
/// alert_classes : sequence of str
///     Whom the reserved part of the budget is for.
/// max_per_minute : int
///     Most events in a clock minute, 1 to 16.
/// max_per_hour : int
///     Most events in a clock hour, up to 120.
/// reserved_per_minute : int
///     How many of a minute's events are kept for alert classes.
/// reserved_per_hour : int
///     How many of an hour's events are kept for alert classes.
/// merge_gap_s : int
///     Hits of a class at most this far apart are one episode, 0 to 10 s.
/// repeat_s : int
///     What lasts is released again after this time, 10 to 3600 s.
/// alarms_per_day : float
///     The trigger's dial, 1 to 100000, or infinity.
/// speech_band_hz : sequence of float
///     Lower and upper edge of the masked band in Hz; contains 220 to 3480.
/// max_bit_per_s : float
///     The policy is refused if its capacity is above.
/// levels : sequence of mapping
///     Each with `metric` and `period_s`.
/// health : mapping
///     With `period_s`.
/// valid_until : str or None, default=None
///     Last day on which it may be used, `YYYY-MM-DD`; the caller has the clock.
///
/// Raises
/// ------
/// ParameterError
///     If a parameter is out of its range: its name, what it may be, what it was.
#[pyclass(frozen, eq, module = "dsp_core.records")]
#[derive(PartialEq)]
pub(crate) struct Policy(pub(crate) open::Policy);

#[pymethods]
impl Policy {
    #[new]
    #[pyo3(signature = (*, name, sound_classes, full_band_classes, voice_classes, alert_classes, max_per_minute, max_per_hour,
        reserved_per_minute, reserved_per_hour, merge_gap_s, repeat_s, alarms_per_day, speech_band_hz, max_bit_per_s, levels,
        health, valid_until=None))]
    #[allow(clippy::too_many_arguments)] // The keys of the file, one by one: that is the point.
    fn new(
        name: String,
        sound_classes: Vec<String>,
        full_band_classes: Vec<String>,
        voice_classes: Vec<String>,
        alert_classes: Vec<String>,
        max_per_minute: u32,
        max_per_hour: u32,
        reserved_per_minute: u32,
        reserved_per_hour: u32,
        merge_gap_s: u32,
        repeat_s: u32,
        alarms_per_day: f64,
        speech_band_hz: [f64; 2],
        max_bit_per_s: f64,
        levels: Vec<LevelFields>,
        health: HealthFields,
        valid_until: Option<String>,
    ) -> PyResult<Self> {
        let fields = policy::PolicyFields {
            name,
            valid_until,
            sound_classes,
            full_band_classes,
            voice_classes,
            alert_classes,
            max_per_minute,
            max_per_hour,
            reserved_per_minute,
            reserved_per_hour,
            merge_gap_s,
            repeat_s,
            alarms_per_day,
            speech_band_hz,
            max_bit_per_s,
            levels: levels.into_iter().map(Into::into).collect(),
            health: policy::HealthFields {
                period_s: health.period_s,
            },
        };
        open::Policy::new(fields)
            .map(Self)
            .map_err(error::parameter)
    }
    /// Refuses a policy that permits a class which the shipped model has no output for.
    fn check_model(&self) -> PyResult<()> {
        let model = dsp_core::analysis::classify::Model::street().map_err(error::block)?;
        let classes: Vec<_> = model.classes().iter().map(|c| c.sound_class).collect();
        self.0.check_classes(&classes).map_err(error::parameter)
    }
    /// Name of the policy.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }
    /// Last day on which it may be used, `YYYY-MM-DD`.
    #[getter]
    fn valid_until(&self) -> Option<&str> {
        self.0.valid_until()
    }
    /// Classes that may be released.
    #[getter]
    fn sound_classes(&self) -> Vec<&'static str> {
        names(self.0.sound_classes())
    }
    /// Those that are decided on the full band and carry no level.
    #[getter]
    fn full_band_classes(&self) -> Vec<&'static str> {
        names(self.0.full_band_classes())
    }
    /// Those that are a human voice.
    #[getter]
    fn voice_classes(&self) -> Vec<&'static str> {
        names(self.0.voice_classes())
    }
    /// Those that the reserved part of the budget is for.
    #[getter]
    fn alert_classes(&self) -> Vec<&'static str> {
        names(self.0.alert_classes())
    }
    /// Most events in a clock minute.
    #[getter]
    fn max_per_minute(&self) -> u32 {
        self.0.max_per_minute()
    }
    /// Most events in a clock hour.
    #[getter]
    fn max_per_hour(&self) -> u32 {
        self.0.max_per_hour()
    }
    /// How many of a minute's events are kept for alert classes.
    #[getter]
    fn reserved_per_minute(&self) -> u32 {
        self.0.reserved_per_minute()
    }
    /// How many of an hour's events are kept for alert classes.
    #[getter]
    fn reserved_per_hour(&self) -> u32 {
        self.0.reserved_per_hour()
    }
    /// Hits of a class at most this far apart are one episode, in seconds.
    #[getter]
    fn merge_gap_s(&self) -> u32 {
        self.0.merge_gap_s()
    }
    /// Time after which an episode that lasts is released again, in seconds.
    #[getter]
    fn repeat_s(&self) -> u32 {
        self.0.repeat_s()
    }
    /// The trigger's dial.
    #[getter]
    fn alarms_per_day(&self) -> f64 {
        self.0.alarms_per_day()
    }
    /// Lower and upper edge of the masked band, guard included, in Hz.
    #[getter]
    fn speech_band_hz(&self) -> (f64, f64) {
        self.0.speech_band_hz().into()
    }
    /// The most that the policy may let out, as its author stated it.
    #[getter]
    fn max_bit_per_s(&self) -> f64 {
        self.0.max_bit_per_s()
    }
    /// (metric, period in seconds) of the levels that leave.
    #[getter]
    fn levels(&self) -> Vec<(&'static str, u32)> {
        let levels = self.0.levels().iter();
        levels.map(|l| (l.metric.name(), l.period_s)).collect()
    }
    /// Length of a `SensorHealth` period in seconds.
    #[getter]
    fn health_period_s(&self) -> u32 {
        self.0.health_period_s()
    }
    fn __repr__(&self) -> String {
        let bit_per_s = self.0.capacity().bit_per_s();
        format!("Policy('{}', {bit_per_s:.3} bit/s)", self.0.name())
    }
}

impl From<LevelFields> for policy::LevelFields {
    fn from(fields: LevelFields) -> Self {
        Self {
            metric: fields.metric,
            period_s: fields.period_s,
        }
    }
}

fn names(classes: Vec<open::SoundClass>) -> Vec<&'static str> {
    classes.into_iter().map(open::SoundClass::name).collect()
}

/// What a policy can let out, in bits; each figure is the binary logarithm of an exact count.
#[pyclass(frozen, module = "dsp_core.records")]
pub(crate) struct Capacity(open::capacity::Capacity);

#[pymethods]
impl Capacity {
    /// All records of a clock hour.
    #[getter]
    fn bits_per_hour(&self) -> f64 {
        self.0.bits_per_hour()
    }
    /// All records of a clock hour, per second.
    #[getter]
    fn bit_per_s(&self) -> f64 {
        self.0.bit_per_s()
    }
    /// The events of a clock hour, each with 2 bits of release delay.
    #[getter]
    fn event_bits_per_hour(&self) -> f64 {
        self.0.event_bits_per_hour()
    }
    /// The level records of an hour.
    #[getter]
    fn level_bits_per_hour(&self) -> f64 {
        self.0.level_bits_per_hour()
    }
    /// The health records of an hour.
    #[getter]
    fn health_bits_per_hour(&self) -> f64 {
        self.0.health_bits_per_hour()
    }
    /// The events of one clock minute.
    #[getter]
    fn worst_minute_bits(&self) -> f64 {
        self.0.worst_minute_bits()
    }
    /// All records of the 3600 s that can hold the most, whatever second they begin at.
    #[getter]
    fn worst_unaligned_hour_bits(&self) -> f64 {
        self.0.worst_unaligned_hour_bits()
    }
    fn __repr__(&self) -> String {
        format!("Capacity({:.3} bit/s)", self.0.bit_per_s())
    }
}

/// Counts what a policy can let out.
///
/// Parameters
/// ----------
/// policy : Policy
///     The policy.
///
/// Returns
/// -------
/// Capacity
///     In bits.
#[pyfunction]
fn capacity(policy: &Policy) -> Capacity {
    Capacity(open::capacity::capacity(&policy.0))
}

/// Bits that one record of each kind can hold besides who it is about: (event, level, health).
#[pyfunction]
fn bits_per_record() -> (f64, f64, f64) {
    use open::capacity::{bits_of_event, bits_of_health, bits_of_level};
    (bits_of_event(), bits_of_level(), bits_of_health())
}

/// Adds the policy, its capacity and the functions on them.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Policy>()?;
    module.add_class::<Capacity>()?;
    module.add_function(wrap_pyfunction!(capacity, module)?)?;
    module.add_function(wrap_pyfunction!(bits_per_record, module)?)
}
