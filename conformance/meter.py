"""Time weightings, exposure, peaks and sums of IEC 61672-1, through `Levels` as a user would."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from dsp_core.arrays import Levels, LevelSummary, a_weighting, leq, percentile_level, time_weighting

from conformance import limits
from conformance.rows import Row
from conformance.signals import Signal, burst, level_db, spoken, tone
from conformance.weightings import SINE_DB, WEIGHTINGS

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
    """Measure Table 5 as far as it is claimed.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each signal.
    """
    yield from (peak_row(place, sample_rate) for place in limits.PEAKS if place[1] <= limits.TOP_PEAK_HZ[sample_rate])


def beyond_the_claim(sample_rate: int) -> Iterator[Row]:
    """Measure the signals of Table 5 that the rate could carry and that are not claimed.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        That counts for nothing.
    """
    for place in limits.PEAKS:
        if limits.TOP_PEAK_HZ[sample_rate] < place[1] < sample_rate / 2:
            yield peak_row(place, sample_rate)


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


def street(sample_rate: int, seconds: float = 20.0) -> Signal:
    """Make noise whose level wanders by 40 dB, with a loud burst in it.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    seconds : float, default=20.0
        Length.

    Returns
    -------
    numpy.ndarray
        float32, shape=(n,).
    """
    n = round(seconds * sample_rate)
    noise = np.random.default_rng(61672).normal(0, 0.05, n)
    noise *= 10 ** (np.sin(np.arange(n) / sample_rate) - 1)
    noise[n // 3 : n // 3 + sample_rate // 50] += 0.5
    return noise.astype(np.float32)


def agreement(sample_rate: int) -> Iterator[Row]:
    """Compare the meter with the functions that Table 3 was measured through.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of equivalent levels and maxima of noise.
    """
    y = street(sample_rate)
    summary = heard(y, sample_rate)
    a, c = (WEIGHTINGS[kind](y, sample_rate=sample_rate) for kind in "AC")
    fast, slow = (
        float(time_weighting(a, sample_rate=sample_rate, time_constant_s=seconds).max())
        for seconds in TIME_WEIGHTINGS.values()
    )
    pairs = {
        "LAeq": (summary.laeq_db, level_db(a, sample_rate)),
        "LCeq": (summary.lceq_db, level_db(c, sample_rate)),
        "LAFmax": (summary.lafmax_db, fast),
        "LASmax": (summary.lasmax_db, slow),
        "LCpeak": (summary.lcpeak_db, 20 * float(np.log10(np.abs(c).max()))),
    }
    for what, (by_meter, by_functions) in pairs.items():
        yield Row(limits.METER, what, sample_rate, "noise", by_meter, by_functions, 0.01, -0.01)


def sums(sample_rate: int) -> Iterator[Row]:
    """Cut a signal into blocks of any length, and sum up the energies of its parts.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of the largest difference, for each cut.
    """
    y = street(sample_rate)
    whole = heard(y, sample_rate)
    lengths = np.random.default_rng(1).integers(1, sample_rate, 400)
    cuts = {"blocks of 7 to 7000 samples": np.tile([7, 977, 7_000], 400), "blocks of up to 1 s": lengths}
    for where, lengths in cuts.items():
        meter = Levels(sample_rate=sample_rate)
        seconds = [meter.push(block) for block in np.split(y, np.cumsum(lengths)) if len(block)]
        off = max(abs(a - b) for a, b in zip(meter.summary(), whole, strict=True))
        yield Row(limits.SPLITS, "largest difference", sample_rate, where, off, 0.0, 0.0, -limits.INFINITY)
        mean = np.mean(10 ** (np.concatenate([k.laeq_db for k in seconds]) / 10))
        off = 10 * float(np.log10(mean)) - whole.laeq_db
        yield Row(limits.ENERGY, "LAeq of the seconds", sample_rate, where, off, 0.0, 0.01, -0.01)
    weighted = a_weighting(y, sample_rate=sample_rate)
    for period_s in (0.01, 0.125, 2.5):
        periods = leq(weighted, sample_rate=sample_rate, period_s=period_s)
        off = 10 * float(np.log10(np.mean(10 ** (periods / 10)))) - whole.laeq_db
        yield Row(limits.ENERGY, "leq of periods", sample_rate, f"{period_s:g} s", off, 0.0, 0.01, -0.01)


def percentiles(sample_rate: int) -> Iterator[Row]:
    """Measure LA10, LA50 and LA90 of a tone that is quiet for 8 s, 10 dB louder for 24 s and 20 dB for 8 s, and a ramp.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each percentile of both.
    """
    falls_db = np.repeat([-30.0, -20.0, -10.0], np.array([8, 24, 8]) * sample_rate)
    y = tone(1_000, 40 * sample_rate, sample_rate) * 10 ** (falls_db / 20)
    summary = heard(y.astype(np.float32), sample_rate)
    ramp_db = np.random.default_rng(2).permutation(np.linspace(30, 70, 401))
    for percent, got, fall_db in ((10, summary.la10_db, -10), (50, summary.la50_db, -20), (90, summary.la90_db, -30)):
        name = f"LA{percent}"
        yield Row(limits.PERCENTILES, name, sample_rate, "three levels", got, fall_db + SINE_DB, 0.1, -0.1)
        of_ramp = float(percentile_level(ramp_db, percent=percent))
        yield Row(limits.PERCENTILES, f"L{percent}", sample_rate, "ramp", of_ramp, 70 - 0.4 * percent, 0.1, -0.1)


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
        agreement,
        sums,
        percentiles,
    ):
        yield from clause(sample_rate)
