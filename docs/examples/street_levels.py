# %% [markdown]
# # The levels of a street
#
# How loud is it, second by second, in the quiet and in the loud moments, and at which frequencies? With a recording of
# your own: `python street_levels.py recording.wav`. Without one, a minute of synthetic street serves.

# %%
import sys

import numpy as np
import soundfile
from dsp_core import Levels, a_weighting, leq, percentile_level, third_octave_levels


def synthetic_street(sample_rate: int = 48_000) -> np.ndarray:
    """Make a minute of rumble, with a car that passes in the middle."""
    rng = np.random.default_rng(1)
    n = 60 * sample_rate
    rumble = np.cumsum(rng.normal(0, 1, n))
    rumble -= np.convolve(rumble, np.ones(4_800) / 4_800, mode="same")
    car = 1 + 6 * np.exp(-(((np.arange(n) / sample_rate - 30) / 4) ** 2))
    return (0.01 * car * rumble / rumble.std()).astype(np.float32)


if len(sys.argv) > 1:
    samples, sample_rate = soundfile.read(sys.argv[1], dtype="float32", always_2d=True)
    y = np.ascontiguousarray(samples[:, 0])
else:
    y, sample_rate = synthetic_street(), 48_000

# %% [markdown]
# ## Second by second
#
# Weight the signal with A, then take its equivalent level over each second: LAeq,1s. Levels are dB re full scale. For
# sound pressure levels, multiply by the pascals of full scale and give `reference=20e-6`.

# %%
by_second = leq(a_weighting(y, sample_rate=sample_rate), sample_rate=sample_rate, period_s=1.0)
loudest = int(by_second.argmax())
print(f"{len(by_second)} s; loudest second: {loudest} with {by_second[loudest]:.1f} dBFS")
print(f"exceeded 10 % of the time: {percentile_level(by_second, percent=10):.1f} dBFS, L10 of LAeq,1s")
print(f"exceeded 90 % of the time: {percentile_level(by_second, percent=90):.1f} dBFS, L90 of LAeq,1s")

# %% [markdown]
# ## A sound level meter
#
# The same from a stream, block by block, with the Fast and Slow levels that ordinances speak of.

# %%
meter = Levels(sample_rate=sample_rate)
for start in range(0, len(y), sample_rate):
    meter.push(y[start : start + sample_rate])
summary = meter.summary()
print(f"LAeq,T {summary.laeq_db:.1f}  LAFmax {summary.lafmax_db:.1f}  LASmax {summary.lasmax_db:.1f}")
print(f"LCpeak {summary.lcpeak_db:.1f}  LZeq,T {summary.lzeq_db:.1f}")
print(f"LA10 {summary.la10_db:.1f}  LA50 {summary.la50_db:.1f}  LA90 {summary.la90_db:.1f}")

# %% [markdown]
# ## By frequency
#
# Third octaves, as a bar a band.

# %%
midband_hz, levels_db = third_octave_levels(y, sample_rate=sample_rate, fmin=50.0, fmax=min(8_000.0, 0.4 * sample_rate))
for hz, level in zip(midband_hz, levels_db, strict=True):
    print(f"{hz:7.0f} Hz {level:6.1f} dBFS  {'#' * max(0, int(level + 90))}")
