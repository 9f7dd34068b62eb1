# %% [markdown]
# # What is new in a long recording
#
# An hour of a place sounds like itself. Where does it not? With a recording of your own:
# `python novelty.py recording.wav`. Without one, ten synthetic minutes serve, in which something happens three times.

# %%
import sys

import numpy as np
import soundfile
from dsp_core import AnomalyScorer, log_mel, resample

RATE = 16_000


def synthetic_place() -> np.ndarray:
    """Make ten minutes of wind; at 2:00, 5:30 and 8:15 something rings."""
    rng = np.random.default_rng(3)
    y = rng.normal(0, 0.01, 600 * RATE)
    t = np.arange(RATE) / RATE
    for second in (120, 330, 495):
        y[second * RATE :][:RATE] += 0.2 * np.sin(2 * np.pi * 2_500 * t) * np.exp(-5 * t)
    return y.astype(np.float32)


# %% [markdown]
# ## Block by block
#
# A recording of a day does not fit into memory, and need not: `AnomalyScorer.push` takes it in pieces and gives the
# same scores for any cut. Here a minute at a time; each is brought to 16 kHz and turned into log-mel frames. What the
# last frame of a minute leaves over belongs to the next minute.


# %%
def minutes():
    """Give the recording minute by minute, at 16 kHz."""
    if len(sys.argv) > 1:
        sample_rate = soundfile.info(sys.argv[1]).samplerate
        for block in soundfile.blocks(sys.argv[1], blocksize=60 * sample_rate, dtype="float32", always_2d=True):
            yield resample(np.ascontiguousarray(block[:, 0]), sample_rate=sample_rate)
    else:
        yield from np.split(synthetic_place(), 10)


scorer = AnomalyScorer(alarms_per_day=200.0)
scores, thresholds = [], []
rest = np.zeros(0, np.float32)
for minute in minutes():
    y = np.concatenate([rest, minute])
    frames = log_mel(y, sample_rate=RATE)
    rest = y[160 * len(frames) :]
    new_scores, new_thresholds = scorer.push(frames)
    scores.append(new_scores)
    thresholds.append(new_thresholds)
score, threshold = np.concatenate(scores), np.concatenate(thresholds)

# %% [markdown]
# ## What stands out
#
# A score belongs to 200 ms. Those over their threshold that follow each other are one moment. The first half minute is
# left out: nothing is known of the place yet.

# %%
stands_out = np.flatnonzero(score > threshold) * 0.2
moments = stands_out[np.diff(stands_out, prepend=-1e9) > 2.0]
for moment in moments[moments > 30.0]:
    highest = score[int(moment / 0.2) :][:10].max()
    print(f"{int(moment) // 60:3d}:{moment % 60:04.1f}  score {highest:.1f}, usual {np.median(score):.1f}")
