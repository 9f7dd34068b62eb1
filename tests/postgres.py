"""A real PostgreSQL server on loopback: TLS, SCRAM, users of its own; stopped and started again."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import asyncpg
from tests.conftest import absent

#: Debian keeps the server's programs out of the path.
_PLACES: Final = (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin"))
_HANG_S: Final = 60.0
_OWNER: Final = "owner"
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "ssl": "on",
    "ssl_cert_file": "server.crt",
    "ssl_key_file": "server.key",
    # Only processes end here, not machines.
    "fsync": "off",
}


class Database:
    """One server and its storage. It keeps its port, users and storage over restarts."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._folder = Path(tempfile.mkdtemp(prefix="sourdine-postgres-"))
        self._user = _server_user()
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._data = self._folder / "data"
        self.port = _free_port()
        self._frozen: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self.password = secrets.token_urlsafe(16)
        self._initialise()

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [str(self._programs / "postgres"), "-D", str(self._data), "-p", str(self.port), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, user=self._user, cwd=self._folder
            )
        deadline = time.monotonic() + _HANG_S
        while True:
            try:
                self.ask("postgres", "SELECT 1")
                return
            except (OSError, asyncpg.PostgresError):
                log_words = (self._folder / "log").read_text("utf-8")[-2000:]
                assert self._process.poll() is None, log_words
                assert time.monotonic() < deadline, log_words
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop at once, and leave no connection open."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=_HANG_S)

    def freeze(self) -> None:
        """Stop all its processes where they are: connections stay, and nobody answers."""
        assert self._process is not None
        number = self._process.pid
        os.kill(number, signal.SIGSTOP)  # it starts no others from here on
        children = Path(f"/proc/{number}/task/{number}/children").read_text("ascii").split()
        self._frozen = [number, *map(int, children)]
        for one in self._frozen:
            os.kill(one, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        for one in self._frozen:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGCONT)

    def remove(self) -> None:
        """Stop, and take everything away."""
        self.stop()
        shutil.rmtree(self._folder)

    def ask(self, database: str, words: str, *values: Any) -> list[Any]:
        """Ask as the owner."""

        async def answer() -> list[Any]:
            try:
                connection = await asyncpg.connect(
                    host="127.0.0.1", port=self.port, user=_OWNER, password=self.password, database=database, timeout=10
                )
            except asyncpg.PostgresError:
                await asyncio.sleep(0.01)  # a refused connection closes its socket in the loop's next turn
                raise
            try:
                rows: list[Any] = await connection.fetch(words, *values)
                return rows
            finally:
                await connection.close()

        return asyncio.run(answer())

    def settings_file(self, folder: Path, name: str, login: str, password: str, /, **changes: str) -> Path:
        """Write the file that names a database, as an operator does, into a folder of its own."""
        folder = Path(tempfile.mkdtemp(dir=folder))
        secret = folder / f"{login}.password"
        secret.touch(mode=0o600)
        secret.write_text(password + "\n", "ascii")
        shutil.copy(self._folder / "server.crt", folder / "database.pem")
        keys = {"host": "127.0.0.1", "port": str(self.port), "database": name, "user": login}
        keys |= {"password_file": secret.name, "ca_file": "database.pem"} | changes
        file = folder / "database.toml"
        file.write_text("".join(f'{key} = "{value}"\n' for key, value in keys.items()), "utf-8")
        return file

    def _initialise(self) -> None:
        secret = self._folder / "owner"
        secret.write_text(self.password, "ascii")
        secret.chmod(0o644)
        words = ["--username", _OWNER, "--pwfile", str(secret), "--auth-host=scram-sha-256", "--auth-local=reject"]
        self._run([str(self._programs / "initdb"), "--no-sync", "--encoding=UTF8", "-D", str(self._data), *words])
        openssl = shutil.which("openssl")
        if openssl is None:
            absent("openssl")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", str(self._data / "server.key"), "-out", str(self._data / "server.crt")]
        self._run([openssl, "req", "-x509", *curve, *names, *files])
        shutil.copy(self._data / "server.crt", self._folder / "server.crt")

    def _run(self, command: list[str]) -> None:
        result = subprocess.run(
            command, user=self._user, cwd=self._folder, capture_output=True, text=True, check=False, timeout=_HANG_S
        )
        assert result.returncode == 0, result.stdout + result.stderr


def _programs() -> Path:
    for folder in _PLACES:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    absent("postgres (PostgreSQL's server; Debian and Ubuntu: apt install postgresql)")


def _server_user() -> str | None:
    """Give a user that is not root: the server refuses to run as that."""
    return "nobody" if os.geteuid() == 0 else None


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
