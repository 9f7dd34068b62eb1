"""The open records: what may leave, under which policy, and how many bits that is."""

from dsp_core._dsp_core import (
    HEALTH_STATES,
    METRICS,
    SOUND_CLASSES,
    Capacity,
    DspCoreError,
    Event,
    LevelRecord,
    ParameterError,
    Policy,
    SensorHealth,
    __version__,
    bits_per_record,
    capacity,
)

__all__ = [
    "HEALTH_STATES",
    "METRICS",
    "SOUND_CLASSES",
    "Capacity",
    "DspCoreError",
    "Event",
    "LevelRecord",
    "ParameterError",
    "Policy",
    "SensorHealth",
    "__version__",
    "bits_per_record",
    "capacity",
]
