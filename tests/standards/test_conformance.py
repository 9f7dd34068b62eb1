"""The report of the levels: every row within its limits, the committed page up to date, and a wrong meter found out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dsp_core.arrays
import numpy as np
import pytest
from conformance import __main__, bands, limits, meter, weightings
from conformance.measured import Measured, everything
from conformance.report import as_csv, page
from conformance.rows import Row, smallest
from conformance.signals import Signal
from conformance.tables import all_tables
from dsp_core.arrays import LevelSummary


@pytest.fixture(scope="module")
def measured() -> Measured:
    return everything()


def test_every_row_lies_within_its_limits(measured: Measured) -> None:
    assert [row for row in measured.rows if not row.passes] == []
    assert {row.sample_rate for row in measured.rows} == {16_000, 32_000, 44_100, 48_000}
    counts = {kind: sum((row.clause, row.what) == (limits.TABLE_3, kind) for row in measured.rows) for kind in "ACZ"}
    assert counts == dict.fromkeys("ACZ", 29 + 32 + 34 + 34)


def test_the_committed_page_is_what_is_measured(measured: Measured) -> None:
    committed = (Path(__file__).resolve().parents[2] / "docs/conformance.md").read_text("utf-8")
    assert page(measured) == committed, "./run docs writes docs/conformance.md anew"
    assert "is a class 1" not in committed.replace("is a class 1 meter.", "", 1)


def test_a_row_outside_its_limits_ends_with_1(
    measured: Measured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "everything", lambda: measured)
    assert __main__.main([str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.md",
        "levels.csv",
        "weightings.png",
        "tonebursts.png",
        "third_octaves.png",
        "peers.png",
    }
    off = dataclasses.replace(measured.rows[0], measured=9.0)
    monkeypatch.setattr(__main__, "everything", lambda: dataclasses.replace(measured, rows=[off, *measured.rows[1:]]))
    monkeypatch.setattr(__main__, "draw_all", lambda *_: None)
    assert __main__.main([str(tmp_path)]) == 1
    assert "outside: IEC 61672-1:2013, Table 3, A, 16000 Hz, 10 Hz: 9.00" in capsys.readouterr().err
    assert "meets the response limits" not in (tmp_path / "report.md").read_text("utf-8")


def test_the_table_holds_every_row(measured: Measured) -> None:
    assert as_csv(measured.rows).count("\n") == len(measured.rows) + 1
    assert "nan" not in as_csv(measured.rows)
    assert "nan" not in page(measured, all_tables(measured.rows))


def test_what_the_page_calls_absent_is_absent() -> None:
    names = set(dsp_core.arrays.__all__) - {"third_octave_levels"}
    assert {name for name in names if re.search("octave|day|evening|night|lden|z_weight", name.lower())} == set()


def outside(rows: Iterable[Row]) -> set[str]:
    return {f"{row.clause.name}, {row.what}" for row in rows if not row.passes}


@pytest.mark.parametrize("kind", ["A", "C"])
def test_a_wrong_sample_rate_is_found(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right: Callable[..., Any] = weightings.WEIGHTINGS[kind]
    monkeypatch.setitem(weightings.WEIGHTINGS, kind, lambda y, sample_rate: right(y, sample_rate=sample_rate * 2 // 3))
    assert f"IEC 61672-1:2013, Table 3, {kind}" in outside(weightings.at_nominal_frequencies(48_000))


def test_wrong_time_constants_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "TIME_WEIGHTINGS", {"F": 0.16, "S": 1.25})
    assert outside(meter.decays(16_000)) == {"IEC 61672-1:2013, 5.8.2, F", "IEC 61672-1:2013, 5.8.2, S"}


def test_a_meter_that_forgets_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def heard_late(y: Signal, sample_rate: int) -> LevelSummary:
        return heard(y[sample_rate // 4 + 48 :], sample_rate)

    heard = meter.heard
    monkeypatch.setattr(meter, "heard", heard_late)
    assert "IEC 61672-1:2013, Table 4, LAE" in outside(meter.tonebursts(48_000))


def test_bands_that_are_too_wide_are_found(measured: Measured) -> None:
    found = measured.attenuations[16_000]
    shallower = found._replace(db=found.db * 6 / 8)
    assert "IEC 61260-1:2014, Table 1, outside, below" in outside(bands.mask(shallower, 16_000))


def test_the_first_of_equal_margins_is_named() -> None:
    row = Row(limits.TABLE_3, "A", 48_000, "1 kHz", 0.0, 0.0, 0.7, -0.7)
    later = dataclasses.replace(row, where="2 kHz", measured=-0.001)
    assert smallest([row, later]) is row
    assert not dataclasses.replace(row, measured=np.nan).passes
