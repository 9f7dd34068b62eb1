//! The open records, as Python sees them: frozen, without a constructor.

use dsp_core::open::record::{self, canonical_bytes};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Defines a frozen Python class around a record: equality, hash and canonical bytes follow the core.
macro_rules! record_class {
    ($(#[$doc:meta])* $name:ident, $class:literal) => {
        $(#[$doc])*
        #[pyclass(frozen, eq, ord, hash, name = $class, module = "dsp_core.records")]
        #[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) record::$name);

        impl From<record::$name> for $name {
            fn from(inner: record::$name) -> Self {
                Self(inner)
            }
        }
    };
}

record_class!(
    /// A sound of a permitted class, in one second, at one sensor: 11 bits besides who and when.
    Event,
    "Event"
);
record_class!(
    /// One noise level of one period: one of 129 values besides who, when and which metric.
    LevelRecord,
    "LevelRecord"
);
record_class!(
    /// The state of a sensor over one period.
    SensorHealth,
    "SensorHealth"
);

#[pymethods]
impl Event {
    /// Number of the sensor.
    #[getter]
    fn sensor_id(&self) -> u32 {
        self.0.sensor_id()
    }
    /// Second since 1970-01-01T00:00:00Z.
    #[getter]
    fn slot(&self) -> u64 {
        self.0.slot()
    }
    /// Name of the sound class.
    #[getter]
    fn sound_class(&self) -> &'static str {
        self.0.sound_class().name()
    }
    /// Level without the speech band, in steps of 3 dB on `scale`; None if the class carries none.
    #[getter]
    fn level_db(&self) -> Option<i16> {
        self.0.level_db()
    }
    /// `dbfs` (uncalibrated) or `db` (re 20 µPa).
    #[getter]
    fn scale(&self) -> &'static str {
        self.0.scale().name()
    }
    /// Confidence, 0 to 3.
    #[getter]
    fn confidence(&self) -> u8 {
        self.0.confidence()
    }
    /// Canonical bytes.
    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &canonical_bytes(&self.0))
    }
    fn __repr__(&self) -> String {
        let (record, level) = (&self.0, level_text(self.0.level_db()));
        format!(
            "Event(sensor_id={}, slot={}, sound_class='{}', level_db={level}, scale='{}', confidence={})",
            record.sensor_id(),
            record.slot(),
            record.sound_class().name(),
            record.scale().name(),
            record.confidence()
        )
    }
}

#[pymethods]
impl LevelRecord {
    /// Number of the sensor.
    #[getter]
    fn sensor_id(&self) -> u32 {
        self.0.sensor_id()
    }
    /// First second of the period, since 1970-01-01T00:00:00Z.
    #[getter]
    fn slot(&self) -> u64 {
        self.0.slot()
    }
    /// Name of the metric.
    #[getter]
    fn metric(&self) -> &'static str {
        self.0.metric().name()
    }
    /// Level in whole dB on `scale`; None if less than 95 % of the period was heard.
    #[getter]
    fn level_db(&self) -> Option<i16> {
        self.0.level_db()
    }
    /// `dbfs` (uncalibrated) or `db` (re 20 µPa).
    #[getter]
    fn scale(&self) -> &'static str {
        self.0.scale().name()
    }
    /// Canonical bytes.
    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &canonical_bytes(&self.0))
    }
    fn __repr__(&self) -> String {
        let (record, level) = (&self.0, level_text(self.0.level_db()));
        format!(
            "LevelRecord(sensor_id={}, slot={}, metric='{}', level_db={level}, scale='{}')",
            record.sensor_id(),
            record.slot(),
            record.metric().name(),
            record.scale().name()
        )
    }
}

#[pymethods]
impl SensorHealth {
    /// Number of the sensor.
    #[getter]
    fn sensor_id(&self) -> u32 {
        self.0.sensor_id()
    }
    /// First second of the period, since 1970-01-01T00:00:00Z.
    #[getter]
    fn slot(&self) -> u64 {
        self.0.slot()
    }
    /// Name of the state.
    #[getter]
    fn state(&self) -> &'static str {
        self.0.state().name()
    }
    /// Canonical bytes.
    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &canonical_bytes(&self.0))
    }
    fn __repr__(&self) -> String {
        let record = &self.0;
        format!(
            "SensorHealth(sensor_id={}, slot={}, state='{}')",
            record.sensor_id(),
            record.slot(),
            record.state().name()
        )
    }
}

fn level_text(level_db: Option<i16>) -> String {
    level_db.map_or_else(|| "None".into(), |db| db.to_string())
}

/// Adds the record classes and the names of their closed fields.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Event>()?;
    module.add_class::<LevelRecord>()?;
    module.add_class::<SensorHealth>()?;
    let names = |all: Vec<&'static str>| pyo3::types::PyTuple::new(module.py(), all);
    let classes = record::SoundClass::ALL;
    module.add(
        "SOUND_CLASSES",
        names(classes.iter().map(|c| c.name()).collect())?,
    )?;
    module.add(
        "METRICS",
        names(record::Metric::ALL.iter().map(|m| m.name()).collect())?,
    )?;
    module.add(
        "HEALTH_STATES",
        names(record::HealthState::ALL.iter().map(|s| s.name()).collect())?,
    )
}
