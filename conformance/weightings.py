"""Frequency weightings and level linearity of IEC 61672-1, by sines through the weightings and `leq`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from dsp_core.arrays import a_weighting, c_weighting, z_weighting

from conformance import limits
from conformance.rows import Row, smallest
from conformance.signals import Signal, level_db, spoken, tone

WEIGHTINGS: dict[str, Callable[..., Signal]] = {"A": a_weighting, "C": c_weighting, "Z": z_weighting}
SETTLE_S = 0.75
SINE_DB = float(10 * np.log10(0.5))


def gain_db(weigh: Callable[..., Signal], hz: float, sample_rate: int) -> float:
    """Measure what a weighting does to a sine, over whole periods after it has settled.

    Parameters
    ----------
    weigh : callable
        Weighting.
    hz : float
        Frequency of the sine.
    sample_rate : int
        In Hz.

    Returns
    -------
    float
        In dB.
    """
    n_settle, n = round(SETTLE_S * sample_rate), round(np.ceil(0.25 * hz) * sample_rate / hz)
    y = tone(hz, n_settle + n, sample_rate)
    return level_db(weigh(y, sample_rate=sample_rate)[n_settle:], sample_rate) - SINE_DB


def at_nominal_frequencies(sample_rate: int) -> Iterator[Row]:
    """Measure Table 3.

    Parameters
    ----------
    sample_rate : int
        In Hz; it says how far up the table is claimed.

    Yields
    ------
    Row
        Of each weighting at each nominal frequency.
    """
    rows = [
        table_3(kind, place, sample_rate)
        for kind in WEIGHTINGS
        for place in limits.WEIGHTINGS
        if place[0] <= limits.TOP_HZ[sample_rate]
    ]
    yield from rows
    worst = smallest(row for row in rows if row.what == "A")
    yield Row(limits.FAR_INSIDE, "margin of A", sample_rate, worst.where, worst.margin, 0.4, limits.INFINITY, 0.0)


def table_3(kind: str, place: tuple[float, ...], sample_rate: int) -> Row:
    """Measure one weighting at one nominal frequency.

    Parameters
    ----------
    kind : str
        Weighting.
    place : tuple of float
        Row of the table.
    sample_rate : int
        In Hz.

    Returns
    -------
    Row
        Of it.
    """
    nominal_hz, a_db, c_db, above, below = place
    gain = gain_db(WEIGHTINGS[kind], limits.exact_hz(nominal_hz), sample_rate)
    expected = {"A": a_db, "C": c_db, "Z": 0.0}[kind]
    return Row(limits.TABLE_3, kind, sample_rate, spoken(nominal_hz), gain, expected, above, below)


def beyond_the_claim(sample_rate: int) -> Iterator[Row]:
    """Measure A and C between the highest frequency that is claimed and half the sample rate.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        That counts for nothing.
    """
    for place in limits.WEIGHTINGS:
        if place[0] > limits.TOP_HZ[sample_rate] and limits.exact_hz(place[0]) < sample_rate / 2:
            yield from (table_3(kind, place, sample_rate) for kind in "AC")


def between_nominal_frequencies(sample_rate: int, n_between: int = 5) -> Iterator[Row]:
    """Measure 5.5.7: between two nominal frequencies the larger of their limits, about the formulas of Annex E.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    n_between : int, default=5
        Frequencies between two nominal ones.

    Yields
    ------
    Row
        Of each weighting at each frequency.
    """
    table = [row for row in limits.WEIGHTINGS if row[0] <= limits.TOP_HZ[sample_rate]]
    for kind, weigh in WEIGHTINGS.items():
        for low, high in pairwise(table):
            above, below = max(low[3], high[3]), min(low[4], high[4])
            ends = np.log10(limits.exact_hz(low[0])), np.log10(limits.exact_hz(high[0]))
            for hz in 10 ** np.linspace(*ends, n_between + 2)[1:-1]:
                expected = float(limits.analogue_db(np.array(hz), kind))
                gain = gain_db(weigh, float(hz), sample_rate)
                yield Row(limits.BETWEEN, kind, sample_rate, f"{hz:.0f} Hz", gain, expected, above, below)


def at_1_khz(sample_rate: int) -> Iterator[Row]:
    """Measure 5.5.9.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of C and Z against A.
    """
    gains = {kind: gain_db(weigh, 1_000.0, sample_rate) for kind, weigh in WEIGHTINGS.items()}
    for kind in "CZ":
        limit = limits.AT_1_KHZ_DB
        measured = gains[kind] - gains["A"]
        yield Row(limits.AT_1_KHZ, f"{kind} − A", sample_rate, "1 kHz", measured, 0.0, limit, -limit)


def linearity(sample_rate: int, lowest_db: int = -120) -> Iterator[Row]:
    """Measure 5.6.5 and 5.6.6 with A-weighted sines from full scale downwards, 1 dB a step.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    lowest_db : int, default=-120
        Re full scale.

    Yields
    ------
    Row
        Of the worst level and of the worst change, at each frequency.
    """
    falls_db = np.arange(0, lowest_db - 1, -1)
    for nominal_hz in (31.5, 1_000, 4_000, 8_000, 12_500):
        if nominal_hz > limits.TOP_HZ[sample_rate]:
            continue
        y = tone(limits.exact_hz(nominal_hz), sample_rate // 2, sample_rate)
        quieter = (10 ** (falls_db[:, None] / 20) * y).astype(np.float32)
        weighted = a_weighting(quieter, sample_rate=sample_rate)[:, sample_rate // 4 :]
        levels_db = np.array([level_db(row, sample_rate) for row in weighted])
        off_db = levels_db - levels_db[0] - falls_db
        changes_db = np.concatenate([off_db[1:] - off_db[:-1], off_db[10:] - off_db[:-10]])
        for clause, deviations, limit in (
            (limits.LINEARITY, off_db, limits.LINEARITY_DB),
            (limits.STEPS, changes_db, limits.STEPS_DB),
        ):
            worst = float(deviations[np.abs(deviations).argmax()])
            yield Row(clause, "LAeq", sample_rate, spoken(nominal_hz), worst, 0.0, limit, -limit)


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
    for clause in (at_nominal_frequencies, between_nominal_frequencies, at_1_khz, linearity):
        yield from clause(sample_rate)
