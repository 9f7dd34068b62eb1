"""numpy in, numpy out: the front end, the levels and the novelty score, on recordings of one's own.

Signals are float32, shape=(..., n), C-contiguous, and are used without a copy; leading axes are kept, time comes before
bands. soundfile gives (n, channels): ``np.ascontiguousarray(y.T)``. Samples lie within ±1e12. What does not fit is
refused with one line that names the parameter, what it may be and what it was. Nothing here gives access to the zone,
and no handle of the zone is taken.
"""

from dsp_core.arrays.day_evening_night import (
    DayLevels,
    LongTermLevels,
    day_levels,
    long_term_levels,
)
from dsp_core.arrays.fractional_octave import (
    octave_levels,
    third_octave_levels,
)
from dsp_core.arrays.levels import (
    leq,
    percentile_level,
    time_weighting,
)
from dsp_core.arrays.novelty import AnomalyScorer
from dsp_core.arrays.sound_level_meter import (
    Levels,
    LevelSummary,
    SecondLevels,
)
from dsp_core.arrays.spectra import (
    frame,
    log_mel,
    mel_filterbank,
    power_spectrum,
    resample,
)
from dsp_core.arrays.weighting import (
    a_weighting,
    c_weighting,
    weighting_top_hz,
    z_weighting,
)

__all__ = [
    "AnomalyScorer",
    "DayLevels",
    "LevelSummary",
    "Levels",
    "LongTermLevels",
    "SecondLevels",
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
