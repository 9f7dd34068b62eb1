"""The workers behind the broker, and a broker in memory: kills, zombies, doubled messages and late classifiers, from one seed."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from dsp_core.records import Event
from dsp_core.zone import BlockError, Gate, Mark, Sealer
from tests.conformance.placements import Sent, new_gate_state
from tests.conformance.scenario import FAST, NEW, Group, policy

from sourdine.cut import Gates, Message, Scoring
from sourdine.outgoing.cloudevents import encode

N_PARTITIONS: Final = 4
#: The broker's clock is behind that of the sensors whose clock is ahead.
_FAST_MS: Final = 5_000


@dataclass
class Log:
    """A topic: partitions that only grow, and the broker's time, which never goes back in one."""

    partitions: list[list[Message]] = field(default_factory=lambda: [[] for _ in range(N_PARTITIONS + 1)])

    def append(self, partition: int, sensor_id: int, sealed: bytes, at_ms: int) -> None:
        """Take a message."""
        messages = self.partitions[partition]
        received_ms = max(at_ms, messages[-1].received_ms if messages else 0)
        messages.append(Message(sensor_id, sealed, received_ms, len(messages)))


def partition_of(sensor_id: int) -> int:
    """Put a sensor into a partition; those whose clock is ahead have one where time is the broker's."""
    return N_PARTITIONS if sensor_id in FAST else sensor_id % N_PARTITIONS


def sent(windows: Iterable[Sent], chance: random.Random) -> Log:
    """Let the broker take what gateways send, a little later."""
    log = Log()
    for one in sorted(windows, key=lambda one: one.sent_ms):
        at_ms = one.sent_ms + chance.randrange(400) - _FAST_MS * (one.sensor_id in FAST)
        log.append(partition_of(one.sensor_id), one.sensor_id, one.sealed, at_ms)
    return log


def scored(log: Log, sealer: Sealer, chance: random.Random, late_ms: int) -> Log:
    """Let classifiers work, which are killed, taken over while they still go on, and late."""
    candidates, scoring = Log(), Scoring(sealer, policy().core)
    for number, messages in enumerate(log.partitions):
        position = committed = 0
        while position < len(messages):
            until = min(len(messages), position + chance.randrange(1, 30))
            for message in messages[position:until]:
                for sealed in scoring.push(message):
                    sent_ms = message.received_ms + late_ms + chance.randrange(300)
                    candidates.append(number, message.sensor_id, sealed, sent_ms)
            position = until
            if chance.random() < 0.06:
                position = committed  # killed: its successor sends again what was not committed
            elif chance.random() < 0.5:
                committed = position
    return candidates


@dataclass
class Judges:
    """Workers of one partition that judge, one after the other and sometimes two at once."""

    sealer: Sealer
    group: Group
    chance: random.Random
    events: dict[bytes, bytes] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    n_sent: int = 0
    n_duplicates: int = 0
    n_kills: int = 0
    _states: dict[int, list[bytes]] = field(default_factory=dict)
    _unwritten: dict[int, int] = field(default_factory=dict)

    def judge(self, messages: list[Message]) -> None:
        """Read a partition to its end."""
        sensors = {sensor.sensor_id: sensor for sensor in self.group.sensors}
        here = {message.sensor_id for message in messages}
        self._states = {one: [new_gate_state(sensors[one], self.sealer)] for one in here - NEW}
        self._unwritten = {}
        worker, position = self._worker(), 0
        while position < len(messages):
            self._take(worker, messages[position])
            self._unwritten.setdefault(messages[position].sensor_id, position)
            position += 1
            if self.chance.random() < 0.1:
                self._write(worker)
            if self.chance.random() < 0.02:
                self._disturb(worker, messages[:position])
            if self.chance.random() < 0.02:
                self.n_kills += 1
                if self.chance.random() < 0.5:  # it only sleeps, and goes on after its successor has begun
                    for message in messages[position : position + 12]:
                        self._take(worker, message)
                    self._write(worker, is_late=True)
                position = min([*self._unwritten.values(), position])
                worker, self._unwritten = self._worker(), {}
        self.gates += [worker._doors[one].gate for one in sorted(here)]

    def _worker(self) -> Gates:
        scales = {sensor.sensor_id: sensor.full_scale_db for sensor in self.group.sensors}
        worker = Gates(self.sealer, policy().core, scales.__getitem__)
        for sensor_id, states in self._states.items():
            kept = states[-4:]
            self.chance.shuffle(kept)
            worker.restore(sensor_id, kept)
        return worker

    def _take(self, worker: Gates, message: Message) -> None:
        try:
            events = worker.push(message)
        except BlockError as refused:
            assert refused.reason == "duplicate" or (message.sensor_id in FAST and refused.reason == "clock_ahead")
            self.n_duplicates += 1
            return
        for event in events:
            self._keep(event)

    def _keep(self, event: Event) -> None:
        """Keep the first of each id, as a sink does; a second one is no other."""
        value, self.n_sent = encode(event), self.n_sent + 1
        name = b"%d %d %s" % (event.sensor_id, event.slot, event.sound_class.encode())
        assert self.events.setdefault(name, value) == value, "conflict"

    def _write(self, worker: Gates, *, is_late: bool = False) -> None:
        """Write the states of some sensors; what they hold need not be read again."""
        for sensor_id in list(self._unwritten):
            if worker.knows(sensor_id) and self.chance.random() < 0.5:
                self._states.setdefault(sensor_id, []).append(worker.state(sensor_id))
                if not is_late:
                    del self._unwritten[sensor_id]

    def _disturb(self, worker: Gates, judged: list[Message]) -> None:
        """Hand a gate what no mark would let through: candidates of before, and of another sensor. They move nothing."""
        for message in self.chance.sample(judged, min(len(judged), 30)):
            for sensor_id in {message.sensor_id, self.chance.choice(judged).sensor_id}:
                if worker.knows(sensor_id) and message.sensor_id not in FAST:
                    again = self.sealer.open_candidate(message.sealed, sensor_id=message.sensor_id, mark=Mark())
                    assert worker._doors[sensor_id].gate.receive([again]) == []
