from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.chain import street
from tests.sounds import eventful, noise, write_wav

from sourdine.config import RunSettings
from sourdine.local import view
from sourdine.local.run import Watch, run
from sourdine.local.view import policy_text, summary_text


@pytest.fixture
def text(tmp_path: Path) -> str:
    """Show a run over two files, one of them slow and one with a hostile name."""
    write_wav(tmp_path / "in" / "a\x1b[31m[red].wav", noise(61.0))
    write_wav(tmp_path / "in" / "b.wav", noise(1.0, sample_rate=8_000), sample_rate=8_000)
    settings = RunSettings(paths=(tmp_path / "in",), out=tmp_path / "out", policy=street())
    return summary_text(run(settings, Watch()))


def test_all_that_must_be_said_is_said(text: str) -> None:
    for words in (
        "2 recordings, 00:01:02 of sound",
        "Below 16 kHz there are levels but no events",
        "LAeq",
        "dBFS",
        f"{street().capacity.bit_per_s:.3f} bit/s",
        "bits in",
        "bits out",
        "the recording itself exists anyway",
        "Placement local",
        "Not guaranteed",
        "events.jsonl,",
        "health.jsonl",
    ):
        assert words in text


def test_no_events_is_said_too(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "x.wav", noise(1.0, sample_rate=8_000), sample_rate=8_000)
    assert "\nNo events.\n" in summary_text(run(RunSettings((file,), tmp_path / "out", street()), Watch()))


def test_a_pipe_gets_plain_text(text: str) -> None:
    assert "\x1b" not in text
    assert "a?[31m[red].wav" in text
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_and_only_names_give_way(width: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "the long name of a recorder with spaces in it 20260504_210000.wav"
    file = write_wav(tmp_path / name, np.concatenate([eventful(50.0), noise(70.0, level=0.01)]))
    settings = RunSettings((file,), tmp_path / "out", street(), start_slot=1_777_928_100)
    monkeypatch.setattr(view, "_WIDTH_IN_PIPES", width)
    lines = summary_text(run(settings, Watch())).splitlines()
    assert max(map(len, lines)) <= width
    heads = [line.split() for line in lines if line.lstrip().startswith(("time (UTC)", "sensor "))]
    assert heads == [
        ["time", "(UTC)", "sensor", "file", "class", "level", "confidence"],
        ["sensor", "file", "metric", "lowest", "highest", "values", "missing"],
    ]
    rows = [line for line in lines if "LAeq, 60 s" in line]
    assert len(rows) == 1
    assert rows[0].count(" dBFS") == 2


def test_what_an_earlier_part_of_a_run_released_is_told_as_such(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    write_wav(folder / "a.wav", eventful(50.0))
    settings = RunSettings((folder,), tmp_path / "out", street())
    n_events = run(settings, Watch()).ledger.n_events
    assert n_events > 0
    write_wav(folder / "b.wav", noise(2.0))
    text = summary_text(run(replace(settings, resume=True), Watch()))
    assert f"No events in what was heard now; {n_events} earlier ones stand in events.jsonl." in text
    write_wav(folder / "c.wav", eventful(50.0))
    text = " ".join(summary_text(run(replace(settings, resume=True), Watch())).split())
    assert f"and {n_events} earlier or more in events.jsonl" in text


def test_policy_is_shown_in_words_and_bits() -> None:
    text = policy_text(street())
    assert "Policy street" in text
    assert f"{street().capacity.bits_per_hour:,.1f}" in text
    assert "times as much" in " ".join(text.split())
