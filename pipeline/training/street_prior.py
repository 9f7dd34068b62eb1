"""The street that a trigger knows before it has heard its own: spectrum and scales from clips, tail from a simulation.

Run ``PYTHONPATH=pipeline python -m training.street_prior`` from the root of the checkout; it writes
``dsp_core/src/analysis/prior.rs`` and is deterministic. Clips are those of ``free/train`` alone, so that ``free/val``
can tell how well it serves.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data import SAMPLE_RATE, data_root, log_mel, manifest, read_16k

# What a street sounds like when nothing happens. Each class counts alike, whatever its number of clips.
AMBIENCE_CLASSES = (
    "quiet_ambience",
    "rain",
    "wind",
    "engine",
    "train",
    "birds",
    "sea_waves",
    "machine_hum",
    "airplane",
    "babble",
)
UNIT_FRAMES = 20
RMS = 0.03
ABSOLUTE_TO_SCALE = 1.4826
TARGET = Path(__file__).resolve().parents[2] / "dsp_core/src/analysis/prior.rs"

# Tail of the score on eight simulated streets at a random time of day: initial threshold at 1 200 clusters a day,
# scale and shape of the excesses. Initial threshold and scale are those of the calmer quarter of the streets: what the
# trigger misses is lost, and in a busier street the threshold rises within minutes. Printed and checked by the test
# ``the_shipped_tail_is_the_streets`` of dsp_core, since the score is defined there.
TAIL = {"RATE": 1200.0, "INITIAL": 1.46, "SCALE": 1.06, "SHAPE": -0.025}

Array = NDArray[np.float64]


def unit_means(samples: NDArray[np.float32]) -> Array:
    """Return the means of 20 log-mel frames.

    Parameters
    ----------
    samples : ndarray, float32, shape=(n_samples,)
        16 kHz samples.

    Returns
    -------
    ndarray, float64, shape=(n_units, 64)
        ln-mel units.
    """
    frames = log_mel(samples).astype(np.float64)
    n_units = len(frames) // UNIT_FRAMES
    return np.asarray(frames[: n_units * UNIT_FRAMES].reshape(n_units, UNIT_FRAMES, -1).mean(axis=1))


def shape_and_scale() -> tuple[Array, Array]:
    """Return the mean spectrum (mean 0 over the bands) and the scale of each band.

    Returns
    -------
    tuple of ndarray, float64, shape=(64,)
        ln-mel units. The scale joins how far clips differ from the mean spectrum and how much a clip moves by itself.
    """
    rows = [row for row in manifest() if row["part"] == "free" and row["split"] == "train"]
    folder = data_root() / "data/city_sounds"
    spectra, movements, weights = [], [], []
    for name in AMBIENCE_CLASSES:
        clips = [read_16k(folder / row["file"]) for row in rows if row["class"] == name]
        clips = [clip for clip in clips if len(clip) > SAMPLE_RATE]
        for clip in clips:
            power = float((clip.astype(np.float64) ** 2).mean())
            units = unit_means((clip * (RMS / (power + 1e-12) ** 0.5)).astype(np.float32))
            middle = np.median(units, axis=0)
            spectra.append(middle - middle.mean())
            movements.append(ABSOLUTE_TO_SCALE * np.median(np.abs(units - middle), axis=0))
            weights.append(1.0 / len(clips))
    weight = (np.array(weights) / np.sum(weights))[:, None]
    shape = (weight * np.array(spectra)).sum(axis=0)
    between = (weight * (np.array(spectra) - shape) ** 2).sum(axis=0)
    within = (weight * np.array(movements)).sum(axis=0)
    return shape, np.sqrt(between + within**2)


def _table(name: str, doc: str, values: Array) -> str:
    rows = ["    " + ", ".join(f"{x:.3f}" for x in values[i : i + 8]) + ",\n" for i in range(0, len(values), 8)]
    return f"/// {doc}\n#[rustfmt::skip]\npub(crate) const {name}: [f32; 64] = [\n{''.join(rows)}];\n"


def prior_rs() -> str:
    """Return the Rust source of the prior."""
    shape, scale = shape_and_scale()
    docs = {
        "RATE": "Clusters of exceedances a day over the initial threshold.",
        "INITIAL": "The initial threshold, in units of the score.",
        "SCALE": "Scale of the generalised Pareto excesses over it.",
        "SHAPE": "Their shape.",
    }
    tail = "".join(
        f"/// {doc}\npub(crate) const TAIL_{name}: f64 = {TAIL[name]:.3f};\n".replace("1200.000", "1_200.0")
        for name, doc in docs.items()
    )
    return (
        "//! The shipped street prior, written by `pipeline/training/street_prior.py`; not for editing by hand.\n\n"
        + _table("SHAPE", "(64,), ln-mel units: mean spectrum of street ambience, mean 0 over the bands.", shape)
        + _table("SCALE", "(64,), ln-mel units: how far a street's bands lie from it.", scale)
        + tail
    )


if __name__ == "__main__":
    TARGET.write_text(prior_rs(), encoding="utf-8")
