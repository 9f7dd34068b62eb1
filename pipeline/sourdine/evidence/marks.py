"""How released records are drawn: flags for events, steps for levels, a strip for the sensor's states."""

from __future__ import annotations

from itertools import groupby
from math import ceil, floor, nan
from typing import TYPE_CHECKING, Final

from matplotlib.ticker import MultipleLocator

from sourdine.evidence.style import FAINT, INK, LEFT
from sourdine.evidence.words import class_words, confidence_dots, decibels, level_words, metric_words
from sourdine.local.view import SCALE_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from sourdine.evidence.released import EventMark, LevelStep, StateSpan

_N_LANES: Final = 4
_FLAG_PT: Final = 9.0
_PAD_PT: Final = 0.3 * _FLAG_PT
#: Dots between two flags.
_GAP: Final = 12
#: More events than these, and their flags have room for the class alone.
MAX_LONG: Final = 16
#: More values than these, and their numbers would touch.
_MAX_NUMBERS: Final = 24
_MAX_BORDERS: Final = 90
_METRIC_LINES: Final = {"laeq": ("-", 2.6), "la10": ("--", 1.4), "la50": ("-.", 1.4), "la90": (":", 1.8)}


def draw_flags(lanes: Axes, sound: Axes, events: Sequence[EventMark]) -> int:
    """Mark each event's second in the sound, and say over it what left.

    Parameters
    ----------
    lanes : matplotlib.axes.Axes
        The space for words over the sound, with the same x; what is written there may reach over its right edge.
    sound : matplotlib.axes.Axes
        Where the sound is drawn.
    events : sequence of EventMark
        In the order of time.

    Returns
    -------
    int
        How many found no space for their words.
    """
    lanes.set_ylim(0, _N_LANES)
    # From right to left: a flag begins at its second, so that no stem crosses a flag that stands already.
    free_to = [float("inf")] * _N_LANES
    n_silent = 0
    for event in reversed(events):
        sound.axvspan(event.slot, event.slot + 1, 0.97, color=LEFT, linewidth=0, zorder=3)
        sound.axvline(event.slot, color=LEFT, linewidth=1.3, zorder=4)
        flag = _flag(lanes, event, is_long=len(events) <= MAX_LONG)
        box = flag.get_window_extent()
        lane = next((lane for lane in range(_N_LANES) if box.x1 + _GAP < free_to[lane]), None)
        if lane is None:
            flag.remove()
            n_silent += 1
            top = 0.25
        else:
            free_to[lane] = box.x0
            flag.xy = (event.slot, lane + 0.5)
            top = lane + 0.5
        lanes.vlines(event.slot, 0, top, color=LEFT, linewidth=1.3, zorder=1)
    return n_silent


def _flag(lanes: Axes, event: EventMark, *, is_long: bool) -> Annotation:
    words = class_words(event.sound_class)
    if is_long:
        level = "" if event.level_db is None else f" {level_words(event, '')}"
        words = f"{words}{level}  {confidence_dots(event.confidence)}"
    return lanes.annotate(
        words,
        (event.slot, 0.5),
        (_PAD_PT, 0),
        textcoords="offset points",
        va="center",
        fontsize=_FLAG_PT,
        color=LEFT,
        bbox={"boxstyle": "square,pad=0.3", "facecolor": "white", "edgecolor": LEFT, "linewidth": 1.1},
        zorder=5,
        annotation_clip=False,
    )


def draw_levels(axes: Axes, levels: Sequence[LevelStep], since_s: float, until_s: float) -> None:
    """Draw levels as steps, each over its period, and hatch what is missing.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to.
    levels : sequence of LevelStep
        Of one sensor, in the order of time.
    since_s, until_s : float
        What is shown of them.
    """
    metrics = [metric for metric in _METRIC_LINES if any(level.metric == metric for level in levels)]
    if not metrics:
        axes.set_yticks([])
        return
    known = [level.level_db for level in levels if level.level_db is not None]
    if known:
        axes.set_ylim(10 * floor((min(known) - 3) / 10), 10 * ceil((max(known) + 6) / 10))
        axes.set_ylabel(f"level ({SCALE_NAMES[levels[0].scale]})")
        axes.yaxis.set_major_locator(MultipleLocator(10))
    else:
        axes.set_yticks([])
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    for metric in metrics:
        _draw_metric(axes, [level for level in levels if level.metric == metric])
    first = [level for level in levels if level.metric == metrics[0]]
    _hatch_missing(axes, [level for level in first if level.level_db is None], since_s, until_s)
    if len(first) <= _MAX_NUMBERS:
        _number(axes, first, since_s, until_s)


def _hatch_missing(axes: Axes, levels: Sequence[LevelStep], since_s: float, until_s: float) -> None:
    for level in levels:
        begin, end = max(since_s, level.slot), min(until_s, level.slot + level.period_s)
        axes.axvspan(begin, end, facecolor="none", edgecolor=FAINT, hatch="xx", linewidth=0, zorder=0)
        _write_if_it_fits(axes, "missing", begin, end, axes.get_ylim())


def _draw_metric(axes: Axes, levels: Sequence[LevelStep]) -> None:
    style, width = _METRIC_LINES[levels[0].metric]
    seconds: list[float] = []
    values: list[float] = []
    for level in levels:
        seconds += [level.slot, level.slot + level.period_s]
        values += 2 * [nan if level.level_db is None else level.level_db]
    name = metric_words(levels[0].metric, levels[0].period_s)
    if all(level.level_db is None for level in levels):
        name, style = f"{name}: missing", "none"
    axes.plot(seconds, values, linestyle=style, color=LEFT, linewidth=width, label=name, solid_joinstyle="miter")


def _number(axes: Axes, levels: Sequence[LevelStep], since_s: float, until_s: float) -> None:
    for level in levels:
        middle_s = (max(since_s, level.slot) + min(until_s, level.slot + level.period_s)) / 2
        if level.level_db is not None:
            at, words, colour = (middle_s, level.level_db), decibels(level.level_db), LEFT
            axes.annotate(words, at, (0, 4), textcoords="offset points", ha="center", color=colour, weight="bold")


def draw_states(axes: Axes, states: Sequence[StateSpan], since_s: float, until_s: float) -> None:
    """Draw what the sensor said of itself as a strip; neighbours that say the same share their word.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to.
    states : sequence of StateSpan
        Of one sensor, in the order of time.
    since_s, until_s : float
        What is shown of them.
    """
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    if len(states) <= _MAX_BORDERS:
        axes.vlines([span.slot for span in states], 0, 0.25, color=INK, linewidth=0.8)
    for state, group in groupby(states, key=lambda span: span.state):
        spans = list(group)
        begin, end = max(since_s, spans[0].slot), min(until_s, spans[-1].slot + spans[-1].period_s)
        axes.axvspan(begin, end, color=LEFT, alpha=0.16 if state == "ok" else 0.42, linewidth=0)
        _write_if_it_fits(axes, state, begin, end, (0, 0.96))


def _write_if_it_fits(axes: Axes, words: str, begin: float, end: float, edges: tuple[float, float]) -> None:
    """Write into the middle of a span of time, if it is wide enough."""
    at = ((begin + end) / 2, sum(edges) / 2)
    text = axes.text(*at, words, ha="center", va="center", fontsize=9, color=INK)
    left, right = axes.transData.transform([(begin, edges[0]), (end, edges[0])])[:, 0]
    if text.get_window_extent().width > right - left - _GAP:
        text.remove()
