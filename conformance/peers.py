"""The same signals through others: scipy, the formulas of Annex E by FFT, and what phonometry answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from dsp_core.arrays import (
    a_weighting,
    day_levels,
    octave_levels,
    percentile_level,
    third_octave_levels,
    time_weighting,
)
from scipy import signal

from conformance import by_phonometry, limits
from conformance.limits import Float64Array
from conformance.meter import heard
from conformance.rows import Row
from conformance.signals import Signal, spoken, street, tone
from conformance.weightings import SETTLE_S, SINE_DB, gain_db

RATES = by_phonometry.RATES
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
    """Measure noise of a street by scipy: running levels of the same weighted signal, bands at full rate.

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
    for what, levels, half in (("third octave", third_octave_levels, 10**0.05), ("octave", octave_levels, 10**0.15)):
        midband_hz, levels_db = levels(y, sample_rate=sample_rate, period_s=10.0)
        for midband, level in zip(midband_hz, levels_db[1], strict=True):
            sos = signal.butter(4, (midband / half, midband * half), "bandpass", fs=sample_rate, output="sos")
            band = signal.sosfilt(sos, y.astype(np.float64))[10 * sample_rate :]
            yield Difference("scipy", what, sample_rate, spoken(midband), float(level), mean_db(band))


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


def ours(sample_rate: int) -> dict[tuple[str, str], float]:
    """Measure by the library what phonometry was asked for.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Returns
    -------
    dict
        Levels in dB re 1 by quantity and condition.
    """
    y = street(sample_rate)
    summary = heard(y, sample_rate)._asdict()
    names = {f"l{kind.lower()}eq_db": f"L{kind}eq" for kind in "ACZ"} | {
        "lae_db": "LAE",
        "lafmax_db": "LAFmax",
        "lasmax_db": "LASmax",
        "lcpeak_db": "LCpeak",
    }
    found = {(name, "noise"): float(summary[field]) for field, name in names.items()}
    # Its percentiles are of every sample after 0.6 s, those of `Levels` of the level at each 125 ms from the start.
    fast = time_weighting(a_weighting(y, sample_rate=sample_rate), sample_rate=sample_rate)[round(0.6 * sample_rate) :]
    found |= {(f"LA{n}", "noise"): float(percentile_level(fast, percent=n)) for n in (10, 50, 90)}
    for what, levels in (("third octave", third_octave_levels), ("octave", octave_levels)):
        midband_hz, levels_db = levels(y, sample_rate=sample_rate)
        found |= {(what, spoken(hz)): float(db) for hz, db in zip(midband_hz, levels_db, strict=True)}
    start = datetime(2026, 5, 4, 7, tzinfo=ZoneInfo("Europe/Paris"))
    days = day_levels(np.repeat(by_phonometry.DAY_DB, (12, 4, 8)), start=start, period_s=3_600)
    return found | {("Lden", "65, 60 and 50 dB"): float(days.lden_db[0])}


def with_phonometry(sample_rate: int, answers: list[by_phonometry.Answer]) -> Iterator[Difference]:
    """Compare what phonometry answered.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    answers : list of Answer
        Of any rate.

    Yields
    ------
    Difference
        Of each answer at this rate.
    """
    found = ours(sample_rate)
    for answer in answers:
        if answer.sample_rate == sample_rate:
            peer, level = f"phonometry {answer.version}", found[answer.what, answer.where]
            yield Difference(peer, answer.what, sample_rate, answer.where, level, answer.level_db)


def differences(sample_rate: int) -> Iterator[Difference]:
    """Ask every peer that is there, and compare with what phonometry answered.

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
    yield from with_phonometry(sample_rate, by_phonometry.kept())
