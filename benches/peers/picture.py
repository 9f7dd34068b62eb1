"""The picture of the comparison: one panel a row, bars on one logarithmic axis of times real time."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

OURS, PEER = "#0b5d8f", "#9aa5ad"


def draw(speeds: dict[str, dict[str, float]], path: Path) -> None:
    """Draw speeds, by row and by front end, as an SVG or a PNG."""
    mpl.rcParams.update({"svg.hashsalt": "peers", "svg.fonttype": "none", "font.size": 9})
    figure, panels = plt.subplots(3, 2, figsize=(9.5, 8), layout="constrained")
    panels.flat[-1].set_axis_off()
    for panel, (row, by_name) in zip(panels.flat[:-1], speeds.items(), strict=True):
        names = sorted(by_name, key=by_name.__getitem__)
        bars = panel.barh(names, [by_name[n] for n in names], color=[OURS if n == "dsp_core" else PEER for n in names])
        panel.bar_label(bars, [f"{by_name[n]:,.0f}".replace(",", " ") for n in names], padding=3)
        panel.set_title(row, loc="left", fontweight="bold")
        panel.set_xscale("log")
        panel.set_xlim(50, 100_000)
        panel.spines[["top", "right"]].set_visible(False)
        panel.set_xlabel("times real time, one core")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)
