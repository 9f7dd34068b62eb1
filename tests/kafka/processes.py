"""Workers as an operator runs them: processes of their own, started, stopped, killed, and watched at the broker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

#: Longest that anything which takes seconds may take on a busy machine.
HANG_S: Final = 60.0
_POLL_S: Final = 0.1
ROOT: Final = Path(__file__).resolve().parents[2]


def wait_until(is_so: Callable[[], bool], what: str, hang_s: float = HANG_S) -> None:
    """Wait for something to become true; name it if it does not."""
    deadline = time.monotonic() + hang_s
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {hang_s:g} s"
        time.sleep(_POLL_S)


class Worker:
    """`faust worker` on an app of the tests, with a log file; its instance name stays over restarts."""

    def __init__(self, app: str, folder: Path, instance: str, **environment: str) -> None:
        self.instance = instance
        self.log = folder / f"{instance}.log"
        self._folder = folder
        self._command = [sys.executable, "-m", "faust", "-A", app, "worker", "-l", "info"]
        self.settings = environment
        self._environment = os.environ | {
            "INSTANCE": instance,
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, in an empty folder."""
        folder = self._folder / f"home of {self.instance}"
        folder.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=folder, env=self._environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, if it runs, and give its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(how)
        return process.wait(timeout=HANG_S)

    def has_ended(self) -> bool:
        """Whether it was started and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def cpu_s(self) -> float:
        """Give the seconds of processor that it has used."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Give the memory that it holds, in MB."""
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def freeze(self) -> None:
        """Stop it as a machine that hangs does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def said(self, words: str) -> int:
        """Count how often its log holds the words."""
        return self.log.read_text("utf-8").count(words) if self.log.exists() else 0

    def files(self) -> list[Path]:
        """Give what it has left in its folder."""
        return list((self._folder / f"home of {self.instance}").iterdir())

    def listens(self) -> bool:
        """Whether any of its sockets waits for connections."""
        assert self._process is not None
        folder = Path(f"/proc/{self._process.pid}")
        sockets = {os.readlink(file) for file in (folder / "fd").iterdir()}
        rows = [line.split() for name in ("tcp", "tcp6") for line in (folder / "net" / name).read_text().splitlines()]
        return any(f"socket:[{row[9]}]" in sockets for row in rows if row[3] == _LISTENING)


#: State of a socket that waits for connections, as the kernel writes it.
_LISTENING: Final = "0A"
