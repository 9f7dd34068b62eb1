"""The report: one page that is the same on every machine, all tables, and every row as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from conformance import limits
from conformance.measured import Measured
from conformance.peers import Difference
from conformance.rows import Row, smallest

RATES = tuple(limits.TOP_HZ)

HEAD = """\
# Conformance of levels

What `dsp_core.arrays` measures, held against every limit of IEC 61672-1:2013 and IEC 61260-1:2014 for class 1 that
a calculation can meet or miss. Tones, tonebursts and sweeps go through the functions and the meter that users call;
nothing is read off coefficients. `./run conformance` makes all of it anew, with every row and plots, in
`dist/conformance`.

{verdict}

**This says nothing about an instrument.** Class 1 is said of a whole sound level meter, microphone, case, wind screen,
power and environment included, after a type approval by an independent body. Neither is ours, and nothing here is a
statement that a sensor with this software is a class 1 meter. What it does say: the calculation leaves these margins
for all the rest.
"""

VERDICT = """\
At 44.1 and 48 kHz it meets the response limits of IEC 61672-1:2013, class 1, in Tables 3 to 5 and the clauses below.
At 32 kHz it meets those of Table 3 up to 12.5 kHz and of Table 5; at 16 kHz those of Table 3 up to 6.3 kHz and of
Table 5 up to 500 Hz: what a rate does not carry cannot be measured with it, and class 1 asks for frequencies up to
16 kHz. Every octave and third-octave band that is offered, at each rate, meets the response limits of
IEC 61260-1:2014, class 1. What is met and not claimed stands under *Measured, and not claimed*."""

MARGINS = """\
## Smallest margins

In dB (decay: dB/s), to the nearer of the two limits, over all rows of a requirement at a sample rate. *Read in*: where
the limits were read, see the end; a **single bold letter** is a limit with one source only. "Ours" are requirements
that no standard puts in numbers; a margin of 0 in blocks means that nothing differs at all. Of equal margins the first
stands under *Smallest at*.
"""

METHODS = """\
LCpeak is read between samples too: the C-weighted signal at four times its rate, by a polyphase sinc of 16 samples
under a Kaiser window (worst of 32 places of the zero crossing between two samples; the largest sample alone reads up
to 2.0 dB low at 8 kHz and 32 kHz). Bands have their corners a little inside their edges, so that each has the
effective bandwidth of an ideal one at any place below half the rate. Of the sum of neighbours part 1 of the standard
names the difference one way round in words, part 2 in Formula 3 the other: the narrower side, 0.8 dB, is taken for
both.
"""

BEYOND = """\
## Measured, and not claimed

`weighting_top_hz` says up to which frequency a rate is claimed, and so does each summary of the meter (`top_hz`).
Frequencies above the claim of Table 3 lie so near half the rate that a converter's own filter decides.
"""

LACKS = """\
## What is not there

- Impulse (I) is there, with the time constants of IEC 61672-1:2002, Annex C, after IEC 60651. The edition of 2013 has
  no limits for it, so it is held to its closed form alone; the meter gives no LAI.
- Lden is a sum over levels that were heard. Position of the microphone, correction for a facade, the choice of a year
  (2002/49/EC, Annex I) and its weather are the user's; a day that was partly heard is marked and has none.
- Z: the standard leaves open what lies below 10 Hz; ours takes the constant out, with 3 dB at 1 Hz. Peaks are given
  with C alone.
- Filters against what folds back at half the rate (IEC 61260-1, 5.15): the converter's.
- Indications of overload and of too low a level (5.11, 5.12): the gateway tells clipping; these functions do not.
- Directions, microphone, self-noise, supply, environment, fields: not the calculation's.
"""

SOURCES = """\
## Where the limits were read

The standards are sold, not printed here. Numbers were read from transcriptions by different people, compared row by row
(`tests/standards/test_limits.py`):
"""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Parameters
    ----------
    head : sequence of str
        Names of the columns.
    rows : iterable of sequence of str
        Cells.

    Returns
    -------
    str
        Lines of Markdown.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def number(value: float, digits: int = 2, *, sign: bool = False) -> str:
    """Write a number with a proper minus, and nothing as nothing.

    Parameters
    ----------
    value : float
        Any.
    digits : int, default=2
        Behind the point.
    sign : bool, default=False
        Whether plus is written.

    Returns
    -------
    str
        Such as "−0.12".
    """
    if value in (limits.INFINITY, -limits.INFINITY):
        return "∞" if value > 0 else "−∞"
    rounded = round(value, digits) + 0.0
    return f"{rounded:{'+' if sign else ''}.{digits}f}".replace("-", "−")


def allowed(row: Row) -> str:
    """Write the limits of a row.

    Parameters
    ----------
    row : Row
        Any.

    Returns
    -------
    str
        Such as "±1.0" or "+1.0; −1.5".
    """
    if row.above == -row.below:
        return f"±{row.above:.1f}" if row.above >= 0.1 else f"±{row.above:g}"
    return f"{number(row.above, 1, sign=True)}; {number(row.below, 1, sign=True)}"


def _rate(sample_rate: int) -> str:
    return f"{sample_rate / 1_000:g} kHz"


def _margins(rows: Sequence[Row]) -> str:
    lines = []
    for clause in dict.fromkeys(row.clause for row in rows):
        of_clause = [row for row in rows if row.clause == clause]
        cells = []
        for rate in RATES:
            of_rate = [row for row in of_clause if row.sample_rate == rate]
            cells.append(number(smallest(of_rate).margin) if of_rate else "")
        least = smallest(of_clause)
        place = f"{least.what}, {least.where}, {_rate(least.sample_rate)}"
        sources = f"**{clause.sources}**" if len(clause.sources) == 1 else clause.sources or "ours"
        lines.append([clause.name, clause.words, sources, *cells, place])
    return markdown_table(["Requirement", "What", "Read in", *map(_rate, RATES), "Smallest at"], lines)


def _deviations(rows: Sequence[Row]) -> str:
    """Tell the largest deviation from Table 3: its smallest margin is always that of 1 kHz, where limits are narrow."""
    lines = []
    for kind in "ACZ":
        cells = []
        for rate in RATES:
            found = [row for row in rows if (row.clause, row.what, row.sample_rate) == (limits.TABLE_3, kind, rate)]
            worst = max(found, key=lambda row: round(abs(row.deviation), 2))
            cells.append(f"{number(worst.deviation, sign=True)} at {worst.where}")
        lines.append([kind, *cells])
    return markdown_table(["Weighting", *map(_rate, RATES)], lines)


def _beyond(rows: Sequence[Row]) -> str:
    lines = [
        [
            row.clause.name,
            row.what,
            _rate(row.sample_rate),
            row.where,
            number(row.measured),
            number(row.expected, 1),
            allowed(row),
            number(row.margin, 3 if abs(row.margin) < 0.01 else 2),
            "inside" if row.passes else "**outside**",
        ]
        for row in rows
    ]
    return markdown_table(["Requirement", "What", "Rate", "Where", "Measured", "Goal", "Limits", "Margin", ""], lines)


def _peer_weightings(measured: Measured) -> str:
    lines = []
    for ours, theirs in measured.peer_weightings:
        if theirs.where in {"4 kHz", "6.3 kHz", "8 kHz", "12.5 kHz", "16 kHz"}:
            cells = [_rate(ours.sample_rate), ours.where, allowed(ours)]
            cells += [number(ours.deviation, sign=True), number(theirs.deviation, sign=True)]
            lines.append([*cells, "inside" if theirs.passes else "**outside**"])
    head = ["Rate", "Frequency", "Limits", "dsp_core", "scipy, bilinear", "scipy is"]
    return markdown_table(head, lines)


def _differences(found: Sequence[Difference]) -> str:
    """Largest difference of each quantity."""
    keys = dict.fromkeys((one.peer, one.what, one.sample_rate) for one in found)
    lines = []
    for key in keys:
        of_key = [one for one in found if (one.peer, one.what, one.sample_rate) == key]
        worst = max(of_key, key=lambda one: round(abs(one.ours - one.theirs), 2))
        values = (worst.ours, worst.theirs, worst.ours - worst.theirs)
        lines.append([key[0], key[1], _rate(key[2]), worst.where, *(number(value) for value in values)])
    return markdown_table(["Peer", "What", "Rate", "Where it is largest", "dsp_core", "Peer", "Difference"], lines)


PEERS = """\
## Peers on the same signals

A weighting by scipy the usual way (analogue poles, bilinear transform, the same rate); deviations from Table 3 in dB:
"""

NOISE = """\
White noise that wanders by 40 dB, with a loud pulse in it, 20 s; levels in dB re 1. *Annex E by FFT* weights bin by bin
with the formulas of the standard: its difference is what the design of A or C does near half the rate. Bands by scipy:
Butterworth band-passes of eighth order at the full rate over the second 10 s, with their corners at the edges: such a
third octave is 0.11 dB wider than an ideal one, an octave 0.08 dB (5.12), so they read that much more of noise.
"""

PHONOMETRY = """\
phonometry needs Python 3.13: it was asked there, and `conformance/phonometry.csv` has its answers
(`python -m conformance.by_phonometry` asks anew). It resamples for its weightings, which takes the top of the band:
Annex E, above, lies nearer to ours. Its bands come of a low-pass of sixth order with corners at the edges: 0.05 dB
wider than ideal ones. Percentiles are of the Fast level at every sample after 0.6 s, as it takes them, for both. LZeq
differs by what the pulse has below some hertz.

python-acoustics 0.2.6 is absent: it does not import beside a current scipy
(`scipy.special.sph_harm` is gone).
"""


def page(measured: Measured, tables: str = "") -> str:
    """Write the report.

    Parameters
    ----------
    measured : Measured
        Everything.
    tables : str, default=""
        Of all rows. Without them it is the short page that is committed.

    Returns
    -------
    str
        Markdown; the same on every machine.
    """
    n_outside = sum(not row.passes for row in measured.rows)
    verdict = VERDICT if measured.passes else "**There are rows outside their limits, so no statement is made.**"
    parts = [
        HEAD.format(verdict=f"{len(measured.rows)} rows, {n_outside} outside their limits.\n\n{verdict}"),
        MARGINS,
        _margins(measured.rows),
        "Largest deviation from Table 3 in dB; at 1 kHz, where its limits are narrowest, all of them are 0:\n",
        _deviations(measured.rows),
        METHODS,
        BEYOND,
        _beyond(measured.beyond),
        PEERS,
        _peer_weightings(measured),
        NOISE,
        _differences(measured.differences),
        PHONOMETRY,
        *([tables] if tables else []),
        LACKS,
        SOURCES,
        "".join(f"- {letter}: {words}\n" for letter, words in limits.SOURCES.items()),
    ]
    return "\n".join(parts)


def as_csv(rows: Iterable[Row]) -> str:
    """Write every row.

    Parameters
    ----------
    rows : iterable of Row
        All.

    Returns
    -------
    str
        CSV with a head.
    """
    page = io.StringIO()
    writer = csv.writer(page, lineterminator="\n")
    head = "requirement,what,sample_rate_hz,where,measured,expected,deviation,lower,upper,margin,pass,sources"
    writer.writerow(head.split(","))
    for row in rows:
        values = (row.measured, row.expected, row.deviation, row.below, row.above, row.margin)
        cells = [f"{value:.4f}" for value in values]
        cells += ["yes" if row.passes else "no", row.clause.sources or "ours"]
        writer.writerow([row.clause.name, row.what, row.sample_rate, row.where, *cells])
    return page.getvalue()
