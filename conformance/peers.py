"""The same signals through others: scipy, the formulas of Annex E by FFT, and phonometry where it is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from dsp_core.arrays import a_weighting, third_octave_levels, time_weighting
from scipy import signal

from conformance import limits
from conformance.limits import Float64Array
from conformance.meter import heard, street
from conformance.rows import Row
from conformance.signals import Signal, spoken, tone
from conformance.weightings import SETTLE_S, SINE_DB, gain_db

PASCAL_DB = float(-20 * np.log10(20e-6))
ANNEX_E = "Annex E by FFT"


@dataclass(frozen=True)
class Difference:
    """One quantity by both.

    Parameters
    ----------
    peer : str
        The other library.
    what : str
        Quantity.
    sample_rate : int
        In Hz.
    where : str
        Condition.
    ours, theirs : float
        In dB.
    """

    peer: str
    what: str
    sample_rate: int
    where: str
    ours: float
    theirs: float


def bilinear_a(y: Signal, *, sample_rate: int) -> Float64Array:
    """Weight with A as is usual with scipy: the analogue poles through the bilinear transform, 0 dB at 1 kHz.

    Parameters
    ----------
    y : numpy.ndarray
        Signal.
    sample_rate : int
        In Hz.

    Returns
    -------
    numpy.ndarray
        Weighted; float64.
    """
    poles = -2 * np.pi * np.array([limits.F1, limits.F1, limits.F2, limits.F3, limits.F4, limits.F4])
    zpk = signal.bilinear_zpk(np.zeros(4), poles, 1.0, sample_rate)
    sos = signal.zpk2sos(*zpk)
    _, response = signal.sosfreqz(sos, worN=[1_000.0], fs=sample_rate)
    weighted: Float64Array = signal.sosfilt(sos, y.astype(np.float64)) / abs(response[0])
    return weighted


def mean_db(y: Float64Array) -> float:
    """Return 10 lg of the mean square.

    Parameters
    ----------
    y : numpy.ndarray
        Signal.

    Returns
    -------
    float
        In dB re 1.
    """
    return float(10 * np.log10(np.mean(np.square(y, dtype=np.float64))))


def weightings(sample_rate: int) -> Iterator[tuple[Row, Row]]:
    """Measure A of both at the upper nominal frequencies, where designs part.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    ours, theirs : Row
        Against the same limits of Table 3.
    """
    for nominal_hz, a_db, _, above, below in limits.WEIGHTINGS:
        if not 1_000 <= nominal_hz <= limits.TOP_HZ[sample_rate]:
            continue
        hz = limits.exact_hz(nominal_hz)
        n = round(SETTLE_S * sample_rate)
        by_scipy = mean_db(bilinear_a(tone(hz, 2 * n, sample_rate), sample_rate=sample_rate)[n:]) - SINE_DB
        ours = gain_db(a_weighting, hz, sample_rate)
        yield (
            Row(limits.TABLE_3, "A, dsp_core", sample_rate, spoken(nominal_hz), ours, a_db, above, below),
            Row(limits.TABLE_3, "A, scipy", sample_rate, spoken(nominal_hz), by_scipy, a_db, above, below),
        )


def by_scipy(sample_rate: int) -> Iterator[Difference]:
    """Measure noise of a street by scipy: running levels of the same weighted signal, third octaves at full rate.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Difference
        Of each.
    """
    y = street(sample_rate)
    weighted = a_weighting(y, sample_rate=sample_rate)
    for name, seconds in (("LAFmax", 0.125), ("LASmax", 1.0)):
        decay = np.exp(-1 / (seconds * sample_rate))
        mean = signal.lfilter([1 - decay], [1, -decay], weighted.astype(np.float64) ** 2)
        ours = float(time_weighting(weighted, sample_rate=sample_rate, time_constant_s=seconds).max())
        yield Difference("scipy", name, sample_rate, "same weighting", ours, float(10 * np.log10(mean.max())))
    midband_hz, levels_db = third_octave_levels(y, sample_rate=sample_rate, period_s=10.0)
    for midband, level in zip(midband_hz, levels_db[1], strict=True):
        edges = midband * 10**-0.05, midband * 10**0.05
        sos = signal.butter(4, edges, "bandpass", fs=sample_rate, output="sos")
        band = signal.sosfilt(sos, y.astype(np.float64))[10 * sample_rate :]
        yield Difference("scipy", "third octave", sample_rate, spoken(midband), float(level), mean_db(band))


def by_fft(sample_rate: int) -> Iterator[Difference]:
    """Measure noise of a street by the formulas of Annex E, bin by bin: neither phase nor design comes in.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Difference
        Of LAeq and LCeq.
    """
    y = street(sample_rate)
    ours = heard(y, sample_rate)
    spectrum = np.fft.rfft(y.astype(np.float64))
    hz = np.fft.rfftfreq(len(y), 1 / sample_rate)
    for kind, level in (("A", ours.laeq_db), ("C", ours.lceq_db)):
        gain = np.concatenate([[0.0], 10 ** (limits.analogue_db(hz[1:].astype(np.float64), kind) / 20)])
        exact = mean_db(np.fft.irfft(spectrum * gain, len(y)))
        yield Difference(ANNEX_E, f"L{kind}eq", sample_rate, "noise", level, exact)


def has_phonometry() -> bool:
    """Tell whether phonometry is installed: it needs a newer Python than ours, and is no requirement.

    Returns
    -------
    bool
        Whether it is.
    """
    return importlib.util.find_spec("phonometry") is not None


def by_phonometry(sample_rate: int) -> Iterator[Difference]:
    """Measure noise of a street by phonometry: A-weighted levels, percentiles, peak and third octaves.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Difference
        Of each.
    """
    phonometry: Any = importlib.import_module("phonometry")
    peer = f"phonometry {phonometry.__version__}"
    y = street(sample_rate)
    pascals = y.astype(np.float64)
    ours = heard(y, sample_rate)
    weighted = phonometry.weighting_filter(pascals, sample_rate, "A")
    fast = phonometry.time_weighting(weighted, sample_rate, mode="fast")
    percentiles = phonometry.ln_levels(pascals, sample_rate, n=(10, 50, 90), weighting="A")
    pairs = {
        "LAeq": (ours.laeq_db, phonometry.laeq(pascals, sample_rate)),
        "LAE": (ours.lae_db, phonometry.sel(pascals, sample_rate, weighting="A")),
        "LAFmax": (ours.lafmax_db, 10 * np.log10(fast.max()) + PASCAL_DB),
        "LCpeak": (ours.lcpeak_db, phonometry.lc_peak(pascals, sample_rate)),
        "LA10": (ours.la10_db, percentiles[10]),
        "LA50": (ours.la50_db, percentiles[50]),
        "LA90": (ours.la90_db, percentiles[90]),
    }
    for name, (one, other) in pairs.items():
        yield Difference(peer, name, sample_rate, "noise", one, float(other) - PASCAL_DB)
    midband_hz, levels_db = third_octave_levels(y, sample_rate=sample_rate, fmin=100, fmax=5_000)
    theirs_db, theirs_hz = phonometry.octave_filter(pascals, sample_rate, fraction=3, limits=[90, 5_300], detrend=False)
    for midband, level in zip(midband_hz, levels_db, strict=True):
        other = theirs_db[int(np.abs(np.array(theirs_hz) / midband - 1).argmin())]
        yield Difference(peer, "third octave", sample_rate, spoken(midband), float(level), float(other) - PASCAL_DB)


def differences(sample_rate: int) -> Iterator[Difference]:
    """Ask every peer that is there.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Difference
        Peer by peer.
    """
    yield from by_fft(sample_rate)
    yield from by_scipy(sample_rate)
    if has_phonometry():
        yield from by_phonometry(sample_rate)
