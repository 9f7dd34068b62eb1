"""Sinks as an operator runs them, and records to send to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from confluent_kafka import KafkaError, Producer
from tests.kafka.broker.server import Broker
from tests.kafka.processes import HANG_S

from sourdine.outgoing.cloudevents import Data, canonical

TOPICS: Final = {"event": "sourdine.events.v1", "level": "sourdine.levels.v1", "health": "sourdine.health.v1"}
#: A second of the year 2026, on the minute.
START: Final = 1_777_900_020


def event(sensor_id: int, n: int, confidence: int = 2) -> Data:
    """Make the n-th event of a sensor."""
    return {"sensor_id": sensor_id, "slot": START + n, "sound_class": "horn", "level_db": None, "scale": "dbfs",
            "confidence": confidence}  # fmt: skip


def level(sensor_id: int, n: int) -> Data:
    """Make the n-th level of a sensor."""
    return {"sensor_id": sensor_id, "slot": START + 60 * n, "metric": "laeq", "level_db": n % 128, "scale": "db"}


def health(sensor_id: int, n: int) -> Data:
    """Make the n-th state of a sensor."""
    return {"sensor_id": sensor_id, "slot": START + 60 * n, "state": "ok"}


class Sender:
    """Sends what gateways and gates send, and what they never would."""

    def __init__(self, broker: Broker) -> None:
        quick = {"acks": "all", "batch.size": 16_384, "linger.ms": 5, "log_level": 0}
        self._producer = Producer(broker.settings().for_librdkafka() | quick)

    def send(self, kind: str, records: Iterable[Data]) -> None:
        """Send records."""
        for data in records:
            self.send_raw(kind, str(data["sensor_id"]).encode(), canonical(kind, data))

    def send_raw(self, kind: str, key: bytes | None, value: bytes | None) -> None:
        """Send anything."""
        self._producer.produce(TOPICS[kind], value, key, on_delivery=self._is_delivered)
        self._producer.poll(0)

    def send_and_flush(self, kind: str, records: Iterable[Data]) -> None:
        """Send records, and wait until the broker has them."""
        self.send(kind, records)
        self.flush()

    def flush(self) -> None:
        """Wait until the broker has everything."""
        assert self._producer.flush(HANG_S) == 0

    @staticmethod
    def _is_delivered(error: KafkaError | None, _: Any) -> None:
        assert error is None, error


class SinkProcess:
    """`sourdine sink` in a process of its own."""

    def __init__(self, broker_file: Path, folder: Path, to: str, name: str) -> None:
        folder = Path(tempfile.mkdtemp(dir=folder))
        self.log, self._counts = folder / "log", folder / "counts.json"
        words = ["sink", "--to", to, "--name", name, "--json"]
        self._command = [sys.executable, "-P", "-m", "sourdine", *words]
        self._environment = os.environ | {"SOURDINE_KAFKA": str(broker_file)}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> SinkProcess:
        """Start it."""
        with self.log.open("ab") as log, self._counts.open("wb") as counts:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=counts, stderr=log, stdin=subprocess.DEVNULL
            )
        return self

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def wait(self) -> int:
        """Wait until it ends of itself."""
        assert self._process is not None
        return self._process.wait(timeout=HANG_S)

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, float, dict[str, Any]]:
        """Tell it to end; its exit code, how long that took, and its counts."""
        begin = time.monotonic()
        self._signal(how)
        code, took_s = self.wait(), time.monotonic() - begin
        return code, took_s, json.loads(self._counts.read_text("utf-8"))

    def kill(self) -> None:
        """End it as a power cut does; done already, nothing is done."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait(timeout=HANG_S)

    def said(self, words: str) -> int:
        """Count how often its log holds the words."""
        return self.log.read_text("utf-8").count(words)

    def _signal(self, how: signal.Signals) -> None:
        if self._process is not None and self.runs:
            self._process.send_signal(how)
