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
        Levels,
        LevelSummary,
        SecondLevels,
        a_weighting,
        c_weighting,
        frame,
        leq,
        log_mel,
        mel_filterbank,
        percentile_level,
        power_spectrum,
        resample,
        third_octave_levels,
        time_weighting,
    )

__all__ = [
    "AnomalyScorer",
    "DspCoreError",
    "LevelSummary",
    "Levels",
    "ParameterError",
    "SecondLevels",
    "__version__",
    "a_weighting",
    "c_weighting",
    "frame",
    "leq",
    "log_mel",
    "mel_filterbank",
    "percentile_level",
    "power_spectrum",
    "resample",
    "third_octave_levels",
    "time_weighting",
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
