"""How every picture looks: one colour for what left, grey for what did not, whatever a machine's settings say."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

import matplotlib
from dsp_core.records import SOUND_CLASSES
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What left, and nothing else, has this colour.
LEFT: Final = "#c8420b"
STAYED: Final = "#767676"
INK: Final = "#1f1f1f"
FAINT: Final = "#d9d9d9"

DPI: Final = 150

# Okabe and Ito, "Color Universal Design", 2008: colour-blind readers can tell them apart. Yellow is darkened for paper.
_PALETTE: Final = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#000000", "#56b4e9", "#b59f00")
_MARKERS: Final = ("o", "D", "^", "s", "v", "P", "X", "*")

_SETTINGS: Final[Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that every machine has it
    "font.size": 9.5,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.linewidth": 1.1,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the settings of this file, whatever the machine's own say."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty sheet.

    Parameters
    ----------
    width_in, height_in : float
        Its size in inches, of `DPI` dots each.

    Returns
    -------
    matplotlib.figure.Figure
        With a canvas that draws into memory and needs no screen.
    """
    figure = Figure(figsize=(width_in, height_in), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png_bytes(figure: Figure, title: str) -> bytes:
    """Return a finished figure as a PNG file.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What was drawn.
    title : str
        Written into the file.

    Returns
    -------
    bytes
        The same for the same figure.
    """
    file = BytesIO()
    figure.savefig(file, format="png", dpi=DPI, metadata={"Title": title, "Software": "Sourdine"})
    return file.getvalue()


def class_look(sound_class: str) -> tuple[str, str]:
    """Return colour and marker of a class; no two classes share both.

    Parameters
    ----------
    sound_class : str
        One of the closed list.

    Returns
    -------
    tuple of (str, str)
        As matplotlib names them.
    """
    number = SOUND_CLASSES.index(sound_class)
    n_colours = len(_PALETTE)
    return _PALETTE[number % n_colours], _MARKERS[(number + number // n_colours) % len(_MARKERS)]
