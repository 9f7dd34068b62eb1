"""Going on with an archive: what could not be heard then, what is gone or new since, and never over links."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.chain import call, lines_in, one_line
from tests.sounds import noise, write_wav

from sourdine.files import lock_folder

WRITTEN = ("journal.jsonl", "report.json", "report.md", "events.jsonl", "levels.jsonl", "health.jsonl")


def inputs_of(folder: Path) -> list[dict[str, Any]]:
    """Read the inputs out of the report for machines."""
    found: list[dict[str, Any]] = json.loads((folder / "report.json").read_bytes())["inputs"]
    return found


def test_what_could_not_be_heard_is_tried_again_under_its_number(tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", noise(2.0))
    (tmp_path / "in" / "b.wav").write_bytes(b"")
    write_wav(tmp_path / "in" / "c.wav", noise(61.0))
    out = tmp_path / "out"
    assert call("run", "in", "--out", "out", cwd=tmp_path).returncode == 1
    assert call("run", "in", "--out", "out", "--resume", cwd=tmp_path).returncode == 1
    assert [entry["fate"] for entry in inputs_of(out)] == ["heard", "refused", "heard"]
    write_wav(tmp_path / "in" / "b.wav", noise(2.0))
    before = lines_in(out)
    for _ in range(2):
        assert call("run", "in", "--out", "out", "--resume", cwd=tmp_path).returncode == 0
        assert [(entry["sensor_id"], entry["fate"]) for entry in inputs_of(out)] == [(n, "heard") for n in (1, 2, 3)]
        for name, lines in lines_in(out).items():
            assert lines[: len(before[name])] == before[name]
            assert all('"/sensors/2"' in line for line in lines[len(before[name]) :])
    assert len(lines_in(out)["health.jsonl"]) == len(before["health.jsonl"]) + 1


def test_recordings_that_are_gone_since_stay_in_the_results(tmp_path: Path) -> None:
    for name in "ab":
        write_wav(tmp_path / "in" / f"{name}.wav", noise(2.0))
    (tmp_path / "in" / "broken.wav").write_bytes(b"")
    assert call("run", "in", "--out", "out", cwd=tmp_path).returncode == 1
    (tmp_path / "in" / "a.wav").unlink()
    (tmp_path / "in" / "broken.wav").unlink()
    write_wav(tmp_path / "in" / "c.wav", noise(2.0))
    assert call("run", "in", "--out", "out", "--resume", cwd=tmp_path).returncode == 1
    assert [entry["sensor_id"] for entry in inputs_of(tmp_path / "out")] == [1, 2, 3, 4]
    assert len(lines_in(tmp_path / "out")["health.jsonl"]) == 3


@pytest.mark.parametrize("name", WRITTEN)
def test_what_a_link_of_an_own_name_leads_to_is_never_written_over(name: str, tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "x.wav", noise(2.0)).read_bytes()
    for link in (Path.symlink_to, Path.hardlink_to):
        out = tmp_path / link.__name__
        out.mkdir()
        link(out / name, tmp_path / "x.wav")
        assert call("run", "x.wav", "--out", out, cwd=tmp_path).returncode == 0
        assert (tmp_path / "x.wav").read_bytes() == sound
        assert (out / name).read_bytes() != sound


@pytest.mark.parametrize("name", [name for name in WRITTEN if not name.startswith("report")])
def test_a_run_goes_on_in_no_file_that_has_another_name(name: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(2.0))
    assert call("run", "x.wav", "--out", "out", cwd=tmp_path).returncode == 0
    file = tmp_path / "out" / name
    content = file.read_bytes()
    (tmp_path / "backup").hardlink_to(file)
    for _ in ("a second name", "a link"):
        refused = call("run", "x.wav", "--out", "out", "--resume", cwd=tmp_path)
        assert (refused.returncode, "is a link: give its folder a copy of its own" in one_line(refused)) == (2, True)
        assert (tmp_path / "backup").read_bytes() == content
        file.unlink()
        file.symlink_to(tmp_path / "backup")


def test_a_report_that_cannot_be_written_is_said_and_the_records_stay(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(2.0))
    (tmp_path / "out" / "report.json").mkdir(parents=True)
    done = call("run", "x.wav", "--out", "out", cwd=tmp_path)
    assert (done.returncode, "report.json: Is a directory" in one_line(done)) == (4, True)
    assert len(lines_in(tmp_path / "out")["health.jsonl"]) == 1


def test_one_process_at_a_time_writes_into_a_folder(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(2.0))
    os.mkfifo(tmp_path / "pipe")
    with lock_folder(tmp_path / "out", ()):
        for command in (("run", "x.wav"), ("listen", "pipe", "--rate", "16000", "--quiet")):
            refused = call(*command, "--out", "out", cwd=tmp_path)
            assert (refused.returncode, "another sourdine writes into out" in one_line(refused)) == (2, True)
    assert call("run", "x.wav", "--out", "out", cwd=tmp_path).returncode == 0


def test_a_name_that_is_no_text_is_known_again(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/in"
    write_wav(tmp_path / "x.wav", noise(2.0))
    os.mkdir(folder)
    os.rename(tmp_path / "x.wav", folder + b"/caf\xe9|`a`.wav")
    for more in ((), ("--resume",)):
        assert call("run", "in", "--out", "out", *more, cwd=tmp_path).returncode == 0
    assert len(lines_in(tmp_path / "out")["health.jsonl"]) == 1
