"""The axis of time: places in a recording, or the clock."""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DAY_S: Final = 86_400
_STEPS_S: Final = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 3, 6, 12)),
    *(_DAY_S * days for days in (1, 2, 7, 14, 28, 91, 182, 364)),
)
_MAX_TICKS: Final = 11

#: Slots from here on are taken for times of the clock, those before for places in a recording without one: 1971.
FIRST_CLOCK_SLOT: Final = 365 * _DAY_S


def set_time_axis(axes: Axes, since_s: float, until_s: float) -> None:
    """Give an axis its limits, its ticks and its name.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Whose x is in seconds, as slots are counted.
    since_s, until_s : float
        Where it begins and ends.
    """
    span_s = until_s - since_s
    step_s = next((step for step in _STEPS_S if span_s / step <= _MAX_TICKS), _STEPS_S[-1])
    ticks = range(ceil(since_s / step_s) * step_s, int(until_s) + 1, step_s)
    axes.set_xlim(since_s, until_s)
    if since_s < FIRST_CLOCK_SLOT:
        axes.set_xticks(ticks, [_place(tick, until_s) for tick in ticks])
        axes.set_xlabel(f"time from the first sample ({'h:min:s' if until_s >= 3600 else 'min:s'})")
    else:
        axes.set_xticks(ticks, _moments(ticks, step_s))
        axes.set_xlabel("time (UTC)")


def _place(seconds: int, until_s: float) -> str:
    minutes = f"{seconds // 60 % 60}:{seconds % 60:02d}"
    return f"{seconds // 3600}:{minutes:0>5}" if until_s >= 3600 else minutes


def _moments(ticks: range, step_s: int) -> list[str]:
    """Name moments of the clock; the date stands under the first one of each day."""
    texts: list[str] = []
    shown = ""
    for tick in ticks:
        moment = datetime.fromtimestamp(tick, UTC)
        date = f"{moment:%Y-%m-%d}"
        if step_s >= _DAY_S:
            texts.append(date)
            continue
        time = f"{moment:%H:%M:%S}" if step_s < 60 else f"{moment:%H:%M}"
        texts.append(time if date == shown else f"{time}\n{date}")
        shown = date
    return texts


def bin_s(since_s: float, until_s: float, n_most: int, shortest_s: int) -> int:
    """Return a length of bins that people count in.

    Parameters
    ----------
    since_s, until_s : float
        What is cut into bins.
    n_most : int
        Bins at most.
    shortest_s : int
        Length that is not gone below.

    Returns
    -------
    int
        Seconds; bins that begin at its multiples begin on full minutes, hours and days.
    """
    long_enough = (step for step in _STEPS_S if step >= shortest_s and (until_s - since_s) / step <= n_most)
    return next(long_enough, _STEPS_S[-1])


def length_words(seconds: int) -> str:
    """Return a length of time in the largest unit that it is a whole number of.

    Parameters
    ----------
    seconds : int
        The length.

    Returns
    -------
    str
        For instance 15 min.
    """
    for unit_s, unit in ((_DAY_S, "d"), (3600, "h"), (60, "min")):
        if seconds % unit_s == 0:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"
