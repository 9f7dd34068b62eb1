"""Tables of all rows, as an acoustician reads them."""

from __future__ import annotations

from collections.abc import Sequence

from conformance import limits
from conformance.limits import BandClauses, Clause
from conformance.report import RATES, allowed, markdown_table, number
from conformance.rows import Row

BANDS = (limits.THIRD_OCTAVES, limits.OCTAVES)
#: Told under headings of their own, band by band, or too many (5.5.7): the CSV has them.
TOLD_APART = {
    limits.TABLE_3,
    limits.BETWEEN,
    limits.TABLE_4,
    *(
        clause
        for of_bands in BANDS
        for clause in (of_bands.inside, of_bands.outside, of_bands.bandwidth, of_bands.sweep, of_bands.summation)
    ),
}


def _table_3(rows: Sequence[Row], sample_rate: int) -> str:
    found = {
        (row.what, row.where): row for row in rows if row.clause == limits.TABLE_3 and row.sample_rate == sample_rate
    }
    lines = []
    for where in dict.fromkeys(where for _, where in found):
        cells = [where, allowed(found["A", where])]
        for kind in "AC":
            row = found[kind, where]
            values = (row.measured, row.deviation, row.margin)
            cells += [number(row.expected, 1), *(number(value) for value in values)]
        lines.append([*cells, number(found["Z", where].measured)])
    head = [
        "Frequency",
        "Limits",
        *(f"{kind} {what}" for kind in "AC" for what in ("goal", "measured", "off", "margin")),
    ]
    head.append("Z")
    return markdown_table(head, lines)


def _table_4(rows: Sequence[Row], what: str) -> str:
    found = {(row.where, row.sample_rate): row for row in rows if row.clause == limits.TABLE_4 and row.what == what}
    lines = []
    for where in dict.fromkeys(where for where, _ in found):
        of_rates = [found[where, rate] for rate in RATES]
        least = min(row.margin for row in of_rates)
        first = of_rates[0]
        measured = [number(row.measured) for row in of_rates]
        lines.append([where, number(first.expected, 1), allowed(first), *measured, number(least)])
    return markdown_table(["Burst", "Reference", "Limits", *_rates(), "Smallest margin"], lines)


def _bands(rows: Sequence[Row], clauses: BandClauses, sample_rate: int) -> str:
    """Say of each band its margins to the mask, its bandwidth and what it read in the sweep."""
    of_rate = [row for row in rows if row.sample_rate == sample_rate]
    mask = [row for row in of_rate if row.clause in (clauses.inside, clauses.outside)]
    lines = []
    for band in [row.where for row in of_rate if row.clause == clauses.bandwidth]:
        cells = [band.removeprefix("band ")]
        for side in ("inside", "below", "above"):
            margins = [row.margin for row in mask if row.what == side and row.where.startswith(f"{band} at ")]
            cells.append(number(margins[0]) if margins else "")
        for clause in (clauses.bandwidth, clauses.sweep, clauses.summation):
            off = [row.deviation for row in of_rate if row.clause == clause and row.where == band]
            cells.append(number(off[0], sign=True) if off else "")
        lines.append(cells)
    head = ["Band", "Margin inside", "Margin below", "Margin above", "Bandwidth off", "Sweep off", "Sum off"]
    return markdown_table(head, lines)


def _clause(rows: Sequence[Row], clause: Clause) -> str:
    found = {(row.what, row.where, row.sample_rate): row for row in rows if row.clause == clause}
    lines = []
    for what, where in dict.fromkeys((what, where) for what, where, _ in found):
        of_rates = [found.get((what, where, rate)) for rate in RATES]
        there = [row for row in of_rates if row is not None]
        measured = [number(row.measured) if row is not None else "" for row in of_rates]
        least = number(min(row.margin for row in there))
        lines.append([what, where, number(there[0].expected), allowed(there[0]), *measured, least])
    return markdown_table(["What", "Where", "Goal", "Limits", *_rates(), "Smallest margin"], lines)


def _rates() -> list[str]:
    return [f"{rate / 1_000:g} kHz" for rate in RATES]


def all_tables(rows: Sequence[Row]) -> str:
    """Write all rows but those between the nominal frequencies and those of C and Z in Table 4.

    Parameters
    ----------
    rows : sequence of Row
        All.

    Returns
    -------
    str
        Markdown.
    """
    parts = ["## All measurements\n", "In dB; decays in dB/s. `levels.csv` has every row.\n"]
    for rate in RATES:
        parts += [f"### Table 3 at {rate / 1_000:g} kHz\n", _table_3(rows, rate)]
    parts.append("![Weightings](weightings.png)\n")
    for what in ("LAFmax", "LASmax", "LAE"):
        parts += [f"### Table 4, {what} − LA\n", _table_4(rows, what)]
    parts.append("![Tonebursts](tonebursts.png)\n")
    for clause in dict.fromkeys(row.clause for row in rows):
        if clause not in TOLD_APART:
            parts += [f"### {clause.name}: {clause.words}\n", _clause(rows, clause)]
    for of_bands in BANDS:
        for rate in RATES:
            head = f"### IEC 61260-1, {of_bands.words} at {rate / 1_000:g} kHz\n"
            parts += [head, _bands(rows, of_bands, rate)]
        name = of_bands.words.replace(" ", "_")
        parts.append(f"![{of_bands.words.capitalize()}]({name}.png)\n")
    parts.append("![A by scipy](peers.png)\n")
    return "\n".join(parts)
