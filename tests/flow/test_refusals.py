"""What cannot be heard costs one line with a reason, and the rest of the batch nothing; each stop has its exit code."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.chain import FILES, SOURDINE, call, lines_in, one_line
from tests.sounds import broken_files, eventful, noise, pcm16, write_wav

BROKEN = broken_files()


@pytest.mark.parametrize("name", BROKEN)
def test_broken_input_is_refused_and_the_rest_is_heard(name: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", noise(5.0))
    assert call("run", "in", "--out", "alone", cwd=tmp_path).returncode == 0
    content, reason = BROKEN[name]
    (tmp_path / "in" / name).write_bytes(content)
    write_wav(tmp_path / "in" / "~z.wav", noise(1.0))
    result = call("run", "in", "--out", "all", cwd=tmp_path)
    assert result.returncode == 1
    line = one_line(result)
    assert f"{name}: {reason}: " in line
    assert "2 recordings" in result.stdout
    for file, lines in lines_in(tmp_path / "all").items():
        assert [line for line in lines if "/sensors/1" in line] == lines_in(tmp_path / "alone")[file]


def test_all_broken_files_at_once(tmp_path: Path) -> None:
    for name, (content, _) in BROKEN.items():
        (tmp_path / name).write_bytes(content)
    os.mkfifo(tmp_path / "pipe.wav")
    result = call("run", ".", "--json", cwd=tmp_path)
    assert result.returncode == 1
    summary = json.loads(result.stdout)
    reasons = {Path(item["name"]).name: item["refused"]["reason"] for item in summary["inputs"]}
    assert reasons == {name: reason for name, (_, reason) in BROKEN.items()} | {"pipe.wav": "unreadable"}
    assert summary["n_refused"] == summary["n_inputs"] == len(result.stderr.splitlines())
    assert summary["n_heard"] == 0


def test_file_that_the_system_does_not_let_us_read_is_refused(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "x.wav", noise(1.0))
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything, but for the first page of memory, which is no file's
        path = Path("/proc/self/mem")
    result = call("run", str(path), cwd=tmp_path)
    assert result.returncode == 1
    assert f"{path.name}: unreadable: " in one_line(result)


def test_pipe_that_ends_in_mid_sample_keeps_what_it_released(tmp_path: Path) -> None:
    sound = pcm16(noise(65.0))
    result = call("run", "-", "--rate", "16000", cwd=tmp_path, stdin=sound + b"\x00")
    assert result.returncode == 1
    assert "standard input: partial_sample: " in one_line(result)
    assert len(lines_in(tmp_path / "sourdine-out")["levels.jsonl"]) >= 1


def test_empty_pipe_is_refused(tmp_path: Path) -> None:
    result = call("run", "-", "--rate", "16000", cwd=tmp_path)
    assert result.returncode == 1
    assert "standard input: empty: " in one_line(result)


def test_ctrl_c_on_a_pipe_that_stalls_keeps_what_was_released(tmp_path: Path) -> None:
    sound = noise(70.0)
    assert call("run", "-", "--rate", "16000", "--out", "whole", cwd=tmp_path, stdin=pcm16(sound)).returncode == 0
    command = [*SOURDINE, "run", "-", "--rate", "16000", "--out", "cut"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(pcm16(sound))
        process.stdin.flush()
        levels = tmp_path / "cut" / "levels.jsonl"
        deadline = time.monotonic() + 60.0
        while not (levels.exists() and levels.read_bytes()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = process.stdout.read(), process.stderr.read()
        assert process.wait(30) == 130
        process.stdin.close()
    assert b"Interrupted" in output
    assert errors == b""
    for name, lines in lines_in(tmp_path / "cut").items():
        assert lines == lines_in(tmp_path / "whole")[name][: len(lines)]
    assert lines_in(tmp_path / "cut")["levels.jsonl"]


@pytest.mark.parametrize("n_bytes", [0, 1, 150, 400, 1000])
def test_disk_full_is_4_and_leaves_whole_lines(n_bytes: int, tmp_path: Path) -> None:
    for number in range(6):
        write_wav(tmp_path / "in" / f"{number}.wav", noise(2.0))
    command = [*SOURDINE, "run", "in"]

    def fill_up() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, n_bytes))

    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=fill_up, env=environment
    )
    assert done.returncode == 4
    assert "cannot write" in one_line(done)
    assert done.stdout == ""
    for name in FILES:
        file = tmp_path / "sourdine-out" / name
        text = file.read_text("utf-8") if file.exists() else ""
        assert not text or text.endswith("\n")
        assert all(json.loads(line)["specversion"] == "1.0" for line in text.splitlines())


def test_full_device_is_4(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(2.0))
    (tmp_path / "sourdine-out").mkdir()
    for name in FILES:
        (tmp_path / "sourdine-out" / name).symlink_to("/dev/full")
    result = call("run", "x.wav", cwd=tmp_path)
    assert result.returncode == 4
    assert "No space left on device" in one_line(result)


def test_recording_that_an_output_file_links_to_stays(tmp_path: Path) -> None:
    sound = write_wav(tmp_path / "x.wav", noise(2.0)).read_bytes()
    (tmp_path / "sourdine-out").mkdir()
    (tmp_path / "sourdine-out" / "events.jsonl").symlink_to(tmp_path / "x.wav")
    (tmp_path / "sourdine-out" / "levels.jsonl").hardlink_to(tmp_path / "x.wav")
    assert call("run", "x.wav", cwd=tmp_path).returncode == 0
    assert (tmp_path / "x.wav").read_bytes() == sound


def test_folder_that_cannot_be_written_is_4(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(1.0))
    (tmp_path / "taken").touch()
    for out in ("taken", "taken/below"):
        result = call("run", "x.wav", "--out", out, cwd=tmp_path)
        assert result.returncode == 4
        assert "cannot write" in one_line(result)
        assert call("demo", "--out", out, cwd=tmp_path).returncode == 4


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_full_standard_output_is_4(options: list[str], tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(1.0))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*SOURDINE, "run", "x.wav", *options],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            text=True,
        )
    assert done.returncode == 4
    assert len(done.stderr.splitlines()) == 1


def test_closed_standard_output_ends_quietly(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(1.0))
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*SOURDINE, "run", "x.wav"], cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, check=False, text=True
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (4, "")


@pytest.mark.parametrize("descriptor", [0, 1, 2])
def test_closed_standard_streams_are_not_mistaken_for_files(descriptor: int, tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(61.0))
    assert call("run", "x.wav", "--out", "open", cwd=tmp_path).returncode == 0
    command = f'exec "$0" "$@" {descriptor}>&-'
    done = subprocess.run(["/bin/sh", "-c", command, *SOURDINE, "run", "x.wav"], cwd=tmp_path, check=False)
    assert done.returncode == 0
    assert lines_in(tmp_path / "sourdine-out") == lines_in(tmp_path / "open")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """Twenty minutes of 8 kHz float64 are 77 MB, and none of it stays."""
    # Not `ru_maxrss`: that of a new process begins at what its parent had.
    program = (
        "import sys; from sourdine.cli import run_command\n"
        "code = run_command(['run', '-', '--rate', '8000', '--format', 'f64le', '--json'])\n"
        "(peak,) = (line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "sys.stderr.write(peak.split()[1]); sys.exit(code)"
    )
    minute = noise(60.0, sample_rate=8_000).astype("<f8").tobytes()
    peaks_kb: list[int] = []
    for n_minutes in (2, 20):
        command = [SOURDINE[0], "-P", "-W", "ignore", "-c", program]
        done = subprocess.run(command, cwd=tmp_path, input=minute * n_minutes, capture_output=True, check=True)
        peaks_kb.append(int(done.stderr))
    assert peaks_kb[1] - peaks_kb[0] < 4_000


def test_events_are_released_for_an_eventful_file(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", eventful(40.0))
    result = call("run", "x.wav", "--json", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout)["n_events"] == len(lines_in(tmp_path / "sourdine-out")["events.jsonl"]) > 0
