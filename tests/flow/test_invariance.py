"""The flow is a deterministic fold: same sound, same records, however it is cut, stopped or brought."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from dsp_core.records import Event, LevelRecord, SensorHealth
from tests.chain import (
    SOURDINE,
    Record,
    blocks_of,
    call,
    classifier,
    demo_records,
    hear,
    lines_in,
    new_flow,
    street,
)
from tests.sounds import RATE, eventful, noise, pcm16, write_wav

from sourdine.flow import Flow
from sourdine.local.scene import street_scene

REFILL_S = 2.0
BLOCK_S = 0.5


def as_bytes(records: list[Record] | tuple[Record, ...]) -> dict[str, list[bytes]]:
    """Give the canonical bytes of records, in order, kind by kind as they are written down."""
    kinds = (Event, LevelRecord, SensorHealth)
    return {kind.__name__: [bytes(record) for record in records if isinstance(record, kind)] for kind in kinds}


@pytest.mark.parametrize("block_s", [0.0613, 0.25, 0.4999375, 1.0, 7.77, 60.0])
def test_records_do_not_depend_on_the_block_split(block_s: float) -> None:
    assert as_bytes(hear(street_scene(), block_s)) == as_bytes(demo_records())


def test_twenty_repeats_are_byte_identical() -> None:
    sound = eventful(30.0)
    first = as_bytes(hear(sound))
    assert first["Event"]
    for _ in range(20):
        assert as_bytes(hear(sound)) == first


@pytest.mark.parametrize(
    "cut_s", [0.0, 0.5, 1.5, 31.5, 32.0, 45.0, 45.5, 46.0, 46.5, 47.0, 59.5, 60.5, 62.5, 68.5, 90.0]
)
def test_restored_flow_goes_on_byte_for_byte(cut_s: float) -> None:
    blocks = blocks_of(street_scene(), BLOCK_S)
    n_before = int(cut_s / BLOCK_S)
    flow = new_flow()
    records: list[Record] = []
    for block in blocks[:n_before]:
        records += flow.push(block)
    checkpoint = flow.snapshot()
    assert checkpoint.position == int(cut_s * RATE)
    del flow
    n_refill = int(REFILL_S / BLOCK_S)
    before = blocks[max(0, n_before - n_refill) : n_before]
    restored = Flow.restore(checkpoint, policy=street().core, classify=classifier(), before=before)
    for block in blocks[n_before:]:
        records += restored.push(block)
    assert as_bytes(records + restored.finish()) == as_bytes(demo_records())


def test_flow_snapshot_does_not_disturb_it() -> None:
    flow = new_flow()
    records: list[Record] = []
    for block in blocks_of(street_scene(), BLOCK_S):
        records += flow.push(block)
        flow.snapshot()
    assert as_bytes(records + flow.finish()) == as_bytes(demo_records())


def test_file_folder_and_pipe_give_the_same_lines(tmp_path: Path) -> None:
    sound = eventful(40.0)
    file = write_wav(tmp_path / "in" / "x.wav", sound)
    assert call("run", file, "--out", "file", cwd=tmp_path).returncode == 0
    assert call("run", "in", "--out", "folder", cwd=tmp_path).returncode == 0
    piped = call("run", "-", "--rate", str(RATE), "--out", "pipe", cwd=tmp_path, stdin=pcm16(sound))
    assert piped.returncode == 0
    expected = lines_in(tmp_path / "file")
    assert expected["events.jsonl"]
    assert lines_in(tmp_path / "folder") == expected
    assert lines_in(tmp_path / "pipe") == expected


@pytest.mark.parametrize(("encoding", "n_channels"), [("s16le", 3), ("f32le", 1), ("f64le", 2), ("s32le", 1)])
def test_raw_formats_that_hold_the_same_sound_give_the_same_lines(
    encoding: str, n_channels: int, tmp_path: Path
) -> None:
    whole = np.round(eventful(25.0) * 32767)
    assert (
        call("run", "-", "--rate", "16000", "--out", "plain", cwd=tmp_path, stdin=pcm16(whole / 32767)).returncode == 0
    )
    spread = np.zeros((whole.size, n_channels))
    spread[:, 0] = whole
    stored = {"s16le": ("<i2", 1.0), "s32le": ("<i4", 65536.0), "f32le": ("<f4", 2**-15), "f64le": ("<f8", 2**-15)}
    kind, full_scale = stored[encoding]
    data = (spread * full_scale).astype(kind).tobytes()
    options = ("--rate", "16000", "--format", encoding, "--channels", str(n_channels), "--out", "other")
    assert call("run", "-", *options, cwd=tmp_path, stdin=data).returncode == 0
    assert lines_in(tmp_path / "other") == lines_in(tmp_path / "plain")


def test_each_file_of_a_batch_is_heard_as_if_alone(tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", eventful(30.0))
    write_wav(tmp_path / "in" / "b.wav", noise(10.0))
    write_wav(tmp_path / "in" / "c.wav", eventful(30.0))
    assert call("run", "in", "--out", "all", cwd=tmp_path).returncode == 0
    assert call("run", "in/a.wav", "--out", "one", cwd=tmp_path).returncode == 0
    alone = lines_in(tmp_path / "one")
    for name, lines in lines_in(tmp_path / "all").items():
        assert [line for line in lines if '"/sensors/1"' in line] == alone[name]
        third = [
            line.replace('"3/', '"1/').replace("/sensors/3", "/sensors/1") for line in lines if "/sensors/3" in line
        ]
        assert [line.replace('"sensor_id":3', '"sensor_id":1') for line in third] == alone[name]


def test_start_moves_every_record_and_nothing_else(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "x.wav", eventful(30.0))
    assert call("run", file, "--out", "zero", cwd=tmp_path).returncode == 0
    # A whole hour on, so that clock minutes and hours fall alike.
    assert call("run", file, "--out", "late", "--start", "1970-01-01T01:00:00Z", cwd=tmp_path).returncode == 0
    for name, lines in lines_in(tmp_path / "zero").items():
        moved = [line.replace("1970-01-01T01:", "1970-01-01T00:") for line in lines_in(tmp_path / "late")[name]]
        assert [line.split('"slot"')[0] for line in moved] == [line.split('"slot"')[0] for line in lines]


def test_slow_sound_has_levels_and_no_events(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(61.0, sample_rate=8_000), sample_rate=8_000)
    result = call("run", "x.wav", cwd=tmp_path)
    assert result.returncode == 0
    assert "Below 16 kHz there are levels but no events" in result.stdout
    lines = lines_in(tmp_path / "sourdine-out")
    assert lines["events.jsonl"] == []
    assert lines["levels.jsonl"]


def test_output_of_a_pipe_is_there_while_it_runs(tmp_path: Path) -> None:
    """A minute's level is in the file before the pipe ends."""
    command = [*SOURDINE, "run", "-", "--rate", "16000"]
    with subprocess.Popen(command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        process.stdin.write(pcm16(noise(66.0)))
        process.stdin.flush()
        levels = tmp_path / "sourdine-out" / "levels.jsonl"
        deadline = time.monotonic() + 60.0
        while not (levels.exists() and levels.read_bytes().endswith(b"\n")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.stdin.close()
        assert process.wait(60) == 0
