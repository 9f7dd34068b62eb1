from __future__ import annotations

from pathlib import Path

import pytest
from tests.chain import street
from tests.sounds import noise, write_wav

from sourdine.config import RunSettings
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


def test_policy_is_shown_in_words_and_bits() -> None:
    text = policy_text(street())
    assert "Policy street" in text
    assert f"{street().capacity.bits_per_hour:,.1f}" in text
    assert "times as much" in " ".join(text.split())
