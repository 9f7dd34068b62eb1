"""A day at 48 kHz: more than a 32-bit WAV can hold, in bounded memory, with the last minute's event at its second."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

from scipy.signal import resample_poly
from tests.chain import SOURDINE, events_in
from tests.sounds import RATE, pcm16

from sourdine.local.scene import street_scene

DAY_S = 24 * 3600
DAY_RATE = 48_000
MAX_RSS_MB = 300
#: Second of the day at which a piece of the demo scene begins, and the second of it in which glass breaks.
PIECE_AT = DAY_S - 50
GLASS_AT = 4

#: Runs a command and prints the most memory that it ever had, in kB. (What the kernel tells a parent of its child
#: counts the parent's own memory at the time of the fork.)
MEASURED = """
import sys
from sourdine.cli import run_command
code = run_command(sys.argv[1:])
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
sys.exit(code)
"""


def write_day(path: Path) -> None:
    """Write an RF64 file of a day; where nothing sounds it takes no room on the disk."""
    n_bytes = DAY_S * DAY_RATE * 2
    header = b"RF64" + b"\xff" * 4 + b"WAVE"
    header += b"ds64" + struct.pack("<IQQQI", 28, n_bytes + 72, n_bytes, DAY_S * DAY_RATE, 0)
    header += b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, DAY_RATE, DAY_RATE * 2, 2, 16)
    header += b"data" + b"\xff" * 4
    piece = resample_poly(street_scene()[41 * RATE : 47 * RATE], 3, 1)
    with path.open("wb") as file:
        file.write(header)
        for start in (60, PIECE_AT):
            file.seek(len(header) + start * DAY_RATE * 2)
            file.write(pcm16(piece))
        file.truncate(len(header) + n_bytes)


def test_a_day_is_heard_to_its_last_minute_in_bounded_memory(tmp_path: Path) -> None:
    write_day(tmp_path / "day.wav")
    options = ["run", "day.wav", "--out", "out", "--start", "2026-05-04T00:00:00Z", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", MEASURED, *options], cwd=tmp_path, capture_output=True, check=True
    )
    assert int(done.stdout) / 1024 < MAX_RSS_MB
    events = [event for event in events_in(tmp_path / "out") if event["type"].endswith("event.v1")]
    glass = [event["time"] for event in events if event["data"]["sound_class"] == "glass_break"]
    assert glass == ["2026-05-04T00:01:04Z", "2026-05-04T23:59:14Z"]
    levels = [event for event in events_in(tmp_path / "out") if event["type"].endswith("level.v1")]
    assert len(levels) == DAY_S // 60
    assert all(event["data"]["level_db"] is not None for event in levels)


def test_a_span_at_the_end_of_a_day_is_found_without_hearing_the_day(tmp_path: Path) -> None:
    write_day(tmp_path / "day.wav")
    command = [*SOURDINE, "run", "day.wav", "--out", "out", "--since", "23:59:00", "--quiet"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=600)
    events = [event for event in events_in(tmp_path / "out") if event["type"].endswith("event.v1")]
    assert [event["data"]["slot"] for event in events] == [PIECE_AT + GLASS_AT]
