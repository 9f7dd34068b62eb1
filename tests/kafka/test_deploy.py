"""The broker that deploy/ sets up: its settings, scripts and users, with Kafka's own tools and no container."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import absent
from tests.kafka.broker.libraries import AbsentError, class_path, tool
from tests.kafka.broker.server import _LOG4J, _free_ports

from sourdine.agents.admin import Admin
from sourdine.agents.connection import Connection
from sourdine.agents.preflight import check_clock, require
from sourdine.agents.topics import apply, plan
from sourdine.broker import BrokerSettings, load
from sourdine.errors import TransportError
from sourdine.topics import layout

ROOT = Path(__file__).resolve().parents[2]
TOOLS = {
    "kafka-storage.sh": "kafka.tools.StorageTool",
    "kafka-server-start.sh": "kafka.Kafka",
    "kafka-configs.sh": "org.apache.kafka.tools.ConfigCommand",
}
HANG_S = 90.0


class Machine:
    """A copy of deploy/ in which the paths and ports of the container are those of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "deploy"
        port, controller = _free_ports(2)
        self._port = port
        shutil.copytree(
            ROOT / "deploy", self.folder, ignore=shutil.ignore_patterns("secrets", "data", "calibrations", ".env")
        )
        self.secrets = self.folder / "secrets"
        self._environment = os.environ | {
            "SECRETS": str(self.secrets),
            "RUN": str(folder),
            "KAFKA_BIN": str(self._tools(folder / "bin")),
            "SOURDINE_HOST": "127.0.0.1",
        }
        self.run("prepare", "127.0.0.1")
        here = {"9094": str(controller), "/data": str(self.folder / "data/kafka"), "/secrets": str(self.secrets)}
        settings = self.folder / "kafka" / "server.properties"
        self._replace(settings, here | {"SASL_SSL://:9093": f"SASL_SSL://127.0.0.1:{port}"})
        for script in ("start.sh", "users.sh"):
            self._replace(self.folder / "kafka" / script, {":9093": f":{port}"})
        for file in self.secrets.glob("*.toml"):
            self._replace(file, {":9093": f":{port}"})

    def run(self, script: str, *words: str) -> str:
        """Run a shipped script."""
        command = ["sh", str(self.folder / script), *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, log: Path) -> subprocess.Popen[bytes]:
        """Start the broker by its script, and wait until it answers."""
        with log.open("wb") as file:
            command = ["sh", str(self.folder / "kafka" / "start.sh")]
            process = subprocess.Popen(command, env=self._environment, stdout=file, stderr=file)
        deadline = time.monotonic() + HANG_S
        while True:
            try:
                Connection(self.settings("operator")).greet()
                return process
            except TransportError:
                said = log.read_text("utf-8")
                assert process.poll() is None, said[-3000:]
                assert time.monotonic() < deadline, said[-3000:]

    def settings(self, user: str) -> BrokerSettings:
        """Read the file that prepare has written for a user."""
        return load(self.secrets / f"{user}.toml")

    @staticmethod
    def _tools(folder: Path) -> Path:
        folder.mkdir()
        java = f"exec {tool('java')} -Xmx512m -Dlog4j2.configurationFile={_LOG4J} -cp '{class_path()}/*'"
        for name, entry in TOOLS.items():
            (folder / name).write_text(f'#!/bin/sh\n{java} {entry} "$@"\n', "utf-8")
            (folder / name).chmod(0o755)
        return folder

    @staticmethod
    def _replace(file: Path, changes: dict[str, str]) -> None:
        text = file.read_text("utf-8")
        for old, new in changes.items():
            assert old in text, (file, old)
            text = text.replace(old, new)
        file.write_text(text, "utf-8")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """Set it up, start it, and end it."""
    if shutil.which("openssl") is None:
        absent("openssl")
    try:
        made = Machine(tmp_path)
    except AbsentError as lack:
        absent(str(lack))
    process = made.start(tmp_path / "broker.log")
    yield made
    process.send_signal(signal.SIGTERM)
    process.wait(HANG_S)


def test_the_shipped_broker_serves_every_user_as_it_must(machine: Machine) -> None:
    for user in ("sensor", "gateway", "describe", "classify", "sink", "console"):  # each takes a start of Java
        (machine.secrets / f"{user}.password").unlink()
    machine.run("kafka/users.sh")
    assert apply(Admin(machine.settings("operator")), layout(), lambda one: None) == []
    assert plan(Admin(machine.settings("admin")), layout()) == []
    require(machine.settings("gate"), layout(), "gate")
    check_clock(machine.settings("gate"))
    before = {file.name: file.read_bytes() for file in machine.secrets.iterdir()}
    assert all(not file.stat().st_mode & 0o077 for file in machine.secrets.iterdir())
    machine.run("prepare", "127.0.0.1")
    changed = {name for name, content in before.items() if (machine.secrets / name).read_bytes() != content}
    assert {Path(name).suffix for name in changed} == {".toml"}, "secrets that are there stay"
