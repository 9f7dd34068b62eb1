"""The picture as one sheet: all the sound in grey and hatched, and over and under it the few marks that left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea
from matplotlib.patches import Rectangle

from sourdine.evidence.marks import MAX_LONG, draw_flags, draw_levels, draw_states
from sourdine.evidence.picture import WARNING
from sourdine.evidence.style import FAINT, INK, LEFT, STAYED, house_style, new_figure, png_bytes
from sourdine.evidence.time_axis import set_time_axis
from sourdine.evidence.words import confidence_dots, count_words, grouped, headline, share_words, span_words
from sourdine.local.view import count
from sourdine.policy import SPEECH_BIT_PER_S

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sourdine.evidence.picture import Evidence

#: In inches, of 150 dots each: 1800 by 1200.
WIDTH_IN: Final = 12.0
HEIGHT_IN: Final = 8.0

_LEFT_EDGE, _WIDTH = 0.065, 0.765
_MARGIN_X: Final = _LEFT_EDGE + _WIDTH + 0.012
_RANGE_DB: Final = 70.0
_MAX_NAME: Final = 36
_TICKS_HZ: Final = (50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
#: From white to the grey of what is out of reach: the loudest sound is never as dark as a mark.
_GREYS: Final = LinearSegmentedColormap.from_list("greyed out", ["#fbfbfb", "#d2d2d2", "#8d8d8d", "#4f4f4f"])


def draw_sheet(evidence: Evidence) -> bytes:
    """Draw the picture.

    Parameters
    ----------
    evidence : Evidence
        What went in and what left.

    Returns
    -------
    bytes
        A PNG file of 1800 by 1200 dots.
    """
    with house_style():
        figure = new_figure(WIDTH_IN, HEIGHT_IN)
        sound = _panel(figure, bottom=0.37, height=0.405)
        lanes = _panel(figure, bottom=0.779, height=0.1, sharex=sound)
        levels = _panel(figure, bottom=0.185, height=0.165, sharex=sound)
        states = _panel(figure, bottom=0.132, height=0.032, sharex=sound)
        span = evidence.since_s, evidence.until_s
        for axes in (sound, lanes, levels, states):
            set_time_axis(axes, *span)
        for axes in (sound, lanes, levels):
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
        _write_head(figure, evidence)
        _draw_sound(figure, sound, evidence)
        lanes.axis("off")
        n_silent = draw_flags(lanes, sound, evidence.released.events)
        draw_levels(levels, evidence.released.levels, *span)
        draw_states(states, evidence.released.states, *span)
        _write_margin(figure, evidence, levels, n_silent)
        figure.text(_LEFT_EDGE, 0.022, WARNING, fontsize=9, color=INK, weight="bold")
        return png_bytes(figure, headline(evidence))


def _panel(figure: Figure, *, bottom: float, height: float, **settings: Any) -> Axes:
    axes = figure.add_axes((_LEFT_EDGE, bottom, _WIDTH, height), **settings)
    axes.tick_params(length=3)
    return axes


def _write_head(figure: Figure, evidence: Evidence) -> None:
    """Write the two numbers, as large as they differ, and under them what they are of."""
    bits_in, bits_out = evidence.bits_in, evidence.released.bits
    parts: list[Artist] = [
        _big(f"{grouped(bits_in)} bits in,", STAYED),
        _big(f"{grouped(bits_out)} bits out: {share_words(bits_out, bits_in)}", LEFT),
    ]
    line = HPacker(children=parts, align="baseline", pad=0, sep=9)
    box = AnchoredOffsetbox(
        "upper left",
        pad=0,
        borderpad=0,
        child=line,
        frameon=False,
        bbox_to_anchor=(_LEFT_EDGE, 0.975),
        bbox_transform=figure.transFigure,
    )
    figure.add_artist(box)
    policy = evidence.policy
    bit_per_s = policy.capacity.bit_per_s
    words = (
        f"{_short(evidence.name)}, {span_words(evidence)}. Policy {policy.core.name}: at most {bit_per_s:.3f} bit/s "
        f"over a clock hour, {SPEECH_BIT_PER_S / bit_per_s:.0f} times less than speech."
    )
    figure.text(_LEFT_EDGE, 0.912, words, fontsize=10.5, va="center")


def _short(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 11]}…{name[-10:]}"


def _big(words: str, colour: str) -> TextArea:
    return TextArea(words, textprops={"fontsize": 22, "weight": "bold", "color": colour})


def _draw_sound(figure: Figure, axes: Axes, evidence: Evidence) -> None:
    spectrogram = evidence.spectrogram
    low, high = np.log10(spectrogram.edges_hz)
    image = axes.imshow(
        np.maximum(spectrogram.power_db, -_RANGE_DB),
        cmap=_GREYS,
        vmin=-_RANGE_DB,
        vmax=0.0,
        extent=(*spectrogram.edges_s, low, high),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    axes.set_xlim(evidence.since_s, evidence.until_s)
    ticks = [hz for hz in _TICKS_HZ if spectrogram.edges_hz[0] <= hz <= spectrogram.edges_hz[1]]
    axes.set_yticks(np.log10(ticks), [f"{hz // 1000} k" if hz >= 1000 else str(hz) for hz in ticks])
    axes.set_ylabel("frequency (Hz)")
    hatch = Rectangle((0, 0), 1, 1, transform=axes.transAxes, fill=False, hatch="//", edgecolor="white", alpha=0.75)
    hatch.set_linewidth(0)
    axes.add_patch(hatch)
    scale = figure.add_axes((_MARGIN_X, 0.385, 0.012, 0.13))
    bar = figure.colorbar(image, cax=scale)
    bar.outline.set_linewidth(0.6)
    scale.set_yticks([-60, -40, -20, 0])
    scale.tick_params(length=2, labelsize=8)
    scale.set_title("dB re the\nloudest", fontsize=8, loc="left")


def _write_margin(figure: Figure, evidence: Evidence, levels: Axes, n_silent: int) -> None:
    """Write beside each panel whether it left."""
    _swatch(figure, 0.748, "did not leave", STAYED, hatch="////")
    figure.text(_MARGIN_X, 0.727, _STAYED_WORDS, fontsize=9, va="top", color=INK, linespacing=1.35)
    _swatch(figure, 0.333, "left", LEFT)
    figure.text(_MARGIN_X, 0.312, "\n".join(count_words(evidence.released)), fontsize=9, va="top", linespacing=1.35)
    if levels.get_legend_handles_labels()[0]:
        at = {"bbox_to_anchor": (_MARGIN_X - 0.006, 0.245), "bbox_transform": figure.transFigure}
        levels.legend(loc="upper left", frameon=False, fontsize=8, handlelength=2.2, borderpad=0, **at)
    figure.text(_LEFT_EDGE - 0.006, 0.148, "sensor", fontsize=9, ha="right", va="center")
    if 0 < len(evidence.released.events) <= MAX_LONG:
        dots = f"{confidence_dots(0)} low confidence\n{confidence_dots(3)} very high"
        figure.text(_MARGIN_X, 0.655, dots, fontsize=8, va="top", color=LEFT, linespacing=1.35)
    if n_silent:
        words = f"{count(n_silent, 'more event')}: words\nonly in the page's table"
        figure.text(_MARGIN_X, 0.614, words, fontsize=8, va="top", color=LEFT, linespacing=1.35)


_STAYED_WORDS: Final = "All of the sound, with\nevery voice and every\nword in it."


def _swatch(figure: Figure, y: float, words: str, colour: str, hatch: str | None = None) -> None:
    face = FAINT if hatch else colour
    figure.add_artist(
        Rectangle(
            (_MARGIN_X, y - 0.009), 0.02, 0.022, facecolor=face, edgecolor="white" if hatch else colour, hatch=hatch
        )
    )
    figure.text(_MARGIN_X + 0.026, y, words, fontsize=12.5, weight="bold", color=colour, va="center")
