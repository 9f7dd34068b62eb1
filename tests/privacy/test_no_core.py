"""A process that is killed by a fault leaves no core: keys and sound lie in its memory."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.chain import SOURDINE

HANG_S = 60.0


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("command", ["run", "listen"])
def test_a_crash_leaves_no_core(command: str, tmp_path: Path) -> None:
    def allow_cores() -> None:
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))

    words = [*SOURDINE, command, "-", "--rate", "16000", "--out", "out"]
    with subprocess.Popen(words, cwd=tmp_path, stdin=subprocess.PIPE, preexec_fn=allow_cores) as process:
        deadline = time.monotonic() + HANG_S
        while not (tmp_path / "out" / "events.jsonl").exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        proc = Path("/proc", str(process.pid))
        (limit,) = (line for line in (proc / "limits").read_text("ascii").splitlines() if "core file" in line)
        assert limit.split()[4:6] == ["0", "0"]
        # What a program is given that the kernel pipes cores to, whatever the limit: no mapped memory.
        assert int((proc / "coredump_filter").read_text("ascii"), 16) == 0
        os.kill(process.pid, signal.SIGSEGV)
        assert process.wait(HANG_S) == -signal.SIGSEGV
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
