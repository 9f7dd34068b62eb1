"""Archives: the output is the same for any number of jobs, and an interrupted run goes on where it was."""

from __future__ import annotations

import json
import os
import random
import signal
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.chain import FILES, SOURDINE, call, events_in, lines_in, one_line
from tests.sounds import RATE, eventful, noise, pcm16, wav_bytes, write_wav

from sourdine.local.scene import street_scene

JOURNAL = "journal.jsonl"


def archive(folder: Path, n: int = 12) -> Path:
    """Make recordings of different lengths, some with events, and one that cannot be heard."""
    scene = street_scene()
    for number in range(n):
        start = (7 * number % 60) * RATE
        write_wav(folder / "in" / f"{number:02d}.wav", scene[start : start + (3 + 5 * (number % 6)) * RATE])
    (folder / "in" / "05-broken.wav").write_bytes(b"RIFF")
    return folder


def results(folder: Path) -> dict[str, bytes]:
    """Read the record files."""
    return {name: (folder / name).read_bytes() for name in FILES}


def report(folder: Path) -> dict[str, Any]:
    """Read the report for machines."""
    document: dict[str, Any] = json.loads((folder / "report.json").read_bytes())
    return document


def test_any_number_of_jobs_gives_the_same_bytes(tmp_path: Path) -> None:
    archive(tmp_path)
    for jobs in ("1", "2", "5"):
        assert call("run", "in", "--jobs", jobs, "--out", jobs, cwd=tmp_path).returncode == 1
    assert results(tmp_path / "1") == results(tmp_path / "2") == results(tmp_path / "5")
    assert events_in(tmp_path / "1")
    journals = [(tmp_path / jobs / JOURNAL).read_bytes() for jobs in ("1", "2", "5")]
    assert journals[0] == journals[1] == journals[2]


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(seed: int, tmp_path: Path) -> None:
    archive(tmp_path, n=16)
    assert call("run", "in", "--out", "whole", cwd=tmp_path).returncode == 1
    command = [*SOURDINE, "run", "in", "--out", "cut", "--quiet"]
    chance = random.Random(seed)
    for turn in range(3):
        process = subprocess.Popen(
            [*command, *(["--resume"] if turn else [])], cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE
        )
        _wait_for_lines(tmp_path / "cut" / JOURNAL, 2 + turn * 4 + chance.randrange(4), process)
        time.sleep(chance.random() * 0.02)
        process.kill()
        process.communicate()
    done = call("run", "in", "--out", "cut", "--quiet", "--resume", cwd=tmp_path)
    assert done.returncode == 1
    assert results(tmp_path / "cut") == results(tmp_path / "whole")
    whole, cut = report(tmp_path / "whole"), report(tmp_path / "cut")
    for key in ("n_inputs", "n_heard", "n_refused", "n_not_reached", "n_events", "n_blocks", "bits_in", "bits_out"):
        assert cut[key] == whole[key], key
    assert cut["inputs"] == whole["inputs"]


def _wait_for_lines(file: Path, n_lines: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60.0
    while process.poll() is None and time.monotonic() < deadline:
        if file.exists() and file.read_bytes().count(b"\n") >= n_lines:
            return
        time.sleep(0.002)


def _is_begun_anew(file: Path) -> bool:
    """Tell whether a file is there and empty; while it is replaced it is gone."""
    try:
        return file.stat().st_size == 0
    except FileNotFoundError:
        return False


def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    archive(tmp_path, n=20)
    command = [*SOURDINE, "run", "in", "--out", "out", "--jobs", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    _wait_for_lines(tmp_path / "out" / JOURNAL, 3, process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"--resume goes on" in said
    half = report(tmp_path / "out")
    assert half["interrupted"] is True
    assert half["n_not_reached"] > 0
    assert sum(half[f"n_{fate}"] for fate in ("heard", "refused", "outside", "not_reached")) == half["n_inputs"]
    assert sum(line.count(b"\n") for line in results(tmp_path / "out").values()) == sum(
        half[f"n_{kind}"] for kind in ("events", "levels", "health")
    )
    assert call("run", "in", "--out", "out", "--resume", cwd=tmp_path).returncode == 1
    assert call("run", "in", "--out", "whole", cwd=tmp_path).returncode == 1
    assert results(tmp_path / "out") == results(tmp_path / "whole")


def test_what_does_not_fit_is_not_gone_on_with(tmp_path: Path) -> None:
    archive(tmp_path, n=4)
    none = call("run", "in", "--out", "none", "--resume", cwd=tmp_path)
    assert (none.returncode, "no earlier run" in one_line(none)) == (2, True)
    call("run", "in", "--out", "out", cwd=tmp_path)
    before = results(tmp_path / "out")
    for more in (["--policy", "noise"], ["--start", "2026-05-04T21:00:00Z"], ["--since", "1"]):
        other = call("run", "in", "--out", "out", "--resume", *more, cwd=tmp_path)
        assert other.returncode == 2
        assert "leave --resume out to begin anew" in one_line(other)
    write_wav(tmp_path / "in" / "01.wav", noise(2.0))
    changed = call("run", "in", "--out", "out", "--resume", cwd=tmp_path)
    assert (changed.returncode, "01.wav has changed" in one_line(changed)) == (2, True)
    journal = tmp_path / "out" / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(lines[0] + b"{}\n")
    damaged = call("run", "in", "--out", "out", "--resume", cwd=tmp_path)
    assert (damaged.returncode, "is damaged" in one_line(damaged)) == (2, True)
    assert results(tmp_path / "out") == before


def test_a_torn_line_and_records_that_were_not_noted_are_made_good(tmp_path: Path) -> None:
    archive(tmp_path, n=6)
    call("run", "in", "--out", "out", cwd=tmp_path)
    before = results(tmp_path / "out")
    journal = tmp_path / "out" / JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:4]) + lines[4][:20])
    with (tmp_path / "out" / "levels.jsonl").open("ab") as file:
        file.write(b'{"half')
    assert call("run", "in", "--out", "out", "--resume", cwd=tmp_path).returncode == 1
    assert results(tmp_path / "out") == before


def test_new_recordings_get_new_numbers(tmp_path: Path) -> None:
    archive(tmp_path, n=3)
    call("run", "in", "--out", "out", cwd=tmp_path)
    write_wav(tmp_path / "in" / "00-earlier.wav", noise(2.0))
    assert call("run", "in", "--out", "out", "--resume", cwd=tmp_path).returncode == 1
    numbers = {entry["name"]: entry["sensor_id"] for entry in report(tmp_path / "out")["inputs"]}
    assert numbers == {"in/00.wav": 1, "in/01.wav": 2, "in/02.wav": 3, "in/05-broken.wav": 4, "in/00-earlier.wav": 5}


def test_two_runs_into_one_folder_and_a_mistyped_path_harm_nothing(tmp_path: Path) -> None:
    archive(tmp_path, n=3)
    call("run", "in", "--out", "out", cwd=tmp_path)
    before = results(tmp_path / "out")
    (tmp_path / "void").mkdir()
    assert call("run", "void", "--out", "out", cwd=tmp_path).returncode == 2
    assert results(tmp_path / "out") == before
    command = [*SOURDINE, "run", "-", "--rate", "16000", "--out", "out"]
    first = subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert first.stdin is not None
    deadline = time.monotonic() + 60.0
    while not _is_begun_anew(tmp_path / "out" / "levels.jsonl") and time.monotonic() < deadline:
        time.sleep(0.01)
    second = call("run", "in", "--out", "out", cwd=tmp_path)
    assert (second.returncode, "another sourdine writes into" in one_line(second)) == (2, True)
    first.stdin.close()
    first.wait(60)
    assert first.stdout is not None
    assert first.stderr is not None
    first.stdout.close()
    first.stderr.close()


def test_a_span_is_heard_at_its_true_time(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", eventful(60.0))
    write_wav(tmp_path / "short.wav", noise(5.0))
    options = ("--since", "00:00:10", "--until", "0:40", "--start", "2026-05-04T21:00:00Z", "--out", "a", "--json")
    by_place = json.loads(call("run", "x.wav", "short.wav", *options, cwd=tmp_path).stdout)
    assert (by_place["n_heard"], by_place["n_outside"]) == (1, 1)
    assert next(e for e in by_place["inputs"] if e["fate"] == "heard")["n_samples"] == 30 * RATE
    clock = ("--since", "2026-05-04T21:00:10Z", "--until", "2026-05-04T21:00:40Z", "--start", "2026-05-04T21:00:00Z")
    call("run", "x.wav", "short.wav", *clock, "--out", "b", cwd=tmp_path)
    assert results(tmp_path / "a") == results(tmp_path / "b")
    times = [event["time"] for event in events_in(tmp_path / "a") if event["type"].endswith("event.v1")]
    assert times
    assert all("2026-05-04T21:00:10Z" <= moment < "2026-05-04T21:00:40Z" for moment in times)
    outside = call("run", "x.wav", "--since", "2:00", "--out", "c", cwd=tmp_path)
    assert outside.returncode == 0
    unknown = call("run", "x.wav", "--since", "2026-05-04T21:00:10Z", "--out", "c", cwd=tmp_path)
    assert (unknown.returncode, "needs --start" in one_line(unknown)) == (2, True)


def test_times_are_read_off_names(tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "garden_20260704_210000.wav", noise(61.0))
    write_wav(tmp_path / "in" / "2026-07-04T19-02-00Z.wav", noise(61.0))
    write_wav(tmp_path / "in" / "no time.wav", noise(2.0))
    result = call("run", "in", "--start", "auto", "--zone", "Europe/Paris", "--out", "out", cwd=tmp_path)
    assert result.returncode == 1
    assert "no time.wav: no_time: " in one_line(result)
    starts = sorted(entry["start"] for entry in report(tmp_path / "out")["inputs"] if entry["fate"] == "heard")
    assert starts == ["2026-07-04T19:00:00Z", "2026-07-04T19:02:00Z"]
    assert any("2026-07-04T19:00:00Z" in line for line in lines_in(tmp_path / "out")["levels.jsonl"])
    assert call("run", "in", "--zone", "Europe/Paris", cwd=tmp_path).returncode == 2
    assert call("run", "in", "--start", "auto", "--zone", "Paris", cwd=tmp_path).returncode == 2


def test_a_file_by_two_names_is_heard_once(tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", noise(2.0))
    (tmp_path / "in" / "b.wav").symlink_to("a.wav")
    os.link(tmp_path / "in" / "a.wav", tmp_path / "in" / "c.wav")
    call("run", "in", "in/a.wav", "--out", "out", cwd=tmp_path)
    assert [entry["name"] for entry in report(tmp_path / "out")["inputs"]] == ["in/a.wav", "in/c.wav"]


def test_thousands_of_refusals_are_not_thousands_of_lines(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(60):
        (tmp_path / "in" / f"{number}.wav").write_text("no sound", "utf-8")
    result = call("run", "in", "--out", "out", cwd=tmp_path)
    lines = result.stderr.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "sourdine: and 40 more, in out/report.md"
    assert (tmp_path / "out" / "report.md").read_text("utf-8").count("refused: not_audio") == 60


def write_two_channels(path: Path) -> None:
    """Write a sound in the second channel, silence in the first."""
    sound = eventful(61.0)
    both = np.stack([np.zeros_like(sound), sound], axis=1)
    path.write_bytes(wav_bytes(pcm16(both), n_channels=2))


def test_channels_are_heard_one_mixed_or_each(tmp_path: Path) -> None:
    write_two_channels(tmp_path / "x.wav")
    for channel in ("1", "2", "mix", "each"):
        assert call("run", "x.wav", "--channel", channel, "--out", channel, cwd=tmp_path).returncode == 0
    levels = {
        channel: [e["data"]["level_db"] for e in events_in(tmp_path / channel) if e["type"].endswith("level.v1")]
        for channel in ("1", "2", "mix", "each")
    }
    assert levels["1"][0] == -127
    assert levels["2"][0] - levels["mix"][0] == 6
    assert levels["each"] == [*levels["1"], *levels["2"]]
    names = [entry["name"] for entry in report(tmp_path / "each")["inputs"]]
    assert names == ["x.wav channel 1", "x.wav channel 2"]
    assert call("run", "x.wav", "--channel", "each", "--out", "each", "--resume", cwd=tmp_path).returncode == 0
    third = call("run", "x.wav", "--channel", "3", "--out", "none", cwd=tmp_path)
    assert (third.returncode, "bad_channels: " in one_line(third)) == (1, True)
    assert call("run", "x.wav", "--channel", "left", cwd=tmp_path).returncode == 2


def test_a_pipe_has_channels_too(tmp_path: Path) -> None:
    write_two_channels(tmp_path / "x.wav")
    raw = (tmp_path / "x.wav").read_bytes()[44:]
    call("run", "-", "--rate", "16000", "--channels", "2", "--channel", "2", "--out", "pipe", cwd=tmp_path, stdin=raw)
    call("run", "x.wav", "--channel", "2", "--out", "file", cwd=tmp_path)
    assert results(tmp_path / "pipe") == results(tmp_path / "file")


def test_the_recorders_own_stamp_is_taken_where_the_name_has_none(tmp_path: Path) -> None:
    stamp = bytes(320) + b"2026-05-04" + b"21:00:00" + bytes(264)
    sound = wav_bytes(pcm16(noise(2.0)))
    bext = b"bext" + struct.pack("<I", len(stamp)) + stamp
    (tmp_path / "x.wav").write_bytes(sound[:12] + bext + sound[12:])
    assert call("run", "x.wav", "--start", "auto", "--zone", "Europe/Paris", cwd=tmp_path).returncode == 0
    assert report(tmp_path / "sourdine-out")["inputs"][0]["start"] == "2026-05-04T19:00:00Z"
