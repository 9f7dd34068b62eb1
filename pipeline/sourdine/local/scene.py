"""A synthetic street for the demo: every sound in it is computed here from one seed, and nobody ever spoke in it.

The models are the simplest that have the physics of the source: shaped noise for traffic and rain, pulse trains through
resonances for voices that say nothing, rich tones for horns, decaying partials for glass, a blast wave and its echoes
for a shot.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.float64]

SAMPLE_RATE: Final = 16_000
DURATION_S: Final = 90
SEED: Final = 1857

#: Full scale is 1; the loudest sound of the scene comes close to it.
_PEAK: Final = 0.9


@dataclass(frozen=True, slots=True)
class Placed:
    """A sound of the scene.

    Parameters
    ----------
    name : str
        What it is.
    onset_s : float
        When it begins.
    peak_db : float
        Its peak re full scale.
    """

    name: str
    onset_s: float
    peak_db: float


#: What happens, besides traffic and rain. The voices are babble: syllables of no language.
HAPPENINGS: Final = (
    Placed("steps", 9.0, -30.0),
    Placed("babble", 16.0, -22.0),
    Placed("horn", 31.0, -10.0),
    Placed("glass", 45.0, -8.0),
    Placed("babble", 52.0, -20.0),
    Placed("shot", 67.0, -1.0),
    Placed("siren", 74.0, -14.0),
)


def street_scene() -> Samples:
    """Return the demo scene.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(1 440 000,), full scale ±1, at 16 kHz; the same at every call.
    """
    rng = np.random.default_rng(SEED)
    scene = _gain(-34.0) * traffic(rng, DURATION_S) + _gain(-44.0) * rain(rng, DURATION_S)
    makers: dict[str, Callable[[np.random.Generator], Samples]] = {
        "steps": steps,
        "babble": babble,
        "horn": horn,
        "glass": glass,
        "siren": siren,
        "shot": shot,
    }
    for placed in HAPPENINGS:
        sound = _in_street(rng, makers[placed.name](rng))
        first = int(placed.onset_s * SAMPLE_RATE)
        scene[first : first + sound.size] += _gain(placed.peak_db) * sound / np.abs(sound).max()
    return np.clip(scene, -_PEAK, _PEAK)


def write_wav(path: Path, samples: Samples) -> None:
    """Write a scene as a 16-bit WAV file.

    Parameters
    ----------
    path : pathlib.Path
        The file; it is replaced.
    samples : numpy.ndarray
        dtype float64, shape=(n_samples,), full scale ±1, at 16 kHz.
    """
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.round(samples * 32767.0).astype("<i2").tobytes())


def traffic(rng: np.random.Generator, duration_s: float) -> Samples:
    """Return traffic of unit RMS: tyres and engines of a far stream of cars, a few of which pass close by.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    duration_s : float
        Length.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(n_samples,).
    """
    n_samples = int(duration_s * SAMPLE_RATE)
    # Tyre noise has its hump near 1 kHz, engines lie below 200 Hz, air takes the top away.
    far = _noise(rng, n_samples, lambda hz: 1.2 / (1.0 + (hz / 150.0) ** 2) + 0.5 / (1.0 + (hz / 900.0) ** 2))
    near = _noise(rng, n_samples, lambda hz: 1.0 / (1.0 + (hz / 1300.0) ** 2))
    time_s = np.arange(n_samples) / SAMPLE_RATE
    passing = np.zeros(n_samples)
    for closest_s in np.arange(6.0, duration_s, 13.0):
        # A source that moves at 12 m/s and is 8 m away at its closest.
        passing += 1.0 / (1.0 + ((time_s - closest_s - rng.uniform(-2.0, 2.0)) * 12.0 / 8.0) ** 2)
    mixed = far + 0.9 * passing * near
    return _unit_rms(mixed)


def rain(rng: np.random.Generator, duration_s: float) -> Samples:
    """Return light rain of unit RMS: a hiss, and drops that are heard one by one.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.
    duration_s : float
        Length.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(n_samples,).
    """
    n_samples = int(duration_s * SAMPLE_RATE)
    hiss = _noise(rng, n_samples, lambda hz: (hz / 3000.0) / (1.0 + (hz / 3000.0) ** 2))
    drops = np.zeros(n_samples)
    where = rng.integers(0, n_samples, int(25 * duration_s))
    drops[where] = rng.exponential(1.0, where.size) * rng.choice([-1.0, 1.0], where.size)
    ring = np.exp(-np.arange(160) / 25.0) * np.sin(2.0 * np.pi * 3800.0 * np.arange(160) / SAMPLE_RATE)
    mixed = hiss + 2.0 * _convolved(drops, ring)[:n_samples]
    return _unit_rms(mixed)


def steps(rng: np.random.Generator) -> Samples:
    """Return a person walking past: heel and sole of eleven steps.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(n_samples,).
    """
    out = np.zeros(int(6.5 * SAMPLE_RATE))
    time_s = np.arange(1600) / SAMPLE_RATE
    for number in range(11):
        thud = np.sin(2.0 * np.pi * rng.uniform(80.0, 110.0) * time_s) * np.exp(-time_s / 0.02)
        nearness = 1.0 / (1.0 + ((number - 5) / 3.0) ** 2)
        first = int((0.1 + 0.55 * number + rng.uniform(-0.02, 0.02)) * SAMPLE_RATE)
        out[first : first + 1600] += nearness * (thud + 0.4 * _burst(rng, 1600, 0.012))
    return out


def babble(rng: np.random.Generator) -> Samples:
    """Return three voices that say nothing: syllables of random length and random vowels, in no language.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(n_samples,).
    """
    out = np.zeros(10 * SAMPLE_RATE)
    for pitch_hz in (110.0, 155.0, 205.0):
        at_s = rng.uniform(0.0, 0.4)
        while at_s < 9.4:
            length_s = rng.uniform(0.12, 0.3)
            sung = _vowel(rng, pitch_hz * rng.uniform(0.85, 1.2), length_s)
            first = int(at_s * SAMPLE_RATE)
            out[first : first + sung.size] += sung
            at_s += length_s + rng.exponential(0.08)
    return out


def horn(rng: np.random.Generator) -> Samples:
    """Return a car's horn: two notes a third apart, rich in harmonics, each slightly out of tune.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(n_samples,).
    """
    time_s = np.arange(int(1.4 * SAMPLE_RATE)) / SAMPLE_RATE
    out = np.zeros(time_s.size)
    for note_hz in (415.0 * rng.uniform(0.995, 1.005), 498.0 * rng.uniform(0.995, 1.005)):
        for harmonic in range(1, int(7600.0 / note_hz) + 1):
            hz = note_hz * harmonic
            # The trumpet's bell lets 1.5 to 4 kHz out best.
            strength = (0.35 + 1.0 / (1.0 + ((hz - 2500.0) / 1400.0) ** 2)) / (1.0 + (hz / 5000.0) ** 4)
            out += strength * np.sin(2.0 * np.pi * hz * time_s + rng.uniform(0.0, 2.0 * np.pi))
    attack = np.minimum(1.0, time_s / 0.02)
    release = np.clip((1.25 - time_s) / 0.05, 0.0, 1.0)
    return out * attack * release


def glass(rng: np.random.Generator) -> Samples:
    """Return a pane that breaks: the blow, the pane's own inharmonic partials, then shards that fall and ring.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(n_samples,).
    """
    out = np.zeros(int(1.8 * SAMPLE_RATE))
    out[:1600] += 3.0 * _burst(rng, 1600, 0.008)
    _ring(rng, out, at_s=0.0, n_partials=60, longest_s=0.04, strength=1.0)
    for _ in range(150):
        at_s = 0.03 + rng.exponential(0.22)
        if at_s < 1.5:
            strength = np.exp(-at_s / 0.5) * rng.exponential(1.0)
            first = int(at_s * SAMPLE_RATE)
            out[first : first + 200] += 0.5 * strength * _burst(rng, 200, 0.002)
            _ring(rng, out, at_s=at_s, n_partials=16, longest_s=0.02, strength=strength)
    return out


def siren(rng: np.random.Generator) -> Samples:
    """Return a siren that wails and passes: one rich tone between 600 and 1400 Hz, up and down in 4 s.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(n_samples,).
    """
    time_s = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
    # 12 m/s along the street, 8 m away at its closest.
    along_m = 12.0 * (time_s - 5.0)
    doppler = 1.0 - 12.0 / 340.0 * along_m / np.hypot(along_m, 8.0)
    wail = 1.0 - np.abs((time_s / 4.0) % 1.0 * 2.0 - 1.0)
    phase = 2.0 * np.pi * np.cumsum(600.0 * (1400.0 / 600.0) ** wail * doppler) / SAMPLE_RATE
    out = np.zeros(time_s.size)
    for harmonic in range(1, 8):
        out += np.sin(harmonic * phase + rng.uniform(0.0, 2.0 * np.pi)) / harmonic
    fade = np.minimum(1.0, np.minimum(time_s, time_s[-1] - time_s) / 0.8)
    out *= fade / (1.0 + (along_m / 30.0) ** 2)
    return out


def shot(rng: np.random.Generator) -> Samples:
    """Return a shot in a street: the blast wave of a few milliseconds, then its echoes from the fronts of houses.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    numpy.ndarray
        dtype float64, shape=(n_samples,).
    """
    out = np.zeros(2 * SAMPLE_RATE)
    time_s = np.arange(480) / SAMPLE_RATE
    # Friedlander's wave: a steep front, then a shallow suction.
    blast = (1.0 - time_s / 0.0025) * np.exp(-time_s / 0.0025)
    out[:480] += blast + 0.5 * _burst(rng, 480, 0.004)
    for echo_s, strength in ((0.045, 0.35), (0.083, 0.28), (0.14, 0.2), (0.23, 0.12), (0.37, 0.08)):
        first = int(echo_s * SAMPLE_RATE)
        out[first : first + 480] += strength * (blast + 0.4 * _burst(rng, 480, 0.008))
    tail = _noise(rng, out.size, lambda hz: 1.0 / (1.0 + (hz / 1200.0) ** 2))
    out += 0.25 * tail / tail.std() * np.exp(-np.arange(out.size) / (0.22 * SAMPLE_RATE))
    return out


def _burst(rng: np.random.Generator, n_samples: int, decay_s: float) -> Samples:
    """Return white noise that dies away."""
    noise: Samples = rng.standard_normal(n_samples) * np.exp(-np.arange(n_samples) / (decay_s * SAMPLE_RATE))
    return noise


def _vowel(rng: np.random.Generator, pitch_hz: float, length_s: float) -> Samples:
    """Return one syllable's voiced part: harmonics of a glottis under three random formants."""
    time_s = np.arange(int(length_s * SAMPLE_RATE)) / SAMPLE_RATE
    glide = pitch_hz * (1.0 + rng.uniform(-0.15, 0.15) * time_s / length_s)
    phase = 2.0 * np.pi * np.cumsum(glide) / SAMPLE_RATE
    formants_hz = (rng.uniform(300.0, 800.0), rng.uniform(900.0, 2200.0), rng.uniform(2300.0, 3100.0))
    out = np.zeros(time_s.size)
    for harmonic in range(1, int(3800.0 / pitch_hz)):
        hz = harmonic * pitch_hz
        strength = sum(1.0 / (1.0 + ((hz - formant_hz) / 90.0) ** 2) for formant_hz in formants_hz)
        out += strength / harmonic**0.5 * np.sin(harmonic * phase)
    return out * np.sin(np.pi * time_s / length_s) ** 0.7


def _ring(
    rng: np.random.Generator, out: Samples, *, at_s: float, n_partials: int, longest_s: float, strength: float
) -> None:
    """Add a struck piece of glass: partials between 2 and 7.5 kHz that die away, the high ones first."""
    time_s = np.arange(min(out.size - int(at_s * SAMPLE_RATE), int(6.0 * longest_s * SAMPLE_RATE))) / SAMPLE_RATE
    first = int(at_s * SAMPLE_RATE)
    for hz in rng.uniform(2000.0, 7500.0, n_partials):
        decay_s = longest_s * rng.uniform(0.2, 1.0) * (2000.0 / hz) ** 0.5
        partial = np.sin(2.0 * np.pi * hz * time_s + rng.uniform(0.0, 2.0 * np.pi)) * np.exp(-time_s / decay_s)
        out[first : first + time_s.size] += strength * rng.exponential(1.0) / n_partials**0.5 * partial


def _in_street(rng: np.random.Generator, sound: Samples) -> Samples:
    """Return a sound with the street around it: a few reflections and a short diffuse tail."""
    tail = 0.02 * _burst(rng, int(0.5 * SAMPLE_RATE), 0.1)
    tail[0] = 1.0
    for delay_s in (0.011, 0.019, 0.031):
        tail[int(delay_s * SAMPLE_RATE)] += 0.25
    return _convolved(sound, tail)


def _noise(rng: np.random.Generator, n_samples: int, magnitude: Callable[[Samples], Samples]) -> Samples:
    """Return noise whose spectrum follows `magnitude` of the frequency in Hz."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    hz: Samples = np.arange(spectrum.size, dtype=np.float64) * (SAMPLE_RATE / n_samples)
    noise: Samples = np.fft.irfft(spectrum * magnitude(hz), n_samples)
    return noise


def _convolved(sound: Samples, response: Samples) -> Samples:
    n_out = sound.size + response.size - 1
    n_fft = 1 << (n_out - 1).bit_length()
    folded: Samples = np.fft.irfft(np.fft.rfft(sound, n_fft) * np.fft.rfft(response, n_fft), n_fft)[:n_out]
    return folded


def _unit_rms(sound: Samples) -> Samples:
    scaled: Samples = sound / np.sqrt(np.mean(sound**2))
    return scaled


def _gain(level_db: float) -> float:
    return float(10.0 ** (level_db / 20.0))
