"""A city under watch: workers that a supervisor starts again, traffic, and a history that is checked at the end."""

from __future__ import annotations

import random
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from tests.kafka.broker.server import Broker
from tests.kafka.chaos.history import Happening, History, back_s, faults
from tests.kafka.chaos.traffic import Traffic
from tests.kafka.chaos.watch import Watch, now_ms, settled
from tests.kafka.city import City
from tests.kafka.processes import Worker, wait_until
from tests.kafka.sinks import SinkProcess


class Chaos(City):
    """Two workers of each stage under traffic; use it in a `with`, and do to it what should change nothing."""

    def __init__(
        self, broker: Broker, folder: Path, key: Path, sensors: range, *, seed: int = 7, has_sink: bool = False
    ) -> None:
        super().__init__(broker, folder, key)
        self._kept = folder / "kept"
        self._sink = SinkProcess(broker.file_of("sink"), folder, f"file:{self._kept}", "chaos") if has_sink else None
        self.broker, self.chance = broker, random.Random(seed)
        self.history = History()
        self.traffic = Traffic(self, self.history, sensors)
        self._watch = Watch(broker, self.sealer, self.history, self._start_offsets)
        self._may_rest: set[str] = set()
        self._is_over = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise)

    def __enter__(self) -> Chaos:
        self._watch.__enter__()
        if self._sink is not None:
            self._sink.start()
        for stage in ("classify", "gate"):
            for number in ("1", "2"):
                self.start(stage, number)
        self._supervisor.start()
        for stage in ("classify", "gate"):
            wait_until(lambda s=stage: len(self.shares(s)) == 2, f"two workers of {stage} have their share")  # type: ignore[misc]
        self.traffic.begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.traffic.end()
        self._is_over.set()
        self._supervisor.join()
        self.end()
        if self._sink is not None:
            self._sink.kill()
        self._watch.__exit__()

    def note(self, worker: Worker, what: str, lost: frozenset[int] = frozenset()) -> Happening:
        """Write down what befalls a worker."""
        happening = Happening(now_ms(), worker.instance, what, lost)
        self.history.happenings.append(happening)
        return happening

    def shares(self, stage: str) -> dict[str, frozenset[int]]:
        """Give the partitions of each worker that has some, as the broker says; nothing while it does not answer."""
        try:
            group: Any = self.members(f"sourdine-{stage}")
        except KafkaException:
            return {}
        shares = {
            member.group_instance_id: frozenset(place.partition for place in member.assignment.topic_partitions)
            for member in group
        }
        return {name: share for name, share in shares.items() if share}

    def kill(self, worker: Worker, how: signal.Signals = signal.SIGKILL) -> Happening:
        """End a worker; the supervisor leaves it alone until it is started by hand."""
        lost = self.shares(worker.instance.split("-")[0]).get(worker.instance, frozenset())
        self._may_rest.add(worker.instance)
        happening = self.note(worker, "killed" if how == signal.SIGKILL else "told to end", lost)
        code = worker.end(how)
        if how == signal.SIGTERM:
            self.note(worker, f"ended with {code}")
        return happening

    def start_again(self, worker: Worker) -> None:
        """Start a worker that was killed."""
        worker.start()
        self.note(worker, "started")
        self._may_rest.discard(worker.instance)

    def wait_until_back(self, happening: Happening) -> float:
        """Wait until what a worker lost is worked on again, and say how long that took."""
        wait_until(lambda: back_s(self.history, happening) < 1e9, f"{happening.worker} is replaced", 120.0)
        return back_s(self.history, happening)

    def faults(self) -> list[str]:
        """Let traffic end, wait until all is told and nothing more comes, and name what went wrong."""
        self.traffic.end()
        history = self.history
        with suppress(AssertionError):  # the faults say which are not
            wait_until(
                lambda: len({one.value for one in history.events}) >= len(history.expected), "all is told", 120.0
            )
        settled(lambda: len(history.events) + len(history.candidates))
        return [*faults(history), *self._sink_faults()]

    def _sink_faults(self) -> list[str]:
        """Hold what a sink has kept, if there is one, against what a client that is not ours has read."""
        if self._sink is None:
            return []
        kept = sorted(self.history.kept.values())

        def lines() -> list[bytes]:
            return sorted(line for file in self._kept.glob("events-*") for line in file.read_bytes().splitlines())

        with suppress(AssertionError):
            wait_until(lambda: len(lines()) >= len(kept), "the sink has kept all of it")
        return [] if lines() == kept else [f"the sink kept {len(lines())} events, and {len(kept)} were told"]

    def n_restarts(self) -> int:
        """Count how often a worker ended by itself."""
        return sum(one.what.startswith("ended by itself") for one in self.history.happenings)

    def _supervise(self) -> None:
        """Start workers again when they end, as a service manager does."""
        while not self._is_over.wait(0.5):
            for worker in list(self.workers.values()):
                if worker.instance not in self._may_rest and worker.has_ended():
                    self.note(worker, f"ended by itself with {worker.end()}")
                    worker.start()
