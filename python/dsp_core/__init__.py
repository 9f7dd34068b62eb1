"""Street sound in, closed records out.

`dsp_core.arrays` is for recordings of one's own: numpy in, numpy out; its names stand here too. `dsp_core.zone` and
`dsp_core.records` are the stages and the records of the city's sensors.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dsp_core._dsp_core import DspCoreError, ParameterError, __version__

if TYPE_CHECKING:
    from dsp_core.arrays import (
        AnomalyScorer,
        DayLevels,
        Levels,
        LevelSummary,
        LongTermLevels,
        SecondLevels,
        a_weighting,
        c_weighting,
        day_levels,
        frame,
        leq,
        log_mel,
        long_term_levels,
        mel_filterbank,
        octave_levels,
        percentile_level,
        power_spectrum,
        resample,
        third_octave_levels,
        time_weighting,
        weighting_top_hz,
        z_weighting,
    )

__all__ = [
    "AnomalyScorer",
    "DayLevels",
    "DspCoreError",
    "LevelSummary",
    "Levels",
    "LongTermLevels",
    "ParameterError",
    "SecondLevels",
    "__version__",
    "a_weighting",
    "c_weighting",
    "day_levels",
    "frame",
    "leq",
    "log_mel",
    "long_term_levels",
    "mel_filterbank",
    "octave_levels",
    "percentile_level",
    "power_spectrum",
    "resample",
    "third_octave_levels",
    "time_weighting",
    "weighting_top_hz",
    "z_weighting",
]


def __getattr__(name: str) -> Any:
    # Loaded when first asked for: the stages of the zone need no numpy.
    if name == "arrays":
        return importlib.import_module("dsp_core.arrays")
    if name in __all__:
        return getattr(importlib.import_module("dsp_core.arrays"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, "arrays", "records", "zone", *(name for name in globals() if name.startswith("__"))})
