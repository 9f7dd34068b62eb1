"""What the streets of a load sound like: an ambience that goes round, and clips that are laid over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from dsp_core.records import SOUND_CLASSES

from sourdine.errors import ConfigError
from sourdine.local import scene

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.float64]
    Pcm: TypeAlias = NDArray[np.int16]

SAMPLE_RATE: Final = scene.SAMPLE_RATE
#: Seconds of a clip that are used: the loudest.
CLIP_S: Final = 2

_AMBIENCE: Final = "street_ambience"
#: Folders of clips; no voices.
_KINDS: Final = (set(SOUND_CLASSES) | {"car_horn"}) - {"scream"}
_FADE_S: Final = 0.05
_FULL: Final = 32_767
_SEED: Final = 1857


@dataclass(frozen=True, slots=True)
class Sounds:
    """What streets are made of.

    Parameters
    ----------
    ambience : numpy.ndarray
        dtype int16, shape=(n_seconds, 16 000), of unit level re 1/50 of full scale; its end goes on with its beginning.
    clips : list of numpy.ndarray
        dtype int16, shape=(n_samples,), at most 2 s each, peak at full scale.
    """

    ambience: Pcm
    clips: list[Pcm]


def synthetic() -> Sounds:
    """Return the sounds of the demo scene: computed, and the same at every call."""
    rng = np.random.default_rng(_SEED)
    clips = [make(rng) for make in (scene.horn, scene.glass, scene.shot) for _ in range(4)]
    return Sounds(_round(scene.traffic(rng, 61.0)), [_clip(samples) for samples in clips])


def recorded(folder: Path) -> Sounds:
    """Read real clips.

    Parameters
    ----------
    folder : pathlib.Path
        A folder for each class of clips, such as ``glass_break``, and ``street_ambience``.

    Returns
    -------
    Sounds
        At 16 kHz.

    Raises
    ------
    ConfigError
        If there is no ambience or no clip, or a file cannot be read.
    """
    beds = sorted((folder / _AMBIENCE).glob("*"))
    files = [file for kind in sorted(_KINDS) for file in sorted((folder / kind).glob("*"))]
    if not beds or not files:
        words = f"expected folders {_AMBIENCE} and one of {', '.join(sorted(_KINDS))}, with recordings in them"
        raise ConfigError(f"{folder}: {words}")
    ambience = np.concatenate([_read(file) for file in beds])
    return Sounds(_round(ambience), [_clip(_read(file)) for file in files])


def _read(file: Path) -> Samples:
    """Return a recording's first channel at 16 kHz."""
    import soundfile

    try:
        samples, rate = soundfile.read(file, dtype="float64", always_2d=True)
    except soundfile.LibsndfileError:
        raise ConfigError(f"{file}: not a recording that can be read") from None
    one: Samples = samples[:, 0]
    n_samples = round(one.size * SAMPLE_RATE / rate)
    spectrum = np.zeros(n_samples // 2 + 1, np.complex128)
    kept = np.fft.rfft(one)[: spectrum.size]
    spectrum[: kept.size] = kept
    resampled: Samples = np.fft.irfft(spectrum, n_samples) * (n_samples / max(1, one.size))
    return resampled


def _round(bed: Samples) -> Pcm:
    """Return whole seconds of an ambience whose last fades into its first."""
    n_seconds, n_fade = bed.size // SAMPLE_RATE - 1, int(_FADE_S * SAMPLE_RATE)
    if n_seconds < 1:
        raise ConfigError(f"{_AMBIENCE}: expected 2 s or more")
    rise = np.sqrt(np.linspace(0.0, 1.0, n_fade))
    round_, beyond = bed[: n_seconds * SAMPLE_RATE].copy(), bed[n_seconds * SAMPLE_RATE :][:n_fade]
    round_[:n_fade] = round_[:n_fade] * rise + beyond * rise[::-1]
    level = np.sqrt(np.mean(round_**2)) + 1e-12
    return _pcm(round_ * (0.02 / level)).reshape(n_seconds, SAMPLE_RATE)


def _clip(samples: Samples) -> Pcm:
    """Return the loudest 2 s of a clip, faded at both ends."""
    n_samples = CLIP_S * SAMPLE_RATE
    power = np.concatenate([[0.0], np.cumsum(samples**2)])
    first = int(np.argmax(power[n_samples:] - power[:-n_samples])) if samples.size > n_samples else 0
    part = samples[first : first + n_samples].copy()
    n_fade = min(int(_FADE_S * SAMPLE_RATE), part.size // 2)
    part[part.size - n_fade :] *= np.linspace(1.0, 0.0, n_fade)
    return _pcm(part / (np.abs(part).max() + 1e-12))


def _pcm(samples: Samples) -> Pcm:
    return np.round(np.clip(samples, -1.0, 1.0) * _FULL).astype(np.int16)
