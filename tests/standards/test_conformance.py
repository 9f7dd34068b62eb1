"""The report of the levels: every row within its limits, the committed page up to date, and a wrong meter found out."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dsp_core.arrays
import numpy as np
import pytest
from conformance import __main__, bands, by_phonometry, limits, meter, weightings
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
        "octaves.png",
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
    fields = {*dsp_core.arrays.LevelSummary._fields, *dsp_core.arrays.SecondLevels._fields}
    assert {name for name in fields if re.search("^lai|peak", name)} == {"lcpeak_db"}
    assert [name for name in dsp_core.arrays.__all__ if re.search("overload|facade|underrange", name)] == []


def test_lden_is_nan_where_the_page_says_that_there_is_none() -> None:
    start = datetime(2026, 5, 4, 7, tzinfo=ZoneInfo("Europe/Paris"))
    assert np.isnan(dsp_core.arrays.day_levels(np.full(23, 60.0), start=start, period_s=3_600).lden_db).all()


def test_phonometry_answers_what_was_kept() -> None:
    kept = {answer[:-1]: answer.level_db for answer in by_phonometry.kept()}
    assert {rate for _, _, rate, _ in kept} == set(by_phonometry.RATES)
    if not by_phonometry.is_installed():
        pytest.skip("phonometry is not installed: it needs Python 3.13")
    for rate in by_phonometry.RATES:
        for answer in by_phonometry.ask(rate):
            assert kept[answer[:-1]] == pytest.approx(answer.level_db, abs=0.005)


def test_peers_differ_by_what_the_page_explains(measured: Measured) -> None:
    """Nothing but what the page gives a reason for: weightings of phonometry, and the width of bands in noise."""
    assert {one.peer.split()[0] for one in measured.differences} == {"Annex", "scipy", "phonometry"}
    for one in measured.differences:
        is_resampled = one.peer.startswith("phonometry") and one.what.startswith("LA")
        most = 0.4 if is_resampled else 0.25
        assert abs(one.ours - one.theirs) < most, one


def test_each_rate_says_how_far_up_it_is_class_1() -> None:
    assert {rate: dsp_core.arrays.weighting_top_hz(sample_rate=rate) for rate in limits.TOP_HZ} == limits.TOP_HZ
    assert meter.heard(np.ones(8_000, np.float32), 16_000).top_hz == 6_300


@pytest.mark.parametrize("sample_rate", [8_000, 8_373, 11_025, 22_050, 24_000, 37_900, 42_006, 96_000, 192_000])
def test_rates_of_no_report_keep_what_they_say(sample_rate: int) -> None:
    top_hz = dsp_core.arrays.weighting_top_hz(sample_rate=sample_rate)
    places = [place for place in limits.WEIGHTINGS if 500 <= place[0] <= top_hz]
    assert limits.exact_hz(top_hz) <= 0.475 * sample_rate + 0.01 < 0.5 * sample_rate
    rows = [weightings.table_3(kind, place, sample_rate) for kind in "ACZ" for place in places]
    assert [row for row in rows if not row.passes] == []
    assert min(row.margin for row in rows) > 0.4


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


@pytest.mark.parametrize("which", [0, 1], ids=["third octaves", "octaves"])
def test_bands_that_are_too_wide_are_found(which: int, measured: Measured) -> None:
    rate, found = measured.attenuations[which]
    assert found.kind == (bands.THIRD_OCTAVES, bands.OCTAVES)[which]
    shallower = found._replace(db=found.db * (0.75, 0.5)[which])
    assert "IEC 61260-1:2014, Table 1, outside, below" in outside(bands.mask(shallower, rate))


def test_a_peak_that_is_a_sample_alone_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def largest_sample(y: Signal, sample_rate: int) -> LevelSummary:
        weighted = weightings.WEIGHTINGS["C"](y, sample_rate=sample_rate)
        return heard(y, sample_rate)._replace(lcpeak_db=20 * float(np.log10(np.abs(weighted).max())))

    heard = meter.heard
    monkeypatch.setattr(meter, "heard", largest_sample)
    assert outside(meter.peaks(32_000)) == {"IEC 61672-1:2013, Table 5, LCpeak"}


def test_bands_with_their_corners_at_the_edges_are_found(measured: Measured) -> None:
    """The sums of neighbours near half the rate, as they were: the widest of the three is made 0.11 dB wider."""
    rate, found = measured.attenuations[-2]
    assert (rate, found.kind) == (48_000, bands.THIRD_OCTAVES)
    wider = found._replace(db=found.db - 0.2)
    assert outside(bands.sums(wider, rate)) == {"IEC 61260-1:2014, 5.16, sum"}
    assert outside(bands.sums(found, rate)) == set()


def test_the_first_of_equal_margins_is_named() -> None:
    row = Row(limits.TABLE_3, "A", 48_000, "1 kHz", 0.0, 0.0, 0.7, -0.7)
    later = dataclasses.replace(row, where="2 kHz", measured=-0.001)
    assert smallest([row, later]) is row
    assert not dataclasses.replace(row, measured=np.nan).passes
