"""What phonometry reads from the same signals. It needs a newer Python than ours, so its answers are kept in a file.

`python -m conformance.by_phonometry`, where it is installed, asks it anew and writes the file.
"""

from __future__ import annotations

import csv
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from conformance.signals import spoken, street

FILE = Path(__file__).with_name("phonometry.csv")
PASCAL_DB = float(-20 * np.log10(20e-6))
RATES = (16_000, 48_000)
#: Of the day whose Lden is asked for, in dB: day, evening, night.
DAY_DB = (65.0, 60.0, 50.0)


class Answer(NamedTuple):
    """One level.

    Parameters
    ----------
    version : str
        Of phonometry.
    what : str
        Quantity.
    sample_rate : int
        In Hz.
    where : str
        Condition.
    level_db : float
        Re 1.
    """

    version: str
    what: str
    sample_rate: int
    where: str
    level_db: float


def is_installed() -> bool:
    """Tell whether phonometry can be asked.

    Returns
    -------
    bool
        Whether it can.
    """
    return importlib.util.find_spec("phonometry") is not None


def kept() -> list[Answer]:
    """Read what it answered when it was last asked.

    Returns
    -------
    list of Answer
        At both rates.
    """
    with FILE.open(encoding="utf-8", newline="") as file:
        return [
            Answer(row["version"], row["what"], int(row["sample_rate"]), row["where"], float(row["level_db"]))
            for row in csv.DictReader(file)
        ]


def ask(sample_rate: int) -> Iterator[Answer]:
    """Ask it about noise of a street: weighted levels, percentiles, peak, bands; and about Lden.

    Parameters
    ----------
    sample_rate : int
        In Hz.

    Yields
    ------
    Answer
        Of each.
    """
    phonometry: Any = importlib.import_module("phonometry")
    y = street(sample_rate).astype(np.float64)
    weighted = {kind: phonometry.weighting_filter(y, sample_rate, kind) for kind in "ACZ"}
    running = {mode: phonometry.time_weighting(weighted["A"], sample_rate, mode=mode) for mode in ("fast", "slow")}
    percentiles = phonometry.ln_levels(y, sample_rate, n=(10, 50, 90), weighting="A")
    levels_db = {
        **{f"L{kind}eq": phonometry.leq(weighted[kind]) for kind in "ACZ"},
        "LAE": phonometry.sel(y, sample_rate, weighting="A"),
        "LAFmax": 10 * np.log10(running["fast"].max()) + PASCAL_DB,
        "LASmax": 10 * np.log10(running["slow"].max()) + PASCAL_DB,
        "LCpeak": phonometry.lc_peak(y, sample_rate),
        **{f"LA{n}": percentiles[n] for n in (10, 50, 90)},
    }
    for what, level_db in levels_db.items():
        yield Answer(phonometry.__version__, what, sample_rate, "noise", float(level_db) - PASCAL_DB)
    for what, fraction, edges in (("third octave", 3, [90, 5_300]), ("octave", 1, [100, 5_300])):
        bands_db, midbands_hz = phonometry.octave_filter(y, sample_rate, fraction=fraction, limits=edges, detrend=False)
        for midband_hz, level_db in zip(midbands_hz, bands_db, strict=True):
            yield Answer(phonometry.__version__, what, sample_rate, spoken(midband_hz), float(level_db) - PASCAL_DB)
    where = "65, 60 and 50 dB"
    yield Answer(phonometry.__version__, "Lden", sample_rate, where, float(phonometry.lden(*DAY_DB)))


def main() -> None:
    """Write the file."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Answer._fields)
        for rate in RATES:
            writer.writerows((*answer[:-1], f"{answer.level_db:.4f}") for answer in ask(rate))


if __name__ == "__main__":
    main()
