"""Measures how large activations become, and sets the steps of the integers that hold them.

Run from ``pipeline/``: ``python -m training.steps --weights FILE --out FILE``. Weights, biases and thresholds stay as
they are. Read are the clips that may be trained on and the training talkers, each brought to full scale and cut as the
stream does, with and without the speech band; no test split.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
from numpy.typing import NDArray

from training.data import masked, speakers, stream_windows, training_clips
from training.export import BAND_STEP, MAX_ACTIVATION, Quantised, params_of, read_bin, write_bin
from training.network import activations

#: An activation may become this many times as large as any in the recordings before it is cut off.
HEADROOM = 2.0
_N_BATCH = 64


def with_steps(layers: list[Quantised], windows: NDArray[np.float32]) -> list[Quantised]:
    """Set every layer's step.

    Parameters
    ----------
    layers : list of Quantised
        Trunk and head.
    windows : ndarray, float32, shape=(n, 96, 64)
        Log-mel windows, as loud as they come.

    Returns
    -------
    list of Quantised
        The same layers: the first with the step of the bands, each other one with the largest of its inputs times the
        headroom as its largest integer. The head's inputs are means and maxima of what came before.
    """
    params = params_of(layers)[:-1]
    largest = jax.jit(lambda batch: [x.max() for x in activations(params, batch)])
    starts = [min(at, len(windows) - _N_BATCH) for at in range(0, len(windows), _N_BATCH)]
    batches = [largest(windows[at : at + _N_BATCH]) for at in starts]
    ceilings = HEADROOM * np.max(np.asarray(batches, np.float64), axis=0)
    steps = [BAND_STEP, *(float(ceiling) / MAX_ACTIVATION for ceiling in ceilings)]
    return [replace(stored, step=step) for stored, step in zip(layers, steps, strict=True)]


def loud_windows() -> NDArray[np.float32]:
    """Return the windows to measure on, shape=(n, 96, 64): both what the full pass and what the masked one sees."""
    clips = [*training_clips(), *speakers(for_test=False)]
    windows = np.concatenate([stream_windows(c.samples / np.float32(np.abs(c.samples).max() + 1e-9)) for c in clips])
    return np.concatenate([windows, masked(windows)])


def main() -> None:
    """Set the steps of a weights file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    layers, rules = read_bin(options.weights)
    layers = with_steps(layers, loud_windows())
    write_bin(options.out, layers, rules)
    print("largest activations with headroom:", *(f"{MAX_ACTIVATION * stored.step:.1f}" for stored in layers))


if __name__ == "__main__":
    main()
