"""The picture of a run: what left, over time. It reads records, and cannot show what is not in them."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from math import ceil, floor
from typing import TYPE_CHECKING, Final

import numpy as np
from dsp_core.records import METRICS
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, MultipleLocator

from sourdine.evidence.released import EventMark, LevelStep, events_in, levels_in, states_in
from sourdine.evidence.style import FAINT, INK, STAYED, class_look, house_style, new_figure, png_bytes
from sourdine.evidence.time_axis import bin_s, length_words, set_time_axis
from sourdine.evidence.words import class_words, metric_words
from sourdine.files import replace_file
from sourdine.local.view import SCALE_NAMES, count

if TYPE_CHECKING:
    from pathlib import Path

    from dsp_core.records import Policy
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

PICTURE_NAME: Final = "picture.png"
#: More sensors than these, and each would be too small to read: then all are summed up.
MAX_PANELS: Final = 12

_WIDTH_IN: Final = 12.0
_HEAD_IN, _FOOT_IN = 1.2, 0.6
_LEFT, _RIGHT = 0.085, 0.972
_MISSING: Final = -1_000
_N_BINS: Final = 96
#: Names of classes in one line.
_N_NAMES: Final = 8


@dataclass(slots=True)
class Left:
    """What a run has released of events and of one metric, small enough for years of it.

    Parameters
    ----------
    metric : str or None
        The metric whose levels are drawn.
    period_s : int
        What one of its values is over.
    """

    metric: str | None
    period_s: int
    scales: set[str] = field(default_factory=set, init=False)
    n_levels: int = field(default=0, init=False)
    n_states: int = field(default=0, init=False)
    events: list[EventMark] = field(default_factory=list, init=False)
    slots: dict[int, array[int]] = field(default_factory=dict, init=False)
    values: dict[int, array[int]] = field(default_factory=dict, init=False)

    def add_level(self, level: LevelStep) -> None:
        """Take a level in.

        Parameters
        ----------
        level : LevelStep
            Of the metric.
        """
        self.scales.add(level.scale)
        self.slots.setdefault(level.sensor_id, array("q")).append(level.slot)
        value = _MISSING if level.level_db is None else level.level_db
        self.values.setdefault(level.sensor_id, array("h")).append(value)

    @property
    def unit(self) -> str:
        """What the levels are in; of calibrated and other sensors together, both."""
        return " or ".join(sorted(SCALE_NAMES[scale] for scale in self.scales))

    @property
    def sensors(self) -> list[int]:
        """Numbers of the sensors of which anything left."""
        return sorted({*self.slots, *(event.sensor_id for event in self.events)})

    @property
    def span_s(self) -> tuple[int, int]:
        """First second and end of all that left."""
        starts = [min(slots) for slots in self.slots.values()] + [event.slot for event in self.events]
        ends = [max(slots) + self.period_s for slots in self.slots.values()] + [event.slot + 1 for event in self.events]
        return (min(starts), max(ends)) if starts else (0, 60)

    def levels_of(self, sensor_id: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return slots and levels of a sensor, in the order of time, NaN where one is missing."""
        slots = np.array(self.slots.get(sensor_id, ()), np.int64)
        values = np.array(self.values.get(sensor_id, ()), np.float64)
        order = np.argsort(slots, kind="stable")
        return slots[order], np.where(values == _MISSING, np.nan, values)[order]


def draw_run(folder: Path, policy: Policy) -> None:
    """Draw what a run has released, and write the picture beside its files.

    Parameters
    ----------
    folder : pathlib.Path
        Where the run wrote.
    policy : Policy
        The policy that it ran under.

    Raises
    ------
    OutputError
        If the picture cannot be written.
    """
    replace_file(folder / PICTURE_NAME, draw_left(_read(folder, policy)))


def _read(folder: Path, policy: Policy) -> Left:
    periods_s = dict(policy.levels)
    metric = next((metric for metric in METRICS if metric in periods_s), None)
    left = Left(metric, periods_s.get(metric or "", 0))
    left.events += events_in(folder)
    left.n_states = sum(1 for _ in states_in(folder, policy))
    for level in levels_in(folder, policy):
        left.n_levels += 1
        if level.metric == metric:
            left.add_level(level)
    return left


def draw_left(left: Left) -> bytes:
    """Draw records over time: sensor by sensor, or all together where there are many.

    Parameters
    ----------
    left : Left
        The records.

    Returns
    -------
    bytes
        A PNG file; the same for the same records.
    """
    sensors = left.sensors
    with house_style():
        if len(sensors) <= MAX_PANELS:
            figure, panels = _sheet(len(sensors) or 1, 3.6 if len(sensors) < 2 else 1.45)
            for axes, sensor_id in zip(panels, sensors, strict=False):
                _draw_sensor(axes, left, sensor_id)
        else:
            figure, panels = _sheet(2, 2.9)
            _draw_all_events(panels[0], left)
            _draw_all_levels(panels[1], left)
        for axes in panels:
            set_time_axis(axes, *left.span_s)
            axes.spines[["top", "right"]].set_visible(False)
        for axes in panels[:-1]:
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
        counts = ((len(left.events), "event"), (left.n_levels, "level"), (left.n_states, "sensor state"))
        words = ", ".join(count(*pair) for pair in counts)
        title = f"What left {count(len(sensors), 'sensor')}: {words}"
        _write_head(figure, left, title)
        return png_bytes(figure, title)


def _sheet(n_panels: int, panel_in: float) -> tuple[Figure, list[Axes]]:
    height_in = _HEAD_IN + _FOOT_IN + n_panels * panel_in
    figure = new_figure(_WIDTH_IN, height_in)
    gap_in = 0.22
    panels = [
        figure.add_axes(
            (
                _LEFT,
                (_FOOT_IN + (n_panels - 1 - place) * panel_in) / height_in,
                _RIGHT - _LEFT,
                (panel_in - gap_in) / height_in,
            )
        )
        for place in range(n_panels)
    ]
    return figure, panels


def _write_head(figure: Figure, left: Left, title: str) -> None:
    height_in = figure.get_size_inches()[1]
    figure.text(0.015, 1 - 0.3 / height_in, title, fontsize=17, weight="bold", va="center")
    source = "Drawn from the released records alone; the sound is not in them."
    figure.text(0.015, 1 - 0.6 / height_in, source, fontsize=10, color=STAYED, va="center")
    handles = []
    for sound_class, n_events in sorted(Counter(event.sound_class for event in left.events).items()):
        colour, marker = class_look(sound_class)
        name = f"{class_words(sound_class)} ({n_events:,})"
        handles.append(
            Line2D([], [], linestyle="none", marker=marker, color=colour, markersize=_marker_size(marker), label=name)
        )
    if left.metric and left.slots:
        name = f"{metric_words(left.metric, left.period_s)}, in {left.unit}"
        handles.append(Line2D([], [], color=INK, linewidth=1.8, label=name))
        if len(left.sensors) <= MAX_PANELS and any(_MISSING in values for values in left.values.values()):
            handles.append(Line2D([], [], color=FAINT, linewidth=7, label="level missing"))
    figure.legend(
        handles=handles,
        ncols=_N_NAMES,
        loc="upper left",
        bbox_to_anchor=(0.009, 1 - 0.74 / height_in),
        frameon=False,
        borderpad=0,
        fontsize=8.5,
        handletextpad=0.5,
        columnspacing=1.2,
    )


def _marker_size(marker: str) -> float:
    return 9.5 if marker == "*" else 6.5  # a star of the same width looks smaller


def _draw_sensor(axes: Axes, left: Left, sensor_id: int) -> None:
    slots, values = left.levels_of(sensor_id)
    if len(slots):
        seconds = np.column_stack([slots, slots + left.period_s]).ravel()
        steps = np.repeat(values, 2)
        axes.plot(seconds, steps, color=INK, linewidth=1.8, solid_joinstyle="miter")
        over_time = axes.get_xaxis_transform()
        axes.fill_between(
            seconds, 0, 1, where=np.isnan(steps), transform=over_time, color=FAINT, linewidth=0, alpha=0.6
        )
    _set_levels_axis(axes, left)
    axes.set_ylabel(f"sensor {sensor_id}")
    _draw_events(axes, [event for event in left.events if event.sensor_id == sensor_id])


def _draw_events(axes: Axes, events: list[EventMark]) -> None:
    over_time = axes.get_xaxis_transform()
    for sound_class in sorted({event.sound_class for event in events}):
        slots = [event.slot for event in events if event.sound_class == sound_class]
        colour, marker = class_look(sound_class)
        axes.vlines(slots, 0, 0.88, transform=over_time, color=colour, linewidth=1.0, alpha=0.5, zorder=1)
        axes.plot(
            slots,
            [0.93] * len(slots),
            marker,
            transform=over_time,
            color=colour,
            markersize=_marker_size(marker),
            clip_on=False,
            zorder=3,
        )


def _set_levels_axis(axes: Axes, left: Left) -> None:
    """Give all sensors the same axis of level, with room over it for the events."""
    known = [values[values != _MISSING] for values in map(np.array, left.values.values())]
    known = [values for values in known if len(values)]
    if not known:
        _say_no_levels(axes, left)
        return
    low = 10 * floor((min(values.min() for values in known) - 2) / 10)
    high = 10 * ceil((max(values.max() for values in known) + 2) / 10)
    axes.set_ylim(low, high + 0.22 * (high - low))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10], integer=True))
    axes.grid(axis="y", color=FAINT, linewidth=0.6)


def _draw_all_events(axes: Axes, left: Left) -> None:
    axes.set_axisbelow(True)
    width_s, starts = _bins(left)
    stacked = np.zeros(len(starts))
    for sound_class in sorted({event.sound_class for event in left.events}):
        slots = np.array([event.slot for event in left.events if event.sound_class == sound_class])
        counts = np.bincount((slots - starts[0]) // width_s, minlength=len(starts))
        axes.bar(starts, counts, width_s, stacked, align="edge", color=class_look(sound_class)[0], linewidth=0)
        stacked += counts
    axes.set_ylim(0, max(1.0, 1.08 * stacked.max()))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.set_ylabel(f"events in {length_words(width_s)},\nall sensors")
    axes.grid(axis="y", color=FAINT, linewidth=0.6)


def _draw_all_levels(axes: Axes, left: Left) -> None:
    """Draw how the levels of all sensors lie: the median, and 10 to 90 % of them."""
    width_s, starts = _bins(left)
    pairs = [left.levels_of(sensor_id) for sensor_id in left.slots]
    if not any(np.isfinite(values).any() for _, values in pairs):
        _say_no_levels(axes, left)
        return
    places = np.concatenate([(slots - starts[0]) // width_s for slots, _ in pairs])
    values = np.concatenate([values for _, values in pairs])
    is_known = ~np.isnan(values)
    places, values = places[is_known], values[is_known]
    order = np.argsort(places, kind="stable")
    groups = np.split(values[order], np.searchsorted(places[order], np.arange(1, len(starts))))
    shares = np.array([np.percentile(group, (10, 50, 90)) if len(group) else 3 * [np.nan] for group in groups]).T
    edges = np.append(starts, starts[-1] + width_s)
    low, high = (np.append(share, share[-1]) for share in (shares[0], shares[2]))
    axes.fill_between(edges, low, high, step="post", color=INK, alpha=0.2, linewidth=0)
    axes.stairs(shares[1], edges, baseline=None, color=INK, linewidth=1.8)
    axes.yaxis.set_major_locator(MultipleLocator(10))
    axes.set_ylabel(f"level ({left.unit}): median, and\n10 to 90 % of all sensors")
    axes.grid(axis="y", color=FAINT, linewidth=0.6)


def _say_no_levels(axes: Axes, left: Left) -> None:
    """Leave no panel without a word."""
    axes.set_yticks([])
    why = (
        "no level left: all are missing, for less than 95 % of each period was heard" if left.slots else "no level left"
    )
    axes.text(0.5, 0.45, why, transform=axes.transAxes, ha="center", va="center", color=STAYED, fontsize=10)


def _bins(left: Left) -> tuple[int, NDArray[np.int64]]:
    since_s, until_s = left.span_s
    width_s = bin_s(since_s, until_s, _N_BINS, max(60, left.period_s))
    return width_s, np.arange(since_s // width_s * width_s, until_s, width_s)
