from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from tests.chain import lines_in, street
from tests.sounds import broken_files, eventful, noise, write_wav

from sourdine.config import RunSettings
from sourdine.errors import ConfigError
from sourdine.local.run import Watch, run


class NotingWatch(Watch):
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.heard_s = 0.0
        self.n_done = 0

    def start(self, n_inputs: int, n_done: int) -> None:
        """Note it."""
        self.begun.append((n_inputs, n_done))

    def done(self) -> None:
        """Count it."""
        self.n_done += 1

    def heard(self, seconds: float) -> None:
        """Add it."""
        self.heard_s += seconds


def settings(*paths: Path, out: Path) -> RunSettings:
    """Make the settings of a run."""
    return RunSettings(paths=paths, out=out, policy=street())


def test_summary_adds_up(tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", eventful(20.0))
    write_wav(tmp_path / "in" / "b.wav", noise(3.25))
    (tmp_path / "in" / "c.wav").write_bytes(b"")
    watch = NotingWatch()
    summary = run(settings(tmp_path / "in", out=tmp_path / "out"), watch)
    ledger = summary.ledger
    assert (ledger.n_inputs, ledger.n_heard, ledger.n_refused) == (3, 2, 1)
    assert ledger.n_samples == 23.25 * 16_000
    assert ledger.bits_in == 16 * ledger.n_samples
    assert summary.heard_s == pytest.approx(23.25)
    assert watch.heard_s == pytest.approx(23.25)
    assert (watch.begun, watch.n_done) == ([(3, 0)], 3)
    counts = {name: len(lines) for name, lines in lines_in(tmp_path / "out").items()}
    assert counts == {
        "events.jsonl": ledger.n_events,
        "levels.jsonl": ledger.n_levels,
        "health.jsonl": ledger.n_health,
    }
    assert 0.0 < summary.longest_life_s <= 2.0


def test_input_refused_on_the_way_keeps_what_it_released(tmp_path: Path) -> None:
    minute = noise(130.0)
    write_wav(tmp_path / "in" / "cut.wav", minute)
    whole = (tmp_path / "in" / "cut.wav").read_bytes()
    (tmp_path / "in" / "cut.wav").write_bytes(whole[:-1001])
    summary = run(settings(tmp_path / "in", out=tmp_path / "out"), Watch())
    refusal = summary.outcomes[0].refusal
    assert refusal is not None
    assert refusal.reason in {"truncated_data", "partial_sample"}
    assert summary.ledger.n_heard == 0


def test_background_is_learnt_from_a_recording(tmp_path: Path) -> None:
    usual = write_wav(tmp_path / "usual.wav", noise(40.0, seed=2))
    write_wav(tmp_path / "in" / "a.wav", noise(20.0))
    summary = run(replace(settings(tmp_path / "in", out=tmp_path / "out"), background=usual), Watch())
    assert summary.ledger.n_heard == 1


@pytest.mark.parametrize("name", ["empty.wav", "text.wav", "nan.wav", "gone.wav", "slow.wav"])
def test_background_that_cannot_be_heard_stops_the_start(name: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", noise(1.0))
    if name in broken_files():
        (tmp_path / name).write_bytes(broken_files()[name][0])
    if name == "slow.wav":
        write_wav(tmp_path / name, noise(2.0, sample_rate=8_000), sample_rate=8_000)
    with pytest.raises(ConfigError, match="--background"):
        run(replace(settings(tmp_path / "in", out=tmp_path / "out"), background=tmp_path / name), Watch())
    assert not (tmp_path / "out").exists()


class InterruptingWatch(Watch):
    """Presses Ctrl-C while the first recording is under way and some behind it are done."""

    SHORT_S = 0.25

    def __init__(self) -> None:
        self._n_short = 0
        self._are_done = threading.Event()
        self.is_pressed = False

    def heard(self, seconds: float) -> None:
        """Hold the long recording up until four short ones were heard, so that three are done."""
        if seconds == self.SHORT_S:
            self._n_short += 1
            if self._n_short == 4:
                self._are_done.set()
        elif not self.is_pressed:
            assert self._are_done.wait(60.0)
            self.is_pressed = True
            os.kill(os.getpid(), signal.SIGINT)


def test_what_is_done_behind_an_interrupted_recording_waits_for_it(tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "0-long.wav", eventful(60.0))
    for number in range(1, 7):
        write_wav(tmp_path / "in" / f"{number}.wav", noise(InterruptingWatch.SHORT_S))
    whole = replace(settings(tmp_path / "in", out=tmp_path / "whole"), jobs=2)
    run(whole, Watch())
    watch = InterruptingWatch()
    cut = replace(whole, out=tmp_path / "cut")
    summary = run(cut, watch)
    assert watch.is_pressed
    assert summary.interrupted
    assert summary.ledger.n_not_reached > 0
    run(replace(cut, resume=True), Watch())
    assert lines_in(tmp_path / "cut") == lines_in(tmp_path / "whole")
