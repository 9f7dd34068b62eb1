"""The examples run as a newcomer runs them: each alone, in an empty folder, without arguments and with a recording."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.sounds import RATE, write_wav

from sourdine.local.scene import street_scene

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def run(name: str, *arguments: str, cwd: Path) -> str:
    """Run an example and give what it prints."""
    command = [sys.executable, "-P", str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_levels_of_a_street(tmp_path: Path) -> None:
    said = run("street_levels.py", cwd=tmp_path)
    loudest = int(said.split("loudest second: ")[1].split()[0])
    assert 25 <= loudest <= 35
    assert "1000 Hz" in said
    write_wav(tmp_path / "own.wav", street_scene()[: 20 * RATE])
    assert run("street_levels.py", "own.wav", cwd=tmp_path).startswith("20 s; ")


def test_novelty(tmp_path: Path) -> None:
    moments = [line.split()[0] for line in run("novelty.py", cwd=tmp_path).splitlines()]
    assert [moment.split(".")[0] for moment in moments] in (
        ["2:00", "5:30", "8:15"],
        ["1:59", "5:29", "8:14"],
    )  # the frame before sees it
    write_wav(tmp_path / "own.wav", street_scene())
    assert run("novelty.py", "own.wav", cwd=tmp_path)


@pytest.mark.filterwarnings("ignore")
def test_events_of_an_archive(tmp_path: Path) -> None:
    said = run("archive_events.py", cwd=tmp_path)
    for words in ("2026-05-04 21:00", "2026-05-04 22:00", "glass_break", "siren", "laeq"):
        assert words in said
    write_wav(tmp_path / "own" / "20260504_120000.wav", street_scene())
    assert "2026-05-04 12:00" in run("archive_events.py", "own", cwd=tmp_path)
    write_wav(tmp_path / "untimed" / "a.wav", street_scene()[:RATE])
    assert "1 without a time in name or header" in run("archive_events.py", "untimed", cwd=tmp_path)


def test_there_are_three() -> None:
    assert {path.name for path in EXAMPLES.iterdir()} == {"street_levels.py", "novelty.py", "archive_events.py"}
