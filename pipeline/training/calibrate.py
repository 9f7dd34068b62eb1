"""Sets every class's thresholds on its own negatives and writes the weights file.

Run from ``pipeline/``: ``python -m training.calibrate --checkpoint FILE --out street.bin``. The negatives are groups
that training held out, alone and over other sounds; no test split is read but for the counting of recordings.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training import synthesis
from training.data import (
    CLASS_NAMES,
    IN_BAND_CLASSES,
    SOUND_CLASSES,
    WINDOW_SAMPLES,
    Clip,
    hold_out,
    manifest,
    masked,
    speakers,
    stream_windows,
    training_clips,
    window_starts,
)
from training.export import ClassRule, params_of, quantise_params, write_bin
from training.network import Params, logits_in_batches
from training.steps import loud_windows, with_steps
from training.train import HOLD_OUT_EVERY, SEED, exported, load

Samples = NDArray[np.float32]

FULL_TAIL = 0.004
MASKED_TAIL = 0.05
# A class trained on a handful of recordings keeps so far from its negatives that their tail says little: it has to be
# more likely than not as well.
MIN_FULL_THRESHOLD = 0.0
MIN_TEST_GROUPS = 8
STREET_KINDS = ("rain", "wind", "quiet_ambience", "speech", "engine", "train", "airplane", "helicopter")
_SNRS_DB = (0.0, 10.0, 20.0)


@dataclass(frozen=True)
class Scores:
    """Logits of every window of every scene.

    Attributes
    ----------
    full, masked : ndarray, float32, shape=(n_windows, n_classes)
        Logits of both passes.
    scene : ndarray, int64, shape=(n_windows,)
        Index of the scene that a window belongs to.
    labels : list of str
        Class of the data set, per scene.
    """

    full: NDArray[np.float32]
    masked: NDArray[np.float32]
    scene: NDArray[np.int64]
    labels: list[str]

    def joined(self, other: Scores) -> Scores:
        """Return the scenes of both."""
        return Scores(
            np.concatenate([self.full, other.full]),
            np.concatenate([self.masked, other.masked]),
            np.concatenate([self.scene, other.scene + len(self.labels)]),
            self.labels + other.labels,
        )

    def maxima(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the greatest score of each scene, shape=(n_scenes, n_classes)."""
        out = np.full((len(self.labels), scores.shape[1]), -np.inf, np.float32)
        np.maximum.at(out, self.scene, scores)
        return out


def loudest_rms(samples: Samples) -> float:
    """Return the RMS of the loudest window: the level of an event in a signal-to-noise ratio."""
    starts = window_starts(len(samples))
    energy = max(float((samples[s : s + WINDOW_SAMPLES].astype(np.float64) ** 2).sum()) for s in starts)
    return float((energy / WINDOW_SAMPLES) ** 0.5 + 1e-9)


def over(samples: Samples, bed: Samples, snr_db: float) -> Samples:
    """Lay a sound over a bed.

    Parameters
    ----------
    samples : ndarray, float32, shape=(n_samples,)
        The sound; the result has its length.
    bed : ndarray, float32, shape=(n_bed_samples,)
        Repeated from its start as long as is needed.
    snr_db : float
        RMS of the sound's loudest window over the RMS of the bed.

    Returns
    -------
    ndarray, float32, shape=(n_samples,)
        The mixture.
    """
    repeated = np.resize(bed, len(samples))
    level = loudest_rms(samples) / (float(np.sqrt((repeated.astype(np.float64) ** 2).mean())) + 1e-9)
    return np.asarray(samples + repeated * np.float32(level * 10.0 ** (-snr_db / 20.0)), np.float32)


def at_gain(rng: np.random.Generator, samples: Samples) -> Samples:
    """Scale to a peak of -30 to 0 dB full scale."""
    return samples * np.float32(10.0 ** (rng.uniform(-30.0, 0.0) / 20.0) / (np.abs(samples).max() + 1e-9))


def score(params: Params, scenes: list[Samples], labels: list[str]) -> Scores:
    """Compute both passes over every window of every scene.

    Parameters
    ----------
    params : list of dict
        Trunk and head.
    scenes : list of ndarray, float32
        16 kHz samples.
    labels : list of str
        Class of the data set, per scene.

    Returns
    -------
    Scores
        Logits of all windows.
    """
    windows = [stream_windows(s) for s in scenes]
    index = np.repeat(np.arange(len(scenes)), [len(w) for w in windows])
    stacked = np.concatenate(windows)
    return Scores(logits_in_batches(params, stacked), logits_in_batches(params, masked(stacked)), index, labels)


def negative_scenes(clips: list[Clip], talkers: list[Clip], seed: int) -> tuple[list[Samples], list[str]]:
    """Lay held-out clips and talkers over held-out and synthetic beds, each also alone.

    Parameters
    ----------
    clips, talkers : list of Clip
        Held-out sounds.
    seed : int
        Seed of beds, gains and ratios.

    Returns
    -------
    tuple of list
        Scenes and the class of each. Kinds that a street is full of come three times as often.
    """
    rng = np.random.default_rng(seed)
    beds = [c.samples for c in clips if c.source_class in STREET_KINDS]
    scenes, labels = [], []
    for clip in [*clips, *talkers]:
        n_over = 9 if clip.source_class in STREET_KINDS else 3
        variants = [clip.samples] * (n_over // 3)
        for i in range(n_over):
            is_synthetic = rng.uniform() < 0.4
            bed = synthesis.street(rng, len(clip.samples)) if is_synthetic else beds[rng.integers(len(beds))]
            variants.append(over(clip.samples, bed, _SNRS_DB[i % 3]))
        voice = talkers[rng.integers(len(talkers))].samples
        variants.append(over(clip.samples, voice, float(rng.uniform(-5.0, 15.0))))
        scenes += [at_gain(rng, v) for v in variants]
        labels += [clip.source_class] * len(variants)
    return scenes, labels


def tail_threshold(maxima: NDArray[np.float32], share: float) -> float:
    """Return the score that a share of negatives exceeds.

    Parameters
    ----------
    maxima : ndarray, float32, shape=(n_scenes,)
        Greatest score of each negative scene.
    share : float
        Share that may pass.

    Returns
    -------
    float
        The greater of the quantile itself and of an exponential tail fitted above the 95 % quantile.
    """
    body = np.quantile(maxima, 0.95)
    excess = float((maxima[maxima > body] - body).mean())
    return float(max(np.quantile(maxima, 1.0 - share), body + excess * np.log(0.05 / share)))


def count_test_recordings() -> dict[str, int]:
    """Count the original recordings of each exported class in the test splits."""
    groups: dict[str, set[str]] = defaultdict(set)
    for row in manifest():
        for name, (_, sources) in SOUND_CLASSES.items():
            if row["split"] == "test" and row["class"] in sources:
                groups[name].add(row["group"])
    return {name: len(groups[name]) for name in CLASS_NAMES}


def rules_for(scores: Scores, positives: Scores) -> list[ClassRule]:
    """Set thresholds on negatives and the confidence step on positives.

    Parameters
    ----------
    scores : Scores
        Negative scenes of all kinds, other exported classes among them.
    positives : Scores
        Clips of exported classes.

    Returns
    -------
    list of ClassRule
        One per exported class.
    """
    n_groups = count_test_recordings()
    full, behind_mask = scores.maxima(scores.full), scores.maxima(scores.masked)
    own_full, own_masked = positives.maxima(positives.full), positives.maxima(positives.masked)
    rules = []
    for i, name in enumerate(CLASS_NAMES):
        code, sources = SOUND_CLASSES[name]
        is_negative = np.array([label not in sources for label in scores.labels])
        is_own = np.array([label in sources for label in positives.labels])
        full_threshold = max(MIN_FULL_THRESHOLD, tail_threshold(full[is_negative, i], FULL_TAIL))
        masked_threshold = float(np.quantile(behind_mask[is_negative, i], 1.0 - MASKED_TAIL))
        in_band = name in IN_BAND_CLASSES
        deciding, threshold = (own_full, full_threshold) if in_band else (own_masked, masked_threshold)
        reach = float(np.quantile(deciding[is_own, i], 0.75)) - threshold if is_own.any() else 4.0
        step = float(np.clip(reach / 3.0, 0.5, 4.0))
        rules.append(ClassRule(code, n_groups[name] < MIN_TEST_GROUPS, full_threshold, masked_threshold, step))
    return rules


def main() -> None:
    """Quantise a checkpoint, set thresholds and write the weights file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    layers = quantise_params(exported(load(options.checkpoint)))
    params = params_of(layers)
    clips = training_clips()
    _, held = hold_out(clips, HOLD_OUT_EVERY, positives=False)
    _, talkers = hold_out(speakers(for_test=False), HOLD_OUT_EVERY, positives=False)
    events = [c for c in clips if c.sound_class is not None]
    positives = score(params, [c.samples for c in events], [c.source_class for c in events])
    negatives = score(params, *negative_scenes(held, talkers, SEED))
    rules = rules_for(negatives.joined(positives), positives)
    write_bin(options.out, with_steps(layers, loud_windows()), rules)
    for name, rule in zip(CLASS_NAMES, rules, strict=True):
        print(name, rule)


if __name__ == "__main__":
    main()
