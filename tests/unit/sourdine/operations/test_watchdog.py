"""A process whose loop does not turn ends by itself, one that was stopped as a whole does not."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sourdine.operations.watchdog import Watchdog

PROGRAM = """
import asyncio, sys, time
from sourdine.operations.watchdog import Watchdog
async def main():
    turning = asyncio.create_task(Watchdog(hangs_s=2.0).turn_on())
    await asyncio.sleep(0.2)
    print("turns", flush=True)
    if sys.argv[1] == "hangs":
        time.sleep(600)
    await asyncio.sleep(6.0)
asyncio.run(main())
"""


def start(how: str, **environment: str) -> subprocess.Popen[str]:
    """Start a process with a watchdog, and wait until it is watched."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "turns\n"
    return process


def test_a_loop_that_hangs_in_foreign_code_ends_the_process() -> None:
    process = start("hangs")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 10
    assert [json.loads(line)["event"] for line in said.splitlines()] == ["hangs"]


@pytest.mark.parametrize(("n_looks", "hangs"), [(3, False), (4, True)])
def test_looks_are_counted_and_not_seconds(n_looks: int, hangs: bool) -> None:
    """However long a look takes: while the whole process is stopped, nobody looks."""
    hung: list[bool] = []
    watchdog = Watchdog(hangs_s=2.0, on_hang=lambda: hung.append(True))
    looks = iter([False] * n_looks)

    class Over(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            time.sleep(1.0)
            return next(looks, True)

    watchdog._is_over = Over()
    watchdog._watch()
    assert bool(hung) is hangs


def test_a_process_that_was_stopped_goes_on() -> None:
    process = start("turns")
    process.send_signal(signal.SIGSTOP)
    time.sleep(4.0)  # longer than it may hang
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")


@pytest.mark.parametrize("is_abstract", [False, True])
def test_a_supervisor_hears_that_it_is_ready_and_turns(is_abstract: bool, tmp_path: Path) -> None:
    name = f"@sourdine-{os.getpid()}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(name.replace("@", "\0"))
        supervisor.settimeout(60)
        process = start("turns", NOTIFY_SOCKET=name)
        assert [supervisor.recv(64) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        process.kill()
        process.communicate()


def test_what_was_told_to_end_is_over_after_the_limit() -> None:
    program = "import time; from sourdine.operations.ending import end_by; end_by(1.0); time.sleep(600)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 13
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["not_drained"]
