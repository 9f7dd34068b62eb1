"""Procedural sounds for classes with few recordings, and for what is mistaken for them.

Each generator takes a random generator and a number of samples and returns float32 samples at 16 kHz with a peak of
one. They belong to training alone: the demonstration scene has generators of its own, so that it does not flatter the
network with sounds it was trained on.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from training.data import SAMPLE_RATE

Samples = NDArray[np.float32]
Generator = Callable[[np.random.Generator, int], Samples]
_Array = NDArray[np.float64]

# Two-tone sirens, in hertz: French police, fire brigade and ambulance first, then German, Italian, British, Japanese.
_TWO_TONES = (
    (435.0, 580.0),
    (435.0, 488.0),
    (435.0, 651.0),
    (440.0, 585.0),
    (392.0, 660.0),
    (670.0, 1100.0),
    (770.0, 960.0),
)


def _time(n: int) -> _Array:
    return np.arange(n) / SAMPLE_RATE


def _peak(x: _Array) -> Samples:
    return np.asarray(x / max(float(np.abs(x).max()), 1e-9), np.float32)


def _smooth_noise(rng: np.random.Generator, n: int, seconds: float) -> _Array:
    """Gaussian noise of unit variance that changes over about ``seconds``."""
    n_points = max(4, int(n / SAMPLE_RATE / seconds) + 4)
    points = gaussian_filter1d(rng.standard_normal(n_points), 0.8)
    smooth = np.interp(np.linspace(0, n_points - 1, n), np.arange(n_points), points)
    return np.asarray(smooth / (points.std() + 1e-9))


def _shape(rng: np.random.Generator, x: _Array, low_hz: float, high_hz: float, ripple_db: float = 6.0) -> _Array:
    """Pass ``low_hz`` to ``high_hz`` with soft edges and a few broad resonances, as a horn loudspeaker does."""
    spectrum = np.fft.rfft(x)
    hz = np.fft.rfftfreq(len(x), 1 / SAMPLE_RATE) + 1e-3
    gain = 1.0 / np.sqrt((1.0 + (low_hz / hz) ** 4) * (1.0 + (hz / high_hz) ** 4))
    bumps = rng.normal(0.0, ripple_db, 10)
    gain = gain * 10.0 ** (np.interp(np.log(hz), np.linspace(np.log(100), np.log(8000), 10), bumps) / 20.0)
    return np.asarray(np.fft.irfft(spectrum * gain, len(x)))


def _harmonics(rng: np.random.Generator, hz: _Array, slope: float, n_max: int = 24) -> _Array:
    """Sum harmonics of a moving fundamental, amplitude k**-slope with a random spread, none above 7.6 kHz."""
    phase = 2.0 * np.pi * np.cumsum(hz) / SAMPLE_RATE
    out = np.zeros(len(hz))
    for k in range(1, n_max + 1):
        if k * hz.min() > 7600.0:
            break
        level = k**-slope * 10.0 ** (rng.normal(0.0, 4.0) / 20.0)
        out += level * np.sin(k * phase + rng.uniform(0, 6.28)) * (k * hz < 7600.0)
    return out


def _ramp(x: _Array, attack_s: float, release_s: float) -> _Array:
    t = _time(len(x))
    return np.asarray(x * np.minimum(1.0, t / attack_s) * np.minimum(1.0, t[::-1] / release_s))


def _sweep(rng: np.random.Generator, n: int, low: float, high: float, period_s: float) -> _Array:
    """Fundamental that goes between two frequencies: triangle, rounded, or fast up and slow down."""
    phase = (_time(n) / period_s + rng.uniform()) % 1.0
    rise = rng.choice([0.5, rng.uniform(0.2, 0.8), 0.9])
    position = np.where(phase < rise, phase / rise, (1.0 - phase) / (1.0 - rise))
    if rng.uniform() < 0.5:
        position = 0.5 - 0.5 * np.cos(np.pi * position)
    return np.asarray(low * (high / low) ** position)


def _siren_pitch(rng: np.random.Generator, n: int) -> _Array:
    style = rng.choice(["wail", "yelp", "two_tone", "phaser", "rise"], p=[0.33, 0.22, 0.28, 0.07, 0.10])
    low, high = rng.uniform(450, 900), rng.uniform(1000, 1900)
    if style == "wail":
        return _sweep(rng, n, low, high, rng.uniform(1.8, 7.0))
    if style == "yelp":
        return _sweep(rng, n, low, high, rng.uniform(0.15, 0.5))
    if style == "phaser":
        return _sweep(rng, n, low, high, rng.uniform(0.04, 0.1))
    if style == "rise":
        return _sweep(rng, n, rng.uniform(150, 350), rng.uniform(400, 900), rng.uniform(4.0, 12.0))
    tones = np.array(_TWO_TONES[rng.integers(len(_TWO_TONES))]) * rng.uniform(0.93, 1.07)
    which = ((_time(n) / rng.uniform(0.35, 1.3) + rng.uniform()) % 1.0 < 0.5).astype(int)
    return np.asarray(gaussian_filter1d(tones[which], rng.uniform(0.001, 0.01) * SAMPLE_RATE))


def siren(rng: np.random.Generator, n: int) -> Samples:
    """Emergency sirens: wail, yelp, two-tone (French 435/580 Hz and others), phaser, slow mechanical rise."""
    hz = _siren_pitch(rng, n) * (1.0 + 0.02 * _smooth_noise(rng, n, 1.5))
    x = _harmonics(rng, np.maximum(hz, 60.0), rng.uniform(0.6, 2.5))
    if rng.uniform() < 0.3:
        x = np.tanh(rng.uniform(1, 5) * x)
    x = _shape(rng, x, rng.uniform(150, 600), rng.uniform(1500, 6000))
    return _peak(x * 10.0 ** (0.15 * _smooth_noise(rng, n, 0.4)))


def horn(rng: np.random.Generator, n: int) -> Samples:
    """Car and lorry horns: chords of one to three rich tones, in one to four blasts."""
    base = rng.uniform(110, 280) if rng.uniform() < 0.2 else rng.uniform(290, 560)
    ratios = [1.0, rng.uniform(1.17, 1.36), rng.uniform(1.4, 1.6)][: rng.choice([1, 2, 3], p=[0.3, 0.6, 0.1])]
    drift = 1.0 + 0.002 * _smooth_noise(rng, n, 0.3)
    tone = np.zeros(n)
    for ratio in ratios:
        tone += rng.uniform(0.5, 1.0) * _harmonics(rng, base * ratio * drift, rng.uniform(0.1, 1.1))
    out = np.zeros(n)
    at = 0
    long_blast = rng.uniform() < 0.5
    while at < n:
        length = int(SAMPLE_RATE * (rng.uniform(0.5, 3.0) if long_blast else rng.uniform(0.08, 0.5)))
        part = slice(at, min(n, at + length))
        out[part] = _ramp(tone[part], rng.uniform(0.005, 0.03), rng.uniform(0.01, 0.06))
        at += length + int(SAMPLE_RATE * rng.uniform(0.06, 0.5))
    return _peak(_shape(rng, out, rng.uniform(150, 400), rng.uniform(2500, 7000)))


def tyre_screech(rng: np.random.Generator, n: int) -> Samples:
    """Tyre squeal: rough, wandering partials between 600 and 2000 Hz over hiss."""
    hz = rng.uniform(600, 2000) * (1.0 - rng.uniform(0, 0.25) * np.linspace(0, 1, n))
    hz = hz * (1.0 + 0.03 * _smooth_noise(rng, n, 0.08) + 0.01 * _smooth_noise(rng, n, 0.01))
    x = np.zeros(n)
    for _ in range(rng.integers(1, 4)):
        x += rng.uniform(0.3, 1.0) * _harmonics(rng, hz * rng.uniform(0.8, 1.3), rng.uniform(0.8, 2.0), 6)
    x *= 1.0 + rng.uniform(0.2, 0.8) * _smooth_noise(rng, n, rng.uniform(0.008, 0.03))
    x = x / x.std() + rng.uniform(0.1, 0.6) * _shape(rng, rng.standard_normal(n), 700, 5000)
    return _peak(_ramp(x, rng.uniform(0.02, 0.4), rng.uniform(0.05, 0.8)))


def whistle(rng: np.random.Generator, n: int) -> Samples:
    """Referee whistles with and without a pea, and glides of a human whistle."""
    t = _time(n)
    if rng.uniform() < 0.6:
        rate = rng.uniform(20, 60)
        pea = np.sin(2 * np.pi * rate * t + rng.uniform(0, 6.28)) * rng.choice([0.0, 1.0], p=[0.25, 0.75])
        hz = rng.uniform(2100, 4300) * (1.0 + rng.uniform(0.01, 0.05) * pea)
        x = np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE) * (1.0 + rng.uniform(0.2, 0.9) * pea)
    else:
        points = rng.uniform(900, 3200, rng.integers(2, 6))
        hz = np.interp(np.linspace(0, len(points) - 1, n), np.arange(len(points)), points)
        x = np.sin(2 * np.pi * np.cumsum(hz * (1 + 0.005 * _smooth_noise(rng, n, 0.05))) / SAMPLE_RATE)
    breath = _shape(rng, rng.standard_normal(n), 1500, 7000)
    x = x + rng.uniform(0.02, 0.2) * breath / breath.std()
    if rng.uniform() < 0.5:
        x = x * ((t / rng.uniform(0.2, 0.9) + rng.uniform()) % 1.0 < rng.uniform(0.4, 0.85))
    return _peak(_ramp(x, 0.02, 0.05))


def alarm(rng: np.random.Generator, n: int) -> Samples:
    """Beepers, smoke detectors (three pulses), fast chirps of burglar alarms, and clapper bells."""
    t = _time(n)
    style = rng.choice(["beep", "three", "chirp", "clapper"], p=[0.4, 0.2, 0.25, 0.15])
    hz = np.full(n, rng.uniform(2700, 3500) if rng.uniform() < 0.5 else rng.uniform(600, 4200))
    if style == "clapper":
        strokes = (t * rng.uniform(9, 25)) % 1.0
        x = sum((np.sin(2 * np.pi * f * t) for f in rng.uniform(900, 6500, 6)), np.zeros(n))
        return _peak(x * np.exp(-strokes * rng.uniform(1, 3)))
    if style == "chirp":
        hz = _sweep(rng, n, float(hz[0]) * 0.6, float(hz[0]), rng.uniform(0.08, 0.6))
    x = _harmonics(rng, hz, rng.uniform(0.5, 2.5), 8)
    if style == "beep":
        x = x * ((t / rng.uniform(0.12, 1.2) + rng.uniform()) % 1.0 < rng.uniform(0.3, 0.7))
    if style == "three":
        phase = (t / rng.uniform(1.5, 4.0) + rng.uniform()) % 1.0
        x = x * (phase < 0.75) * ((phase * 4.0) % 1.0 < 0.5)
    return _peak(x)


def bell(rng: np.random.Generator, n: int) -> Samples:
    """Struck bells, bowls and bottles: inharmonic partials that die away; a negative for siren, horn and alarm."""
    x = np.zeros(n)
    modes = rng.uniform(150, 900) * np.array([0.5, 1.0, 1.19, 1.5, 2.0, 2.6, 3.1, 4.2]) * rng.uniform(0.97, 1.03, 8)
    for start in np.sort(rng.integers(0, n, rng.integers(1, 5))):
        t = _time(n - start)
        for mode in modes:
            decay = np.exp(-t / (rng.uniform(0.15, 1.5) * 300.0 / mode + 0.05))
            x[start:] += rng.uniform(0.2, 1.0) * decay * np.sin(2 * np.pi * mode * t)
    return _peak(x)


def birdsong(rng: np.random.Generator, n: int) -> Samples:
    """Short glides between 1.8 and 7 kHz; a negative for siren, whistle and alarm."""
    x = np.zeros(n)
    at = int(rng.uniform(0, 0.2) * SAMPLE_RATE)
    while at < n - 200:
        length = min(n - at, int(SAMPLE_RATE * rng.uniform(0.03, 0.35)))
        hz = np.linspace(rng.uniform(1800, 7000), rng.uniform(1800, 7000), length)
        hz *= 1.0 + rng.uniform(0, 0.05) * np.sin(2 * np.pi * rng.uniform(15, 60) * _time(length))
        x[at : at + length] = np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE) * np.hanning(length)
        at += length + int(SAMPLE_RATE * rng.uniform(0.02, 0.5))
    return _peak(x)


def music(rng: np.random.Generator, n: int) -> Samples:
    """Held and plucked chords and melodies; a negative for siren, horn and alarm."""
    x = np.zeros(n)
    beat = int(SAMPLE_RATE * rng.uniform(0.12, 0.6))
    root = rng.uniform(80, 500)
    slope, plucked = rng.uniform(0.8, 2.5), rng.uniform(0.0, 8.0)
    for at in range(0, n, beat):
        length = min(n - at, int(beat * rng.uniform(1.0, 2.5)))
        t = _time(length)
        for step in rng.integers(-5, 15, rng.integers(1, 4)):
            hz = root * 2.0 ** (step / 12.0) * (1.0 + 0.004 * np.sin(2 * np.pi * rng.uniform(4, 7) * t))
            x[at : at + length] += _ramp(_harmonics(rng, hz, slope, 10) * np.exp(-plucked * t), 0.01, 0.05)
    return _peak(x)


def hum(rng: np.random.Generator, n: int) -> Samples:
    """Steady motors, fans and transformers; a negative for horn and power_tool."""
    hz = rng.uniform(40, 400) * (1.0 + 0.01 * _smooth_noise(rng, n, 0.5))
    x = _harmonics(rng, hz, rng.uniform(0.3, 1.6), 30)
    noise = _shape(rng, rng.standard_normal(n), 50, rng.uniform(300, 6000))
    return _peak(x / x.std() + rng.uniform(0.2, 2.0) * noise / noise.std())


def coloured_noise(rng: np.random.Generator, n: int) -> Samples:
    """White to brown noise with slow swells: wind, rain, far traffic."""
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / SAMPLE_RATE) + 20.0
    x = np.fft.irfft(spectrum * hz ** -rng.uniform(0.0, 1.6), n)
    x = x * 10.0 ** (rng.uniform(0.0, 0.35) * _smooth_noise(rng, n, rng.uniform(0.05, 1.0)))
    return _peak(_shape(rng, x, 30, rng.uniform(1000, 8000), 3.0))


def howl(rng: np.random.Generator, n: int) -> Samples:
    """Wind that howls round an edge: noise of 10 to 150 Hz width about a wandering tone; a negative for siren."""
    x = np.zeros(n)
    width_s = 1.0 / rng.uniform(10, 150)
    for _ in range(rng.integers(1, 4)):
        hz = rng.uniform(150, 1300) * 2.0 ** (rng.uniform(0.05, 0.5) * _smooth_noise(rng, n, rng.uniform(0.3, 2.0)))
        phase = 2.0 * np.pi * np.cumsum(np.clip(hz, 60, 4000)) / SAMPLE_RATE
        level = 10.0 ** (0.2 * _smooth_noise(rng, n, 0.7))
        x += level * (_smooth_noise(rng, n, width_s) * np.cos(phase) + _smooth_noise(rng, n, width_s) * np.sin(phase))
    wind = coloured_noise(rng, n).astype(np.float64)
    return _peak(x / x.std() + rng.uniform(0.1, 2.0) * wind / wind.std())


def street(rng: np.random.Generator, n: int) -> Samples:
    """Make a street from afar: brown rumble, engines that pass, a little hiss."""
    rumble = coloured_noise(rng, n).astype(np.float64)
    x = rumble / rumble.std()
    for _ in range(rng.integers(0, 3)):
        hz = rng.uniform(30, 130) * (1.0 + 0.05 * _smooth_noise(rng, n, 1.0))
        engine = _harmonics(rng, hz, rng.uniform(0.6, 1.4), 30) * 10.0 ** (0.25 * _smooth_noise(rng, n, 0.7))
        x = x + rng.uniform(0.1, 0.8) * engine / engine.std()
    return _peak(x + rng.uniform(0.0, 0.1) * rng.standard_normal(n))


EVENTS: dict[str, Generator] = {
    "horn": horn,
    "siren": siren,
    "tyre_screech": tyre_screech,
    "whistle": whistle,
    "alarm": alarm,
}
NEGATIVES: dict[str, Generator] = {
    "bell": bell,
    "birdsong": birdsong,
    "music": music,
    "hum": hum,
    "coloured_noise": coloured_noise,
    "street": street,
    "howl": howl,
}
