"""A mistyped command costs nothing of what was there before, and no output waits for ever."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.chain import SOURDINE, call, one_line
from tests.sounds import RATE, noise, write_wav

HANG_S = 30.0


def contents(folder: Path) -> dict[str, bytes]:
    """Read everything in a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


MISTYPED = {
    "one path": (["in/sud"], "no such file or folder: in/sud"),
    "one of several": (["in", "gone.wav"], "no such file or folder: gone.wav"),
    "a span backwards": (
        ["in", "--since", "10", "--until", "5"],
        "--since, --until: expected a span that ends after it begins, got second 10 to second 5",
    ),
    "an empty span": (["in", "--since", "0:10", "--until", "10"], "--since, --until: expected a span that ends after"),
    "an own file": (["out/events.jsonl"], "out/events.jsonl would be replaced by the run: choose another --out"),
    "a link that leads nowhere": (["loose.wav"], "no such file or folder: loose.wav"),
}


@pytest.mark.parametrize(("arguments", "words"), MISTYPED.values(), ids=MISTYPED.keys())
def test_what_was_mistyped_replaces_nothing(arguments: list[str], words: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", noise(61.0))
    (tmp_path / "loose.wav").symlink_to("gone.wav")
    assert call("run", "in", "--out", "out", cwd=tmp_path).returncode == 0
    before = contents(tmp_path / "out")
    done = call("run", *arguments, "--out", "out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in one_line(done)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("name", ["events.jsonl", "journal.jsonl", "report.md", "picture.png"])
def test_a_file_that_no_run_has_written_is_not_replaced(name: str, tmp_path: Path) -> None:
    sound = write_wav(tmp_path / name, noise(2.0)).read_bytes()
    write_wav(tmp_path / "a.wav", noise(2.0))
    for _ in range(2):
        done = call("run", ".", "--out", ".", cwd=tmp_path)
        assert done.returncode == 2
        assert f"holds a file {name} that no run has written: choose another --out" in one_line(done)
        assert (tmp_path / name).read_bytes() == sound


def test_listening_goes_on_in_no_file_that_it_has_not_begun(tmp_path: Path) -> None:
    (tmp_path / "health.jsonl").write_text("mine", "utf-8")
    done = call("listen", "-", "--rate", "16000", "--out", ".", cwd=tmp_path)
    assert (done.returncode, (tmp_path / "health.jsonl").read_text("utf-8")) == (2, "mine")


def test_out_that_is_a_file_is_named_as_one(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(1.0))
    for command in (("run", "x.wav"), ("demo",), ("picture", "x.wav")):
        done = call(*command, "--out", "x.wav", cwd=tmp_path)
        assert (done.returncode, "x.wav: it is a file, not a folder" in one_line(done)) == (4, True)


@pytest.mark.parametrize("name", ["events.jsonl", "listen.state", ".sourdine.lock", "zone.key"])
def test_a_pipe_in_the_place_of_an_output_holds_nobody_up(name: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "out" / name)
    command = [*SOURDINE, "listen", "-", "--rate", "16000", "--out", "out", "--quiet"]
    done = subprocess.run(
        command, cwd=tmp_path, input=bytes(2 * RATE), capture_output=True, timeout=HANG_S, check=False, text=False
    )
    assert done.returncode == 2
    assert name in done.stderr.decode()


@pytest.mark.parametrize("name", ["events.jsonl", "report.md", "journal.jsonl", ".sourdine.lock"])
@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_a_run_is_held_up_by_no_pipe(name: str, more: list[str], tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(2.0))
    assert call("run", "x.wav", "--out", "out", cwd=tmp_path).returncode == 0
    (tmp_path / "out" / name).unlink()
    os.mkfifo(tmp_path / "out" / name)
    command = [*SOURDINE, "run", "x.wav", "--out", "out", *more]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=HANG_S, check=False)
    assert done.returncode == (0 if name == "report.md" else 2 if more or name == ".sourdine.lock" else 4)


def test_a_pipe_is_no_calibration(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(2.0))
    os.mkfifo(tmp_path / "sensor-1.toml")
    command = [*SOURDINE, "run", "x.wav", "--calibration", "sensor-1.toml"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=HANG_S, check=False).returncode == 2
