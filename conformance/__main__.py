"""`python -m conformance FOLDER [--short FILE]`: the report; the exit code is 1 if a row lies outside its limits."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from conformance.measured import everything
from conformance.plots import draw_all
from conformance.report import as_csv, page
from conformance.tables import all_tables


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and write.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        Of the command line.

    Returns
    -------
    int
        1 if a row lies outside its limits.
    """
    parser = argparse.ArgumentParser(prog="conformance", description="Levels against IEC 61672-1 and IEC 61260-1.")
    parser.add_argument("folder", type=Path, help="where report.md, levels.csv and the pictures go")
    parser.add_argument("--short", type=Path, metavar="FILE", help="also write the page that is committed")
    options = parser.parse_args(arguments)
    measured = everything()
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "report.md").write_text(page(measured, all_tables(measured.rows)), "utf-8")
    (options.folder / "levels.csv").write_text(as_csv(measured.rows), "utf-8")
    draw_all(measured, options.folder)
    if options.short:
        options.short.write_text(page(measured), "utf-8")
    outside = [row for row in measured.rows if not row.passes]
    for row in outside:
        place = f"{row.clause.name}, {row.what}, {row.sample_rate} Hz, {row.where}"
        print(f"outside: {place}: {row.measured:.2f}, {-row.margin:.2f} beyond its limit", file=sys.stderr)
    print(f"{len(measured.rows)} rows, {len(outside)} outside their limits: {options.folder / 'report.md'}")
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
