"""numpy in, numpy out: the front end, the levels and the novelty score, on recordings of one's own."""

from dsp_core.arrays.levels import (
    a_weighting,
    c_weighting,
    leq,
    percentile_level,
    time_weighting,
)
from dsp_core.arrays.sound_level_meter import (
    Levels,
    LevelSummary,
    SecondLevels,
)
from dsp_core.arrays.third_octave import (
    third_octave_levels,
)

__all__ = [
    "LevelSummary",
    "Levels",
    "SecondLevels",
    "a_weighting",
    "c_weighting",
    "leq",
    "percentile_level",
    "third_octave_levels",
    "time_weighting",
]
