"""Octaves and third octaves of IEC 61260-1, by sines and a sweep through the functions that users call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from dsp_core.arrays import octave_levels, third_octave_levels

from conformance import limits
from conformance.limits import BandClauses, Float64Array
from conformance.rows import Row
from conformance.signals import level_db, spoken, sweep, tone
from conformance.weightings import SINE_DB

#: Sines to a band; IEC 61260-2 asks for 24 where bandwidth and sum are taken from them.
PER_BAND = 24
NOMINAL_HZ = [row[0] for row in limits.WEIGHTINGS]
#: Octave exponents of the mask's corners, the midband and the edge left out, which lie on the grid already.
CORNERS = np.array([1 / 8, 1 / 4, 3 / 8, 1, 2, 3, 4])


@dataclass(frozen=True)
class Kind:
    """Bands of one width.

    Parameters
    ----------
    clauses : BandClauses
        What they shall meet.
    levels : callable
        What measures them.
    """

    clauses: BandClauses
    levels: Callable[..., Any]

    @property
    def per_octave(self) -> int:
        """Bands of an octave."""
        return self.clauses.per_octave

    @property
    def decades(self) -> float:
        """Width of a band in decades."""
        return 0.3 / self.per_octave


THIRD_OCTAVES = Kind(limits.THIRD_OCTAVES, third_octave_levels)
OCTAVES = Kind(limits.OCTAVES, octave_levels)


class Attenuations(NamedTuple):
    """What each band takes from each sine.

    Parameters
    ----------
    kind : Kind
        Which bands.
    midband_hz : numpy.ndarray
        Exact midband frequencies; shape=(n_bands,).
    hz : numpy.ndarray
        Frequencies of the sines, growing; shape=(n_tones,).
    db : numpy.ndarray
        Attenuation; NaN where a far band was left out. shape=(n_tones, n_bands).
    """

    kind: Kind
    midband_hz: Float64Array
    hz: Float64Array
    db: Float64Array


def midbands(kind: Kind, sample_rate: int) -> Float64Array:
    """Return the midbands that the library offers if nothing is said: from 25 Hz on, octaves from 31.5 Hz.

    Parameters
    ----------
    kind : Kind
        Which bands.
    sample_rate : int
        In Hz.

    Returns
    -------
    numpy.ndarray
        In Hz.
    """
    midband_hz: Float64Array = kind.levels(tone(1_000, sample_rate, sample_rate), sample_rate=sample_rate)[0]
    return midband_hz


def taken_db(kind: Kind, hz: float, sample_rate: int, lowest_hz: float) -> Float64Array:
    """Measure what the bands take from a sine, after the slowest of them has settled.

    Parameters
    ----------
    kind : Kind
        Which bands.
    hz : float
        Frequency of the sine.
    sample_rate : int
        In Hz.
    lowest_hz : float
        Midband of the lowest band that is measured.

    Returns
    -------
    numpy.ndarray
        Attenuation in dB, of each band from the lowest to the highest; shape=(n_bands,).
    """
    period_s = 2.0 if hz < 100 else 0.5
    n_settling = int(np.ceil(4.6 / (kind.decades * lowest_hz) / period_s))
    y = tone(hz, round((n_settling + 1) * period_s * sample_rate), sample_rate)
    _, levels_db = kind.levels(y, sample_rate=sample_rate, fmin=lowest_hz, period_s=period_s)
    taken: Float64Array = SINE_DB - levels_db[-1]
    return taken


def attenuations(kind: Kind, sample_rate: int) -> Attenuations:
    """Measure all bands with sines at 24 places of each band and at the corners of its mask.

    Parameters
    ----------
    kind : Kind
        Which bands.
    sample_rate : int
        In Hz.

    Returns
    -------
    Attenuations
        Of every band within the mask's corners; of farther ones three sines an octave.
    """
    midband_hz = midbands(kind, sample_rate)
    top_hz = 0.499 * sample_rate
    step = 10 ** (kind.decades / PER_BAND)
    far = midband_hz[0] * limits.OCTAVE ** (np.arange(-7, 40) / 3)
    near = far[0] * step ** np.arange(round(PER_BAND * 4.7 / kind.decades))
    ratios = limits.mask_ratio(CORNERS, kind.per_octave)
    reach = 1.1 * ratios[-1]
    corners = (midband_hz[:, None] * np.concatenate([ratios, 1 / ratios])).ravel()
    hz = np.unique(np.concatenate([near, corners]).round(6))
    hz = hz[hz < top_hz]
    db = np.full((len(hz), len(midband_hz)), np.nan)
    for i, one in enumerate(hz):
        is_far = np.abs(far / one - 1).min() < 1e-6
        lowest = midband_hz[0] if is_far else midband_hz[midband_hz > min(one / reach, midband_hz[-1] * 0.99)][0]
        taken = taken_db(kind, float(one), sample_rate, float(lowest))
        db[i, len(midband_hz) - len(taken) :] = taken
    return Attenuations(kind, midband_hz, hz, db)


def mask(found: Attenuations, sample_rate: int) -> Iterator[Row]:
    """Hold every band to Table 1.

    Parameters
    ----------
    found : Attenuations
        What was measured.
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each band: the sine with the smallest margin inside its edges, below and above them.
    """
    clauses = found.kind.clauses
    for midband, db in zip(found.midband_hz, found.db.T, strict=True):
        ratio = found.hz / midband
        least, most = limits.mask_db(ratio, found.kind.per_octave)
        margin = np.fmin(db - least, most - db)
        edge = float(limits.mask_ratio(0.5, found.kind.per_octave)) * (1 + 1e-9)
        is_below, is_above = ratio < 1 / edge, ratio > edge
        for what, side in (("inside", ~is_below & ~is_above), ("below", is_below), ("above", is_above)):
            places = np.flatnonzero(side & ~np.isnan(db))
            if places.size == 0:
                continue
            i = min(places, key=lambda place: round(float(margin[place]), 2))
            where = f"{_band(midband)} at {spoken(found.hz[i])}"
            clause = clauses.inside if what == "inside" else clauses.outside
            yield Row(clause, what, sample_rate, where, float(db[i]), 0.0, float(most[i]), float(least[i]))


def bandwidths(found: Attenuations, sample_rate: int) -> Iterator[Row]:
    """Integrate the response of each band (5.12).

    Parameters
    ----------
    found : Attenuations
        What was measured.
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each band.
    """
    for midband, power in zip(found.midband_hz, _power(found).T, strict=True):
        effective = float(np.trapezoid(power, np.log(found.hz)))
        deviation = 10 * float(np.log10(effective / (np.log(limits.OCTAVE) / found.kind.per_octave)))
        limit = limits.BANDWIDTH_DB
        where = _band(midband)
        yield Row(found.kind.clauses.bandwidth, "bandwidth", sample_rate, where, deviation, 0.0, limit, -limit)


def sums(found: Attenuations, sample_rate: int) -> Iterator[Row]:
    """Sum up each band and its two neighbours for sines inside its edges (5.16).

    Parameters
    ----------
    found : Attenuations
        What was measured.
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each band that has two neighbours: the sine that is farthest off.
    """
    power = _power(found)
    for j, midband in enumerate(found.midband_hz[1:-1], start=1):
        is_inside = np.abs(np.log10(found.hz / midband)) < 0.5 * found.kind.decades + 1e-9
        sums_db = 10 * np.log10(power[is_inside, j - 1 : j + 2].sum(axis=1))
        worst = float(max(sums_db, key=lambda db: round(abs(db), 3)))
        limit = limits.SUMMATION_DB
        yield Row(found.kind.clauses.summation, "sum", sample_rate, _band(midband), worst, 0.0, limit, -limit)


def _power(found: Attenuations) -> Float64Array:
    """Return the share of each sine's power that each band passes; 0 for what was left out."""
    share: Float64Array = 10 ** (-0.1 * np.nan_to_num(found.db, nan=np.inf))
    return share


def _band(midband_hz: float) -> str:
    """Say a band by its nominal midband."""
    return f"band {spoken(min(NOMINAL_HZ, key=lambda nominal: abs(nominal / midband_hz - 1)))}"


def swept(kind: Kind, sample_rate: int) -> Iterator[Row]:
    """Measure 5.14: all bands in one exponential sweep of a decade in 4 s, against Formula 17.

    Parameters
    ----------
    kind : Kind
        Which bands.
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of each band.
    """
    first_hz, last_hz = 10.0, 0.49 * sample_rate
    decades = float(np.log10(last_hz / first_hz))
    y = sweep(first_hz, last_hz, 4 * decades, sample_rate)
    whole = np.concatenate([y, np.zeros(sample_rate, np.float32)])  # the bands ring on
    midband_hz, levels_db = kind.levels(whole, sample_rate=sample_rate)
    share = kind.decades / decades * len(y) / len(whole)
    expected = SINE_DB + 10 * float(np.log10(share))
    limit = limits.SWEEP_DB
    for midband, level in zip(midband_hz, levels_db, strict=True):
        yield Row(kind.clauses.sweep, "Leq", sample_rate, _band(midband), float(level), expected, limit, -limit)


def linearity(kind: Kind, sample_rate: int) -> Iterator[Row]:
    """Measure 5.13 in three bands with sines at their midbands, from full scale to 100 dB below, 5 dB a step.

    Parameters
    ----------
    kind : Kind
        Which bands.
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Of the worst of the upper 40 dB and of those below, for each band.
    """
    falls_db = np.arange(0, -101, -5)
    for nominal_hz in (31.5, 1_000, 4_000):
        hz = limits.exact_hz(nominal_hz)
        y = tone(hz, 3 * sample_rate, sample_rate)
        rows = (10 ** (falls_db[:, None] / 20) * y).astype(np.float32)
        _, levels_db = kind.levels(rows, sample_rate=sample_rate, fmin=hz, fmax=hz, period_s=1.0)
        off_db = levels_db[:, -1, 0] - level_db(y[-sample_rate:], sample_rate) - falls_db
        parts = {"0 to −40 dB": off_db[:9], "below": off_db[9:]}
        for (where, part), limit in zip(parts.items(), limits.BAND_LINEARITY_DB, strict=True):
            worst = float(part[np.abs(part).argmax()])
            what = _band(hz)
            yield Row(kind.clauses.linearity, what, sample_rate, where, worst, 0.0, limit, -limit)


def measure(found: Attenuations, sample_rate: int) -> Iterator[Row]:
    """Measure all of it.

    Parameters
    ----------
    found : Attenuations
        Of this rate.
    sample_rate : int
        In Hz.

    Yields
    ------
    Row
        Clause by clause.
    """
    yield from mask(found, sample_rate)
    yield from bandwidths(found, sample_rate)
    yield from sums(found, sample_rate)
    yield from swept(found.kind, sample_rate)
    yield from linearity(found.kind, sample_rate)
