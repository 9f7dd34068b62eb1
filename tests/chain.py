"""The chain as the tests call it: sound to records, by the flow or by the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from dsp_core.records import Event, LevelRecord, SensorHealth
from dsp_core.zone import AudioBlock, Classify, Describe, Source
from numpy.typing import NDArray
from tests.sounds import RATE, write_wav

from sourdine.flow import Flow
from sourdine.local.scene import street_scene
from sourdine.policy import LoadedPolicy, load

Record = Event | LevelRecord | SensorHealth

FILES = ("events.jsonl", "levels.jsonl", "health.jsonl")
SOURDINE = (sys.executable, "-P", "-m", "sourdine")


@cache
def street() -> LoadedPolicy:
    """Load the default policy."""
    return load("street", today=date(2026, 1, 1))


@cache
def classifier() -> Classify:
    """Make the classifier once."""
    return Classify(policy=street().core)


def blocks_of(
    samples: NDArray[np.float64], block_s: float = 0.5, sample_rate: int = RATE, sensor_id: int = 1
) -> list[AudioBlock]:
    """Cut a sound into blocks, the only way there is: through a file."""
    with tempfile.TemporaryDirectory() as folder:
        source = Source.open(write_wav(Path(folder) / "x.wav", samples, sample_rate=sample_rate), sensor_id=sensor_id)
        found: list[AudioBlock] = []
        while (block := source.read(max(1, int(block_s * sample_rate)))) is not None:
            found.append(block)
    return found


def new_describe() -> Describe:
    """Make the first stage of sensor 1 under the default policy."""
    return Describe(sensor_id=1, sample_rate=RATE, start_slot=0, policy=street().core)


def new_flow(sample_rate: int = RATE) -> Flow:
    """Make a flow of sensor 1 under the default policy."""
    return Flow(sensor_id=1, sample_rate=sample_rate, start_slot=0, policy=street().core, classify=classifier())


def hear(samples: NDArray[np.float64], block_s: float = 0.5, sample_rate: int = RATE) -> list[Record]:
    """Send a sound through the flow."""
    flow = new_flow(sample_rate)
    records: list[Record] = []
    for block in blocks_of(samples, block_s, sample_rate):
        records += flow.push(block)
    return records + flow.finish()


@cache
def demo_records() -> tuple[Record, ...]:
    """Give what the demo scene releases."""
    return tuple(hear(street_scene()))


def call(
    *arguments: str | Path, cwd: Path, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [*SOURDINE, *(str(word) for word in arguments)]
    done = subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, check=False, env=env or dict(os.environ))
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def lines_in(folder: Path) -> dict[str, list[str]]:
    """Read the lines of the three files, which must all be whole."""
    texts = {name: (folder / name).read_text("utf-8") for name in FILES}
    assert all(not text or text.endswith("\n") for text in texts.values())
    return {name: text.splitlines() for name, text in texts.items()}


def events_in(folder: Path) -> list[dict[str, Any]]:
    """Read the CloudEvents of all three files."""
    return [json.loads(line) for lines in lines_in(folder).values() for line in lines]


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    """Give the only line on standard error."""
    lines: Sequence[str] = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]
