"""Day, evening and night levels, and Lden of them, after Annex I of Directive 2002/49/EC."""

from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

import numpy as np
from dsp_core.arrays.check import SILENCE_DB, as_positive, as_share, as_whole, refuse, refuse_mask
from numpy.typing import NDArray

#: What is added to the levels of day, evening and night, in dB.
_PENALTIES_DB = np.array([0.0, 5.0, 10.0])
#: Moments are told apart by more: floats of today's seconds are 0.2 µs apart.
_INSTANT_S = 1e-6
#: No level of sound is higher; its energy is a number still.
_MOST_DB = 300.0


class DayLevels(NamedTuple):
    """A-weighted levels of n days, in dB re what they were measured against; shape=(n,), if nothing else is said.

    Parameters
    ----------
    date : numpy.ndarray
        Local date on which each day begins: it lasts from `day_h` of this date to `day_h` of the next, so that the
        night belongs to the evening before it; datetime64[D].
    lday_db : numpy.ndarray
        Equivalent level of what was heard of the day; NaN if nothing was. float64, as those below.
    levening_db : numpy.ndarray
        The same of the evening.
    lnight_db : numpy.ndarray
        The same of the night.
    lden_db : numpy.ndarray
        Day-evening-night level; NaN unless the day is complete.
    heard : numpy.ndarray
        Shares of day, evening and night that were heard, 0 to 1; float64, shape=(n, 3).
    is_complete : numpy.ndarray
        Whether each of the three shares is at least what was asked for; bool.
    """

    date: NDArray[np.datetime64]
    lday_db: NDArray[np.float64]
    levening_db: NDArray[np.float64]
    lnight_db: NDArray[np.float64]
    lden_db: NDArray[np.float64]
    heard: NDArray[np.float64]
    is_complete: NDArray[np.bool_]


class LongTermLevels(NamedTuple):
    """Levels over many days, in dB re what they were measured against.

    Parameters
    ----------
    n_days : int
        Complete days, which the levels are of.
    n_left_out : int
        Days that were not complete: nothing of them counts.
    lday_db : float
        A-weighted level of all days, Lday.
    levening_db : float
        Of all evenings, Levening.
    lnight_db : float
        Of all nights, Lnight.
    lden_db : float
        Day-evening-night level, Lden.
    """

    n_days: int
    n_left_out: int
    lday_db: float
    levening_db: float
    lnight_db: float
    lden_db: float


def day_levels(
    laeq_db: NDArray[np.floating[Any]],
    *,
    start: datetime,
    period_s: float,
    day_h: int = 7,
    evening_h: int = 19,
    night_h: int = 23,
    least_heard: float = 1.0,
) -> DayLevels:
    """Sum up levels of short periods by day, evening and night of local time.

    Parameters
    ----------
    laeq_db : numpy.ndarray
        LAeq of periods that follow each other, in dB, NaN for one that was not heard; float32 or float64, shape=(n,).
        Minus infinity counts as digital silence.
    start : datetime.datetime
        When the first period begins, with the time zone of the place: ``tzinfo=ZoneInfo("Europe/Paris")``.
    period_s : float
        Length of a period in seconds, at most 3600. A period that goes over from one time of day into the next is
        shared out by time.
    day_h : int, default=7
        Hour of local time at which the day begins.
    evening_h : int, default=19
        Hour at which the evening begins.
    night_h : int, default=23
        Hour at which the night begins. Member states choose the hours: a day of at least 12 h, an evening of 2 to
        4 h, a night of at least 8 h.
    least_heard : float, default=1.0
        Share of each day, evening and night that must be heard for a complete day, over 0 to 1.

    Returns
    -------
    DayLevels
        Of every day from the one that holds the first period to the one that holds the last, in order.

    Raises
    ------
    ParameterError
        If an argument does not fit.

    See Also
    --------
    long_term_levels : The average over many days, such as a year.
    Levels : Gives LAeq of each second.

    Notes
    -----
    Lden = 10 lg (1/24) (Td 10^(Lday/10) + Te 10^((Levening + 5)/10) + Tn 10^((Lnight + 10)/10)), where
    Td, Te and Tn are the hours of day, evening and night: 12, 4 and 8 if nothing is said. Where clocks change, a
    night has an hour less or more; its level and its share are those of the hours that it had, and its weight stays
    Tn.

    A level of a part that was not heard as a whole is that of what was heard: `heard` says how much, and Lden stays NaN
    below `least_heard`. Nothing is filled in. The directive's levels are incident ones, without the reflection of the
    facade behind the microphone, 4 m above the ground: position and correction are the user's.

    References
    ----------
    Directive 2002/49/EC, Annex I, 1 and 2. ISO 1996-1:2016, 3.6.4 (day-evening-night level).

    Examples
    --------
    A week of minutes, as loud at night as by day.

    >>> from datetime import datetime
    >>> from zoneinfo import ZoneInfo
    >>> import numpy as np
    >>> from dsp_core.arrays import day_levels
    >>> start = datetime(2026, 5, 4, 7, tzinfo=ZoneInfo("Europe/Paris"))
    >>> laeq_db = np.full(7 * 1440, 60.0)
    >>> laeq_db[2000:2010] = np.nan
    >>> days = day_levels(laeq_db, start=start, period_s=60.0)
    >>> days.lden_db.round(1)
    array([66.4,  nan, 66.4, 66.4, 66.4, 66.4, 66.4])
    >>> days.heard[1].round(3)
    array([0.986, 1.   , 1.   ])
    """
    levels_db = _as_heard_levels(laeq_db)
    _check_start(start)
    length_s = as_positive("period_s", period_s)
    if length_s > 3_600:
        raise refuse("period_s", "at most 3600 s, which do not mix times of day", f"{length_s:g} s")
    hours = _as_hours(day_h, evening_h, night_h)
    least = as_share("least_heard", least_heard)
    begins_s = start.timestamp()
    first = _date_of(start, hours)
    last = _date_of(_local(start, begins_s + len(levels_db) * length_s - _INSTANT_S), hours)
    dates = [first + timedelta(days=k) for k in range((last - first).days + 1)]
    bounds_s = _bounds_s(start, dates, hours)
    energy, heard_s = _shared_out(levels_db, begins_s, length_s, bounds_s)
    heard = heard_s / np.diff(bounds_s).reshape(-1, 3)
    is_complete = np.array((heard >= least - 1e-9).all(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        parts_db = 10 * np.log10(energy / heard_s)  # nothing heard: NaN
    weights = np.diff([*hours, hours[0] + 24]) / 24
    lden_db = 10 * np.log10((weights * 10 ** ((parts_db + _PENALTIES_DB) / 10)).sum(axis=1))
    lden_db[~is_complete] = np.nan
    lday_db, levening_db, lnight_db = np.ascontiguousarray(parts_db.T)
    days = np.array(dates, "datetime64[D]")
    return DayLevels(days, lday_db, levening_db, lnight_db, lden_db, np.minimum(heard, 1.0), is_complete)


def long_term_levels(days: DayLevels) -> LongTermLevels:
    """Average levels over many days, in energy: complete ones alone.

    Parameters
    ----------
    days : DayLevels
        Of `day_levels`; of several stretches, their fields joined. No date may be there twice.

    Returns
    -------
    LongTermLevels
        Of all complete days; how many were not is said.

    Raises
    ------
    ParameterError
        If no day is complete, or a date comes twice.

    See Also
    --------
    day_levels : The levels of each day.

    Notes
    -----
    The directive's indicators are averages over all days of a year that is average in its weather. With
    an `n_days` of 365 or 366 the levels are those of that year; with fewer they are those of the days that were
    heard, and whether these stand for the year is not the library's to say.

    References
    ----------
    Directive 2002/49/EC, Annex I, 1 and 2.

    Examples
    --------
    >>> from datetime import datetime
    >>> from zoneinfo import ZoneInfo
    >>> import numpy as np
    >>> from dsp_core.arrays import day_levels, long_term_levels
    >>> start = datetime(2026, 5, 4, 7, tzinfo=ZoneInfo("Europe/Paris"))
    >>> days = day_levels(np.repeat([60.0, 70.0, 60.0], 24), start=start, period_s=3600.0)
    >>> year = long_term_levels(days)
    >>> print(f"{year.n_days} days, Lday {year.lday_db:.1f} dB, Lden {year.lden_db:.1f} dB")
    3 days, Lday 66.0 dB, Lden 72.4 dB
    """
    if not isinstance(days, DayLevels):
        raise refuse("days", "DayLevels", type(days).__name__)
    counts = np.unique(days.date, return_counts=True)
    if (counts[1] > 1).any():
        raise refuse("days", "each date once", f"{counts[0][counts[1] > 1][0]} twice")
    is_complete = days.is_complete
    n_days = int(is_complete.sum())
    if n_days == 0:
        raise refuse("days", "at least 1 complete day", f"0 of {len(days.date)}")
    means = (
        10 * float(np.log10(np.mean(10 ** (of_days[is_complete] / 10))))
        for of_days in (days.lday_db, days.levening_db, days.lnight_db, days.lden_db)
    )
    return LongTermLevels(n_days, len(days.date) - n_days, *means)


def _as_heard_levels(laeq_db: Any) -> NDArray[np.float64]:
    """Return levels in 64 bits; NaN is what was not heard."""
    if not isinstance(laeq_db, np.ndarray) or laeq_db.dtype not in (np.float32, np.float64):
        what = laeq_db.dtype if isinstance(laeq_db, np.ndarray) else type(laeq_db).__name__
        raise refuse("laeq_db", "a numpy array of float32 or float64", what)
    refuse_mask("laeq_db", laeq_db)
    if laeq_db.ndim != 1 or laeq_db.size == 0:
        raise refuse("laeq_db", "shape (n,), at least 1 level", f"shape {laeq_db.shape}")
    is_more = laeq_db > _MOST_DB
    if is_more.any():
        place = int(is_more.argmax())
        raise refuse("laeq_db", f"levels of at most {_MOST_DB:g} dB", f"{laeq_db[place]} at index {place}")
    return np.maximum(laeq_db.astype(np.float64), SILENCE_DB)


def _check_start(start: Any) -> None:
    if not isinstance(start, datetime):
        raise refuse("start", "a datetime with the time zone of the place", type(start).__name__)
    if start.utcoffset() is None:
        raise refuse("start", 'a time zone: start.replace(tzinfo=ZoneInfo("Europe/Paris"))', "none")
    if not 1970 < start.year < 2200:
        raise refuse("start", "a year from 1971 to 2199", start.year)


def _as_hours(day_h: Any, evening_h: Any, night_h: Any) -> tuple[int, int, int]:
    """Return the three hours, growing: an hour after midnight is one over 24."""
    day = as_whole("day_h", day_h, 0, 23)
    evening = day + (as_whole("evening_h", evening_h, 0, 23) - day) % 24
    night = evening + (as_whole("night_h", night_h, 0, 23) - evening) % 24
    lengths = evening - day, night - evening, day + 24 - night
    if not (lengths[0] >= 12 and 2 <= lengths[1] <= 4 and lengths[2] >= 8):
        expected = "a day of at least 12 h, an evening of 2 to 4 h and a night of at least 8 h"
        raise refuse("day_h, evening_h, night_h", expected, "{} h, {} h and {} h".format(*lengths))
    return day, evening, night


def _local(start: datetime, timestamp_s: float) -> datetime:
    return datetime.fromtimestamp(timestamp_s, start.tzinfo)


def _date_of(local: datetime, hours: tuple[int, int, int]) -> date:
    """Return the date on which the day of a moment began."""
    return (local.replace(tzinfo=None) - timedelta(hours=hours[0])).date()


def _bounds_s(start: datetime, dates: list[date], hours: tuple[int, int, int]) -> NDArray[np.float64]:
    """Return the moments at which day, evening and night of the dates begin, and the end of the last."""
    moments = [(day, hour) for day in dates for hour in hours] + [(dates[-1], hours[0] + 24)]
    wall = (datetime.combine(day, time()) + timedelta(hours=hour) for day, hour in moments)
    return np.array([moment.replace(tzinfo=start.tzinfo).timestamp() for moment in wall])


def _shared_out(
    levels_db: NDArray[np.float64], begins_s: float, length_s: float, bounds_s: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum up energy and heard time between bounds, each of shape (n_days, 3)."""
    edges_s = begins_s + length_s * np.arange(len(levels_db) + 1)
    is_within = (bounds_s > edges_s[0]) & (bounds_s < edges_s[-1])
    cuts_s = np.union1d(edges_s, bounds_s[is_within])
    middles_s, lengths_s = 0.5 * (cuts_s[1:] + cuts_s[:-1]), np.diff(cuts_s)
    of_period = levels_db[np.clip(np.searchsorted(edges_s, middles_s, "right") - 1, 0, len(levels_db) - 1)]
    part = np.minimum(np.searchsorted(bounds_s, middles_s, "right"), len(bounds_s) - 1) - 1
    is_heard = ~np.isnan(of_period)
    energies = 10 ** (of_period[is_heard] / 10) * lengths_s[is_heard]
    n_parts = len(bounds_s) - 1
    energy, heard_s = (
        np.bincount(part[is_heard], weights, minlength=n_parts).astype(np.float64).reshape(-1, 3)
        for weights in (energies, lengths_s[is_heard])
    )
    return energy, heard_s
