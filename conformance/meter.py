"""Time weightings, exposure, peaks and sums of IEC 61672-1, through `Levels` as a user would."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from dsp_core.arrays import Levels, LevelSummary, a_weighting, time_weighting

from conformance import limits
from conformance.rows import Row
from conformance.signals import Signal, burst, level_db, spoken, tone
from conformance.weightings import WEIGHTINGS

#: Time constants in seconds.
TIME_WEIGHTINGS = {"F": 0.125, "S": 1.0}


def heard(y: Signal, sample_rate: int) -> LevelSummary:
    """Let a new meter hear a signal in one block.

    Parameters
    ----------
    y : numpy.ndarray
        Signal.
    sample_rate : int
        In Hz.

    Returns
    -------
    LevelSummary
        Of all of it.
    """
    meter = Levels(sample_rate=sample_rate)
    meter.push(y)
    return meter.summary()


def steady_db(kind: str, hz: float, sample_rate: int) -> float:
    """Measure the weighted level of a sine that lasts.

    Parameters
    ----------
    kind : str
        Weighting.
    hz : float
        Frequency.
    sample_rate : int
        In Hz.

    Returns
    -------
    float
        In dB re 1.
    """
    weighted = WEIGHTINGS[kind](tone(hz, 2 * sample_rate, sample_rate), sample_rate=sample_rate)
    return level_db(weighted[sample_rate:], sample_rate)


def tonebursts(sample_rate: int) -> Iterator[Row]:
    """Measure Table 4: A by `Levels`, C and Z by their functions.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each maximum and each exposure level, at each duration.
    """
    steady = {kind: steady_db(kind, 4_000, sample_rate) for kind in WEIGHTINGS}
    slow: dict[float, tuple[float, float, float]] = {row[0]: row[1:] for row in limits.BURSTS_SLOW}
    for milliseconds, fast_db, exposure_db, above, below in limits.BURSTS_FAST:
        y = burst(4_000, milliseconds / 1_000, sample_rate, before_s=0.25, after_s=0.5)
        for kind in WEIGHTINGS:
            fast, slowly, exposure = (level - steady[kind] for level in _maxima_and_exposure(kind, y, sample_rate))
            where = f"{milliseconds:g} ms"
            yield Row(limits.TABLE_4, f"L{kind}Fmax", sample_rate, where, fast, fast_db, above, below)
            yield Row(limits.TABLE_4, f"L{kind}E", sample_rate, where, exposure, exposure_db, above, below)
            if milliseconds in slow:
                yield Row(limits.TABLE_4, f"L{kind}Smax", sample_rate, where, slowly, *slow[milliseconds])


def _maxima_and_exposure(kind: str, y: Signal, sample_rate: int) -> tuple[float, float, float]:
    if kind == "A":
        summary = heard(y, sample_rate)
        return summary.lafmax_db, summary.lasmax_db, summary.lae_db
    weighted = WEIGHTINGS[kind](y, sample_rate=sample_rate)
    fast, slow = (
        float(time_weighting(weighted, sample_rate=sample_rate, time_constant_s=seconds).max())
        for seconds in TIME_WEIGHTINGS.values()
    )
    return fast, slow, level_db(weighted, sample_rate) + 10 * float(np.log10(len(y) / sample_rate))


def repeated_tonebursts(sample_rate: int) -> Iterator[Row]:
    """Measure 5.10: LAeq of ten equal bursts, each followed by nine times its length of silence, 0.1 s at least.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each duration.
    """
    steady = steady_db("A", 4_000, sample_rate)
    for milliseconds, _, _, above, below in limits.BURSTS_FAST[2:]:
        pause_s = max(0.009 * milliseconds, 0.1)
        y = np.tile(burst(4_000, milliseconds / 1_000, sample_rate, before_s=0, after_s=pause_s), 10)
        expected = 10 * float(np.log10(10 * milliseconds / 1_000 / (len(y) / sample_rate)))
        measured = heard(y, sample_rate).laeq_db - steady
        yield Row(limits.REPEATED, "LAeq", sample_rate, f"{milliseconds:g} ms", measured, expected, above, below)


def peak_row(place: tuple[float, ...], sample_rate: int, n_lags: int = 32) -> Row:
    """Measure one signal of Table 5, with its zero crossing at a sample and at places between two.

    Parameters
    ----------
    place : tuple of float
        Row of the table.
    sample_rate : int
        In Hz.
    n_lags : int, default=32
        Places of the zero crossing.

    Returns
    -------
    Row
        Of the place that is farthest off.
    """
    cycles, hz, expected, limit = place
    steady = steady_db("C", hz, sample_rate)
    found = []
    for lag in np.arange(n_lags) / n_lags:
        y = burst(hz, abs(cycles) / hz, sample_rate, before_s=0.1, after_s=0.2, lag=float(lag))
        found.append(heard(np.float32(np.sign(cycles)) * y, sample_rate).lcpeak_db - steady)
    worst = max(found, key=lambda db: round(abs(db - expected), 3))
    what = {1.0: "one cycle", 0.5: "positive half", -0.5: "negative half"}[cycles]
    return Row(limits.TABLE_5, "LCpeak", sample_rate, f"{what}, {spoken(hz)}", worst, expected, limit, -limit)


def peaks(sample_rate: int) -> Iterator[Row]:
    """Measure Table 5: every signal that lies below half the rate.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each signal.
    """
    yield from (peak_row(place, sample_rate) for place in limits.PEAKS if place[1] < sample_rate / 2)


def decays(sample_rate: int) -> Iterator[Row]:
    """Measure 5.8.2: how fast the level of a 4 kHz sine falls when it stops.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of Fast and of Slow.
    """
    y = burst(4_000, 3.0, sample_rate, before_s=0, after_s=2.0)
    weighted = a_weighting(y, sample_rate=sample_rate)
    for name, expected, above, below in limits.DECAYS:
        seconds = TIME_WEIGHTINGS[name]
        levels_db = time_weighting(weighted, sample_rate=sample_rate, time_constant_s=seconds)
        start = round(3.1 * sample_rate)
        measured = float(levels_db[start] - levels_db[start + sample_rate])
        yield Row(limits.DECAY, name, sample_rate, "over 1 s", measured, expected, above, below)


def fast_against_slow(sample_rate: int) -> Iterator[Row]:
    """Measure 5.8.3 with a sine of 1 kHz that has lasted for 10 s.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of Slow and of the equivalent level.
    """
    weighted = a_weighting(tone(1_000, 10 * sample_rate, sample_rate), sample_rate=sample_rate)
    fast, slow = (
        float(time_weighting(weighted, sample_rate=sample_rate, time_constant_s=seconds)[-1])
        for seconds in TIME_WEIGHTINGS.values()
    )
    limit = limits.FAST_SLOW_DB
    for what, level in (("LAS", slow), ("LAeq", level_db(weighted[-sample_rate:], sample_rate))):
        yield Row(limits.FAST_SLOW, f"{what} − LAF", sample_rate, "1 kHz", level - fast, 0.0, limit, -limit)


def stability(sample_rate: int) -> Iterator[Row]:
    """Measure 5.14 and 5.15 together: the last against the first of 30 min at 1 dB below full scale.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of LAeq and LAFmax of a second.
    """
    meter = Levels(sample_rate=sample_rate)
    block = tone(1_000, 10 * sample_rate, sample_rate, amplitude=10 ** (-1 / 20))
    first = meter.push(block)
    for _ in range(179):
        last = meter.push(block)
    limit = limits.STABILITY_DB
    for what, before, after in (("LAeq", first.laeq_db, last.laeq_db), ("LAFmax", first.lafmax_db, last.lafmax_db)):
        change = float(after[-1] - before[-1])
        yield Row(limits.STABILITY, f"{what}, 1 s", sample_rate, "1 kHz", change, 0.0, limit, -limit)


def impulse(sample_rate: int) -> Iterator[Row]:
    """Measure Impulse with tonebursts of 2 kHz, as IEC 60651 did: single ones, and 5 ms repeated.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each maximum, and of the decay.
    """

    def read(y: Signal) -> Signal:
        weighted = a_weighting(y, sample_rate=sample_rate)
        return time_weighting(weighted, sample_rate=sample_rate, time_constant_s="impulse")

    steady, limit = steady_db("A", 2_000, sample_rate), 0.2
    for milliseconds in (20, 5, 2):
        highest = read(burst(2_000, milliseconds / 1_000, sample_rate, before_s=0.1, after_s=0.1)).max() - steady
        expected = 10 * float(np.log10(-np.expm1(-milliseconds / 35)))
        yield Row(limits.IMPULSE, "LAImax", sample_rate, f"{milliseconds} ms", float(highest), expected, limit, -limit)
    for per_s in (100, 20, 2):
        one = burst(2_000, 0.005, sample_rate, before_s=0, after_s=1 / per_s - 0.005)
        highest = read(np.tile(one, per_s)).max() - steady
        expected = 10 * float(np.log10(np.expm1(-5 / 35) / np.expm1(-1_000 / per_s / 35)))
        where = f"5 ms, {per_s} a second"
        yield Row(limits.IMPULSE, "LAImax", sample_rate, where, float(highest), expected, limit, -limit)
    levels_db = read(burst(2_000, 1.0, sample_rate, before_s=0, after_s=1.5))
    start = round(1.3 * sample_rate)
    fall = float(levels_db[start] - levels_db[start + sample_rate])
    yield Row(limits.IMPULSE, "decay", sample_rate, "over 1 s", fall, 10 * float(np.log10(np.e)) / 1.5, limit, -limit)


def measure(sample_rate: int) -> Iterator[Row]:
    """Measure all of it.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Clause by clause.
    """
    for clause in (
        tonebursts,
        repeated_tonebursts,
        peaks,
        decays,
        fast_against_slow,
        stability,
        impulse,
    ):
        yield from clause(sample_rate)
