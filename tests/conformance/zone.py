"""Workers behind a broker in memory: kills, zombies, doubled messages and late classifiers, from one seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from dsp_core.zone import BlockError, Gate, Mark, Sealer
from tests.conformance.placements import Sent, new_gate_state
from tests.conformance.scenario import FAST, NEW, Group, policy

from sourdine.cut import Gates, Message, Scoring
from sourdine.outgoing.cloudevents import Record, encode

N_PARTITIONS: Final = 4
#: The broker's clock is behind that of the sensor whose clock is ahead.
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

    def later(self, late_ms: int) -> Log:
        """Have the same messages sent later."""
        return Log([[replace(one, received_ms=one.received_ms + late_ms) for one in part] for part in self.partitions])


def sent(messages: Iterable[Sent], chance: random.Random) -> Log:
    """Let the broker take what is sent, a little later."""
    log = Log()
    for one in sorted(messages, key=lambda one: one.sent_ms):
        at_ms = one.sent_ms + chance.randrange(300) - _FAST_MS * (one.sensor_id == FAST)
        # The sensor with another clock has a partition of its own, since in one the broker's time is one.
        partition = N_PARTITIONS if one.sensor_id == FAST else one.sensor_id % N_PARTITIONS
        log.append(partition, one.sensor_id, one.sealed, at_ms)
    return log


def scored(log: Log, sealer: Sealer, chance: random.Random) -> Log:
    """Let classifiers work, which are killed and taken over."""
    candidates, scoring = Log(), Scoring(sealer, policy().core)
    for number, messages in enumerate(log.partitions):
        position = committed = 0
        while position < len(messages):
            until = min(len(messages), position + chance.randrange(1, 30))
            for message in messages[position:until]:
                for sealed in scoring.push(message):
                    candidates.append(number, message.sensor_id, sealed, message.received_ms + chance.randrange(300))
            position = until
            if chance.random() < 0.04:
                position = committed  # killed: its successor sends again what was not committed
            elif chance.random() < 0.5:
                committed = position
    return candidates


@dataclass
class Kept:
    """What a sink keeps: the first record of each id, of which no second one may differ."""

    values: dict[tuple[object, ...], bytes] = field(default_factory=dict)
    n_sent: int = 0

    def take(self, records: Iterable[Record]) -> None:
        """Take what leaves."""
        for record in records:
            value, self.n_sent = encode(record), self.n_sent + 1
            told_by = getattr(record, "sound_class", getattr(record, "metric", None))
            name = (type(record), record.sensor_id, record.slot, told_by)
            assert self.values.setdefault(name, value) == value, f"conflict: {name}"


@dataclass
class Judges:
    """The workers that judge: one after the other in each partition, and sometimes two at once."""

    sealer: Sealer
    group: Group
    chance: random.Random
    kept: Kept = field(default_factory=Kept)
    gates: list[Gate] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    n_kills: int = 0
    _states: dict[int, list[bytes]] = field(default_factory=dict)
    _unwritten: dict[int, int] = field(default_factory=dict)

    def judge(self, candidates: Log) -> None:
        """Read everything."""
        sensors = {sensor.sensor_id: sensor for sensor in self.group.sensors}
        for messages in candidates.partitions:
            here = {message.sensor_id for message in messages}
            self._states = {one: [new_gate_state(sensors[one], self.sealer)] for one in here - NEW}
            self._unwritten = {}
            worker = self._judge(messages)
            self.gates += [worker._doors[one].gate for one in sorted(here)]

    def _judge(self, messages: Sequence[Message]) -> Gates:
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
        return worker

    def _worker(self) -> Gates:
        worker = Gates(self.sealer, policy().core, full_scale_of(self.group))
        for sensor_id, states in self._states.items():
            worker.restore(sensor_id, self.chance.sample(states[-4:], len(states[-4:])))
        return worker

    def _take(self, worker: Gates, message: Message) -> None:
        try:
            self.kept.take(worker.push(message))
        except BlockError as refused:
            self.refused[refused.reason] += 1

    def _write(self, worker: Gates, *, is_late: bool = False) -> None:
        """Write the states of some sensors; what they hold need not be read again."""
        for sensor_id in list(self._unwritten):
            if worker.knows(sensor_id) and self.chance.random() < 0.5:
                self._states.setdefault(sensor_id, []).append(worker.state(sensor_id))
                if not is_late:
                    del self._unwritten[sensor_id]

    def _disturb(self, worker: Gates, judged: Sequence[Message]) -> None:
        """Hand gates what no mark would let through: candidates of before, and of another sensor. They move nothing."""
        for message in self.chance.sample(judged, min(len(judged), 30)):
            for sensor_id in {message.sensor_id, self.chance.choice(judged).sensor_id}:
                if worker.knows(sensor_id) and message.sensor_id != FAST:
                    again = self.sealer.open_candidate(message.sealed, sensor_id=message.sensor_id, mark=Mark())
                    assert worker._doors[sensor_id].gate.receive([again]) == []


def full_scale_of(group: Group) -> Callable[[int], float | None]:
    """Give what says the calibration of a group's sensors."""
    return {sensor.sensor_id: sensor.full_scale_db for sensor in group.sensors}.get
