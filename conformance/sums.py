"""What no standard puts in numbers: the meter against the functions, blocks, sums of energy, percentiles and Lden."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from dsp_core.arrays import Levels, a_weighting, day_levels, leq, percentile_level, time_weighting
from scipy import signal

from conformance import limits
from conformance.meter import TIME_WEIGHTINGS, heard
from conformance.rows import Row
from conformance.signals import Signal, level_db, street, tone
from conformance.weightings import SINE_DB, WEIGHTINGS


def peak_db(weighted: Signal) -> float:
    """Find the peak of a weighted signal at four times its rate by scipy.

    Parameters
    ----------
    weighted : numpy.ndarray
        Signal.

    Returns
    -------
    float
        In dB re 1.
    """
    taps = signal.firwin(65, 1 / 4, window=("kaiser", 5.0), scale=False)
    for phase in range(4):
        taps[phase::4] /= taps[phase::4].sum()
    between = signal.upfirdn(taps, weighted.astype(np.float64), up=4)
    return 20 * float(np.log10(np.abs(between).max()))


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
    a, c, z = (WEIGHTINGS[kind](y, sample_rate=sample_rate) for kind in "ACZ")
    fast, slow = (
        float(time_weighting(a, sample_rate=sample_rate, time_constant_s=seconds).max())
        for seconds in TIME_WEIGHTINGS.values()
    )
    pairs = {
        "LAeq": (summary.laeq_db, level_db(a, sample_rate)),
        "LCeq": (summary.lceq_db, level_db(c, sample_rate)),
        "LZeq": (summary.lzeq_db, level_db(z, sample_rate)),
        "LAFmax": (summary.lafmax_db, fast),
        "LASmax": (summary.lasmax_db, slow),
        "LCpeak": (summary.lcpeak_db, peak_db(c)),
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


def days(sample_rate: int) -> Iterator[Row]:
    """Make days of three levels that the meter read, and hold their Lden to the formula of the directive.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of the hours of the directive, of others, and of a night with an hour more.
    """
    falls_db = np.array([-10.0, -16.0, -22.0])
    y = tone(1_000, 2 * sample_rate, sample_rate)
    read_db = np.array([heard((10 ** (fall / 20) * y).astype(np.float32), sample_rate).laeq_db for fall in falls_db])
    place, limit = ZoneInfo("Europe/Paris"), 0.01
    for where, start, hours, lengths in (
        ("7, 19 and 23 h", datetime(2026, 5, 4, 7, tzinfo=place), (7, 19, 23), (12, 4, 8)),
        ("6, 20 and 22 h", datetime(2026, 5, 4, 6, tzinfo=place), (6, 20, 22), (14, 2, 8)),
        ("a night of 9 h", datetime(2026, 10, 24, 7, tzinfo=place), (7, 19, 23), (12, 4, 9)),
    ):
        day_h, evening_h, night_h = hours
        found = day_levels(
            np.repeat(read_db, lengths), start=start, period_s=3_600, day_h=day_h, evening_h=evening_h, night_h=night_h
        )
        weights = np.array([evening_h - day_h, night_h - evening_h, day_h + 24 - night_h]) / 24
        expected = 10 * float(np.log10(weights @ 10 ** ((falls_db + SINE_DB + [0, 5, 10]) / 10)))
        yield Row(limits.LDEN, "Lden", sample_rate, where, float(found.lden_db[0]), expected, limit, -limit)


def measure(sample_rate: int) -> Iterator[Row]:
    """Measure all of it.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Kind by kind.
    """
    for kind in (agreement, sums, percentiles, days):
        yield from kind(sample_rate)
