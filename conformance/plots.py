"""Pictures of what was measured, between its limits."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from conformance import limits
from conformance.measured import Measured
from conformance.rows import Row

#: Light to dark; told apart without colour too.
COLOURS = {16_000: "#e69f00", 32_000: "#56b4e9", 44_100: "#009e73", 48_000: "#0072b2"}
MARKERS = {16_000: "s", 32_000: "^", 44_100: "d", 48_000: "o"}
LIMIT = "#b0b0b0"
TICKS_HZ = (10, 31.5, 100, 315, 1_000, 3_150, 10_000, 20_000)


def _of(measured: Measured, clause: limits.Clause, what: str, sample_rate: int) -> list[Row]:
    return [row for row in measured.rows if (row.clause, row.what, row.sample_rate) == (clause, what, sample_rate)]


def _frequency_axis(axes: Axes, lowest: float, highest: float) -> None:
    ticks = [hz for hz in TICKS_HZ if lowest <= hz <= highest]
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{hz / 1_000:g} k" if hz >= 1_000 else f"{hz:g}" for hz in ticks])
    axes.minorticks_off()
    axes.set_xlim(lowest, highest)
    axes.set_xlabel("Frequency in Hz")


def _limits_of_table_3(axes: Axes, reach: float) -> None:
    hz = [row[0] for row in limits.WEIGHTINGS]
    above, below = ([np.clip(row[i], -reach, reach) for row in limits.WEIGHTINGS] for i in (3, 4))
    axes.fill_between(hz, above, reach, color=LIMIT, alpha=0.45, lw=0, label="outside class 1")
    axes.fill_between(hz, below, -reach, color=LIMIT, alpha=0.45, lw=0)
    axes.set_ylim(-reach, reach)
    axes.set_ylabel("Deviation in dB")
    axes.grid(alpha=0.3)


def weightings(measured: Measured, path: Path) -> None:
    """Draw A, C and Z: deviation from Table 3.

    Parameters
    ----------
    measured : Measured
        Everything.
    path : pathlib.Path
        PNG.
    """
    figure, panels = plt.subplots(3, 1, figsize=(9, 9.5), sharex=True, layout="constrained")
    hz_of = {limits.exact_hz(row[0]): row[0] for row in limits.WEIGHTINGS}
    for axes, kind in zip(panels, "ACZ", strict=True):
        _limits_of_table_3(axes, 3.2)
        for rate, colour in COLOURS.items():
            deviations = [row.deviation for row in _of(measured, limits.TABLE_3, kind, rate)]
            hz = list(hz_of.values())[: len(deviations)]
            axes.plot(hz, deviations, color=colour, marker=MARKERS[rate], ms=4, lw=1, label=f"{rate / 1_000:g} kHz")
        axes.set_title(f"{kind} weighting against Table 3 of IEC 61672-1:2013", loc="left")
    _frequency_axis(panels[-1], 10, 20_000)
    panels[0].legend(ncols=5, loc="lower center", fontsize="small")
    _save(figure, path)


def tonebursts(measured: Measured, path: Path) -> None:
    """Draw the three quantities of Table 4.

    Parameters
    ----------
    measured : Measured
        Everything.
    path : pathlib.Path
        PNG.
    """
    figure, panels = plt.subplots(1, 3, figsize=(12, 4), sharey=True, layout="constrained")
    for axes, what in zip(panels, ("LAFmax", "LASmax", "LAE"), strict=True):
        for rate, colour in COLOURS.items():
            rows = _of(measured, limits.TABLE_4, what, rate)[::-1]
            ms = [float(row.where.removesuffix(" ms")) for row in rows]
            deviations = [row.deviation for row in rows]
            axes.plot(ms, deviations, color=colour, marker=MARKERS[rate], ms=4, lw=1, label=f"{rate / 1_000:g} kHz")
        # Between two durations the limits of the shorter hold (5.9.4).
        grey = {"color": LIMIT, "alpha": 0.45, "lw": 0, "step": "post"}
        axes.fill_between(ms, [row.above for row in rows], 3.2, label="outside class 1", **grey)
        axes.fill_between(ms, [row.below for row in rows], -3.2, **grey)
        axes.set_xscale("log")
        axes.set_xticks([0.25, 1, 10, 100, 1_000], ["0.25", "1", "10", "100", "1000"])
        axes.minorticks_off()
        axes.set(xlim=(0.25, 1_000), ylim=(-3.2, 3.2), xlabel="Burst in ms", title=f"{what} − LA")
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("Deviation from Table 4 in dB")
    panels[1].legend(fontsize="small", loc="upper left", framealpha=1)
    _save(figure, path)


def bands(measured: Measured, clauses: limits.BandClauses, path: Path) -> None:
    """Draw every band over its mask: the whole of it, and what lies inside the edges.

    Parameters
    ----------
    measured : Measured
        Everything.
    clauses : BandClauses
        Which bands.
    path : pathlib.Path
        PNG.
    """
    figure, panels = plt.subplots(2, 4, figsize=(14, 7), sharey="row", layout="constrained")
    width = 3 / clauses.per_octave
    ratio = np.geomspace(0.12**width, 8.5**width, 8_001)
    least, most = limits.mask_db(ratio, clauses.per_octave)
    spans = (0.12**width**0.5, 8.5**width**0.5), (0.87**width, 1.15**width)
    of_kind = [(rate, found) for rate, found in measured.attenuations if found.kind.clauses == clauses]
    for column, (rate, found) in zip(panels.T, of_kind, strict=True):
        for axes, (low, high), span in zip(column, ((-5, 100), (-1, 6)), spans, strict=True):
            axes.fill_between(ratio, -10, least, color=LIMIT, alpha=0.6, lw=0)
            axes.fill_between(ratio, np.minimum(most, 200), 200, color=LIMIT, alpha=0.6, lw=0)
            for j, midband in enumerate(found.midband_hz):
                share = j / (len(found.midband_hz) - 1)
                is_there = ~np.isnan(found.db[:, j])
                axes.plot(
                    found.hz[is_there] / midband,
                    found.db[is_there, j],
                    lw=0.7,
                    color=plt.get_cmap("viridis")(0.9 * share),
                )
            axes.set(xscale="log", xlim=span, ylim=(high, low), xlabel="Frequency re midband")
            axes.minorticks_off()
            axes.grid(alpha=0.3)
        column[0].set_xticks([0.1, 0.2, 0.5, 1, 2, 5, 10], ["0.1", "0.2", "0.5", "1", "2", "5", "10"])
        ticks = (0.9, 1, 1.1) if clauses == limits.THIRD_OCTAVES else (0.8, 1, 1.25)
        column[1].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        for axes, span in zip(column, spans, strict=True):
            axes.set_xlim(span)
        column[0].set_title(f"{rate / 1_000:g} kHz: {len(found.midband_hz)} bands")
    for axes in panels[:, 0]:
        axes.set_ylabel("Attenuation in dB")
    figure.suptitle(
        f"{clauses.words.capitalize()} (dark: low bands) and the mask of IEC 61260-1:2014, class 1 (grey: outside)"
    )
    _save(figure, path)


def peers(measured: Measured, path: Path) -> None:
    """Draw A by the library and by scipy's bilinear transform.

    Parameters
    ----------
    measured : Measured
        Everything.
    path : pathlib.Path
        PNG.
    """
    figure, axes = plt.subplots(figsize=(9, 4.5), layout="constrained")
    _limits_of_table_3(axes, 6)
    for rate, colour in COLOURS.items():
        pairs = [pair for pair in measured.peer_weightings if pair[0].sample_rate == rate]
        hz = [row[0] for row in limits.WEIGHTINGS if row[0] >= 1_000][: len(pairs)]
        for style, of_pair in (("-", 0), (":", 1)):
            name = f"{rate / 1_000:g} kHz" + (", scipy" if of_pair else "")
            axes.plot(hz, [pair[of_pair].deviation for pair in pairs], style, color=colour, label=name)
    _frequency_axis(axes, 1_000, 20_000)
    axes.set_title("A weighting: dsp_core, and the bilinear transform of the analogue poles", loc="left")
    axes.legend(ncols=2, fontsize="small", loc="lower left", framealpha=1)
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_all(measured: Measured, folder: Path) -> None:
    """Draw every picture.

    Parameters
    ----------
    measured : Measured
        Everything.
    folder : pathlib.Path
        Where they go.
    """
    for draw in (weightings, tonebursts, peers):
        draw(measured, folder / f"{draw.__name__}.png")
    for clauses in (limits.THIRD_OCTAVES, limits.OCTAVES):
        bands(measured, clauses, folder / f"{clauses.words.replace(' ', '_')}.png")
