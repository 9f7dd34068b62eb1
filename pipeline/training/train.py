"""Trains the street network from YAMNet's first nineteen layers.

Run from ``pipeline/``: ``python -m training.train --out DIR``. Everything random has a fixed seed.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import ArrayLike, NDArray

from training import yamnet
from training.data import (
    CLASS_NAMES,
    IN_BAND_CLASSES,
    MASK_VALUE,
    data_root,
    hold_out,
    speakers,
    speech_bands,
    training_clips,
)
from training.mixtures import OUTPUTS, Mixer, Pool
from training.network import N_BANDS, N_FEATURES, N_FRAMES, TRUNK, Params, features

SEED = 20_240_611
HOLD_OUT_EVERY = 4
N_PAIRS, N_SINGLES = 12, 40
TRUNK_RATE, HEAD_RATE, WEIGHT_DECAY = 3e-4, 3e-3, 0.02
DROPOUT = 0.4
TALKER_WEIGHT = 0.05
QUANTISED_SHARE = 0.25
_IN_BAND = jnp.array([name in IN_BAND_CLASSES for name in OUTPUTS], jnp.float32)


@dataclass(frozen=True)
class Batch:
    """One step's windows: first of each pair, second of each pair, singles; targets and weights alike."""

    windows: NDArray[np.float32]
    targets: NDArray[np.float32]
    weights: NDArray[np.float32]

    def arrays(self) -> tuple[NDArray[np.float32], ...]:
        """Return windows, targets and weights."""
        return self.windows, self.targets, self.weights


def initial_params(seed: int) -> Params:
    """Return YAMNet's first nineteen layers in float32, and a small random head with the training outputs."""
    stored = yamnet.read_layers(data_root() / "models/yamnet_classification.tflite")[: len(TRUNK)]
    params = [{"w": jnp.asarray(w.astype(np.float32) * s), "b": jnp.asarray(b)} for w, s, b in stored]
    head = 0.01 * jax.random.normal(jax.random.key(seed), (N_FEATURES, len(OUTPUTS)))
    return [*params, {"w": head, "b": jnp.full(len(OUTPUTS), -3.0)}]


def rounded(params: Params) -> Params:
    """Round weights to the int8 grid of the weights file, with gradients passed straight through."""

    def one(weight: jax.Array) -> jax.Array:
        scale = jnp.abs(weight).reshape(-1, weight.shape[-1]).max(axis=0) / 127.0 + 1e-12
        grid = jnp.round(weight / scale) * scale
        return weight + jax.lax.stop_gradient(grid - weight)

    return [{"w": one(p["w"]), "b": p["b"]} for p in params]


def _stripes(rng: np.random.Generator, windows: NDArray[np.float32]) -> None:
    """Blank two time stripes and one band stripe of a window (or of both of a pair) in place."""
    for _ in range(2):
        width = int(rng.integers(0, 13))
        start = int(rng.integers(0, N_FRAMES - width + 1))
        windows[:, start : start + width] = windows.mean()
    width = int(rng.integers(0, 8))
    start = int(rng.integers(0, N_BANDS - width + 1))
    windows[:, :, start : start + width] = windows.mean()


def draw(rng: np.random.Generator, singles: Pool, pairs: Pool) -> Batch:
    """Draw a batch, blank stripes, and mask the speech band of half of it.

    Parameters
    ----------
    rng : Generator
        Source of chance.
    singles, pairs : Pool
        Mixtures with one and with two talkers.

    Returns
    -------
    Batch
        Windows, targets and weights; classes that live in the speech band are not asked for where it is masked.
    """
    chosen = [(pairs, int(i)) for i in rng.integers(0, len(pairs.windows), N_PAIRS)]
    chosen += [(singles, int(i)) for i in rng.integers(0, len(singles.windows), N_SINGLES)]
    parts, targets, weights = [], [], []
    for pool, i in chosen:
        windows = pool.windows[i].astype(np.float32)
        weight = pool.weights[i]
        _stripes(rng, windows)
        if rng.uniform() < 0.5:
            windows[:, :, speech_bands()] = MASK_VALUE
            weight = weight * (1.0 - np.asarray(_IN_BAND))
        parts.append(windows)
        targets.append(pool.targets[i])
        weights.append(weight)
    first = [p[0] for p in parts[:N_PAIRS]]
    second = [p[1] for p in parts[:N_PAIRS]]
    single = [p[0] for p in parts[N_PAIRS:]]
    order = [*range(N_PAIRS), *range(N_PAIRS), *range(N_PAIRS, len(parts))]
    return Batch(np.stack(first + second + single), np.stack(targets)[order], np.stack(weights)[order])


def loss(params: Params, key: jax.Array, batch: tuple[ArrayLike, ...], quantised: bool) -> jax.Array:
    """Return the cross-entropy of every output plus what ties the two talkers of a pair together.

    Parameters
    ----------
    params : list of dict
        Trunk and head.
    key : jax.Array
        Key of the dropout; both of a pair drop the same features.
    batch : tuple of array
        Windows, targets, weights.
    quantised : bool
        Whether weights are rounded to int8 on the way.

    Returns
    -------
    jax.Array
        Scalar loss.
    """
    windows, targets, weights = (jnp.asarray(part) for part in batch)
    params = rounded(params) if quantised else params
    pooled = features(params[:-1], windows)
    keep = jax.random.bernoulli(key, 1.0 - DROPOUT, pooled.shape) / (1.0 - DROPOUT)
    keep = keep.at[N_PAIRS : 2 * N_PAIRS].set(keep[:N_PAIRS])
    scores = (pooled * keep) @ params[-1]["w"] + params[-1]["b"]
    entropy = optax.sigmoid_binary_cross_entropy(scores, targets) * weights
    apart = (scores[:N_PAIRS] - scores[N_PAIRS : 2 * N_PAIRS])[:, : len(CLASS_NAMES)] ** 2
    return jnp.asarray(entropy.sum(axis=-1).mean() + TALKER_WEIGHT * apart.sum(axis=-1).mean() / 2.0)


def _optimiser(n_steps: int) -> optax.GradientTransformation:
    def adamw(peak: float) -> optax.GradientTransformation:
        rate = optax.cosine_onecycle_schedule(n_steps, peak, pct_start=0.2)
        return optax.adamw(rate, weight_decay=WEIGHT_DECAY)

    labels = [{"w": "trunk", "b": "trunk"}] * len(TRUNK) + [{"w": "head", "b": "head"}]
    rates = {"trunk": adamw(TRUNK_RATE), "head": adamw(HEAD_RATE)}
    return optax.chain(optax.clip_by_global_norm(5.0), optax.multi_transform(rates, labels))


def fit(params: Params, singles: Pool, pairs: Pool, n_steps: int, seed: int) -> Params:
    """Train.

    Parameters
    ----------
    params : list of dict
        Where training starts.
    singles, pairs : Pool
        Mixtures.
    n_steps : int
        Steps of one batch; in the last quarter weights are rounded to int8 on the way.
    seed : int
        Seed of the batches and the dropout.

    Returns
    -------
    list of dict
        Trunk and head with all training outputs.
    """
    rng = np.random.default_rng(seed)
    optimiser = _optimiser(n_steps)
    state = optimiser.init(params)

    @partial(jax.jit, static_argnames="quantised")
    def step(
        params: Params, state: optax.OptState, key: jax.Array, batch: tuple[ArrayLike, ...], quantised: bool
    ) -> tuple[Params, optax.OptState, jax.Array]:
        value, gradient = jax.value_and_grad(loss)(params, key, batch, quantised)
        updates, state = optimiser.update(gradient, state, params)
        return optax.apply_updates(params, updates), state, value

    mean, begun = 0.0, time.monotonic()
    for i in range(n_steps):
        arrays = draw(rng, singles, pairs).arrays()
        quantised = i >= n_steps * (1.0 - QUANTISED_SHARE)
        params, state, value = step(params, state, jax.random.key(seed + i), arrays, quantised)
        mean += (float(value) - mean) * max(0.02, 1.0 / (i + 1))
        if (i + 1) % 50 == 0:
            print(f"step {i + 1} loss {mean:.3f} after {time.monotonic() - begun:.0f} s", flush=True)
    return params


def exported(params: Params) -> Params:
    """Return the parameters with the auxiliary outputs cut off the head."""
    n_classes = len(CLASS_NAMES)
    head = {"w": params[-1]["w"][:, :n_classes], "b": params[-1]["b"][:n_classes]}
    return [*params[:-1], head]


def save(path: Path, params: Params) -> None:
    """Write a float checkpoint."""
    arrays: dict[str, Any] = {f"{k}{i}": np.asarray(v) for i, p in enumerate(params) for k, v in p.items()}
    np.savez(path, **arrays)


def load(path: Path) -> Params:
    """Read a float checkpoint."""
    with np.load(path) as file:
        return [{"w": jnp.asarray(file[f"w{i}"]), "b": jnp.asarray(file[f"b{i}"])} for i in range(len(TRUNK) + 1)]


def pools(cache: Path, n_singles: int, n_pairs: int, seed: int, *, positives: bool) -> tuple[Pool, Pool]:
    """Make the mixtures, or read them back from the cache.

    Parameters
    ----------
    cache : Path
        Folder that keeps mixtures between runs.
    n_singles, n_pairs : int
        How many of each.
    seed : int
        Seed of the mixtures.
    positives : bool
        Whether groups of exported classes are held out as well.

    Returns
    -------
    tuple of Pool
        Singles and pairs.
    """
    path = cache / f"pool_{n_singles}_{n_pairs}_{seed}_{int(positives)}.npz"
    if not path.exists():
        clips, _ = hold_out(training_clips(), HOLD_OUT_EVERY, positives=positives)
        talkers, _ = hold_out(speakers(for_test=False), HOLD_OUT_EVERY, positives=positives)
        mixer = Mixer(clips, talkers, seed)
        made = {"s": mixer.pool(n_singles, 1), "p": mixer.pool(n_pairs, 2)}
        arrays: dict[str, Any] = {
            f"{k}_{name}": value for k, pool in made.items() for name, value in vars(pool).items()
        }
        np.savez(path, **arrays)
    with np.load(path) as file:
        singles, pairs = (Pool(**{n: file[f"{k}_{n}"] for n in ("windows", "targets", "weights")}) for k in "sp")
    return singles, pairs


def main() -> None:
    """Train with the options of the command line and write a float checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="float checkpoint, .npz")
    parser.add_argument("--cache", type=Path, required=True, help="folder for mixtures")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--singles", type=int, default=40_000)
    parser.add_argument("--pairs", type=int, default=8_000)
    parser.add_argument("--start", type=Path, help="float checkpoint to go on from, instead of YAMNet")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--hold-out-positives", action="store_true", help="for choosing a recipe, not for shipping")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    singles, pairs = pools(
        options.cache, options.singles, options.pairs, options.seed, positives=options.hold_out_positives
    )
    params = load(options.start) if options.start else initial_params(options.seed)
    save(options.out, fit(params, singles, pairs, options.steps, options.seed))


if __name__ == "__main__":
    main()
