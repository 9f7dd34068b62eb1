"""Placement `relay`: sensors that only seal, blocks that are lost, doubled and out of order, workers that describe."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import numpy as np
from dsp_core.records import LevelRecord, SensorHealth
from dsp_core.zone import AudioBlock, Sealer
from tests.chain import blocks_of
from tests.conformance.placements import Sent
from tests.conformance.scenario import HOUR, Group, Sensor, Stretch
from tests.conformance.scenario import policy as its_policy
from tests.conformance.zone import N_PARTITIONS, Kept, Log, full_scale_of

from sourdine.cut import Message
from sourdine.hearing import SealedWindow
from sourdine.hearings import Hearings, Output

_NS_PER_S: Final = 1_000_000_000
_MS_PER_S: Final = 1_000
#: Sensors that only let time pass, one in each partition.
_LAST: Final = 1_000


def boots(sensor: Sensor) -> list[list[Stretch]]:
    """Group the stretches of a sensor by boot."""
    found: list[list[Stretch]] = []
    for stretch in sensor.stretches:
        if stretch.is_boot:
            found.append([])
        found[-1].append(stretch)
    return found


def _blocks(sensor: Sensor, boot: list[Stretch], seed: int) -> Iterator[tuple[AudioBlock, bool]]:
    """Cut a boot into blocks, and say which are lost: those between its stretches."""
    first = sensor.begins_at(boot[0])
    heard = [(begin := sensor.begins_at(one) - first, begin + one.samples.size) for one in boot]
    samples = np.zeros(heard[-1][1])
    for (begin, end), stretch in zip(heard, boot, strict=True):
        samples[begin:end] = stretch.samples
    for block in sensor.blocks(samples, seed, edges=(edge for both in heard for edge in both)):
        yield block, not any(begin <= block.start_sample < end for begin, end in heard)


def sound_sent(group: Group, sealer: Sealer, chance: random.Random) -> Iterator[Sent]:
    """Seal all sound, lose what is lost, send some twice and some too late for their turn."""
    for sensor in group.sensors:
        for boot in boots(sensor):
            boot_ns = HOUR * _NS_PER_S + sensor.begins_at(boot[0]) * _NS_PER_S // sensor.sample_rate
            for number, (block, is_lost) in zip(count(), _blocks(sensor, boot, chance.randrange(1 << 30))):
                if is_lost:
                    continue
                sealed = sealer.seal_block(block, encoding="s16le", boot_ns=boot_ns, sequence=number)
                end = block.start_sample + block.n_samples
                sent_ms = (boot_ns + end * _NS_PER_S // sensor.sample_rate) // 1_000_000 + 50
                late_ms = chance.randrange(1_000) if chance.random() < 0.05 else 0
                yield Sent(sensor.sensor_id, sealed, sent_ms + late_ms)
                if chance.random() < 0.05:
                    yield Sent(sensor.sensor_id, sealed, sent_ms + chance.randrange(30_000))


def let_pass(log: Log, sealer: Sealer, until: int) -> None:
    """Let the broker's time go on by a block of another sensor, until a second without sound has passed for all."""
    for partition in range(N_PARTITIONS):
        (block,) = blocks_of(np.zeros(1_600), sensor_id=_LAST + partition)
        received = until + 120
        sealed = sealer.seal_block(block, encoding="s16le", boot_ns=received * _NS_PER_S, sequence=0)
        log.append(partition, _LAST + partition, sealed, received * _MS_PER_S)


@dataclass
class Describers:
    """The workers that describe: one after the other in each partition, and sometimes two at once."""

    sealer: Sealer
    group: Group
    chance: random.Random
    kept: Kept = field(default_factory=Kept)
    windows: Log = field(default_factory=Log)
    n_kills: int = 0
    _states: dict[int, list[bytes]] = field(default_factory=dict)
    #: From where a successor would read each sensor's messages.
    _read_from: dict[int, int] = field(default_factory=dict)

    def describe(self, sound: Log) -> None:
        """Read everything."""
        for number, messages in enumerate(sound.partitions):
            self._states, self._read_from = {}, {}
            self._describe(number, messages)

    def _describe(self, number: int, messages: Sequence[Message]) -> None:
        worker, position = self._worker(), 0
        while position < len(messages):
            message = messages[position]
            self._read_from.setdefault(message.sensor_id, position)
            self._take(number, message, worker)
            position += 1
            if self.chance.random() < 0.05:
                self._write(worker)
            if self.chance.random() < 0.004:
                self.n_kills += 1
                if self.chance.random() < 0.5:  # it only sleeps, and goes on after its successor has begun
                    for later in messages[position : position + 20]:
                        self._take(number, later, worker)
                position = min([*self._read_from.values(), position])
                worker = self._worker()

    def _worker(self) -> Hearings:
        worker = Hearings(self.sealer, its_policy().core, full_scale_of(self.group))
        for sensor_id, states in self._states.items():
            worker.restore(sensor_id, self.chance.sample(states[-3:], len(states[-3:])))
        return worker

    def _take(self, number: int, message: Message, worker: Hearings) -> None:
        for one in worker.push(message):
            self._send(number, message, one)

    def _send(self, number: int, message: Message, one: Output) -> None:
        if isinstance(one, SealedWindow):
            at_ms = message.received_ms + self.chance.randrange(100)
            self.windows.append(number, one.sensor_id, one.sealed, at_ms)
        elif isinstance(one, LevelRecord | SensorHealth) and one.sensor_id < _LAST:
            self.kept.take([one])

    def _write(self, worker: Hearings) -> None:
        """Write the states of some sensors."""
        for sensor_id in self._read_from:
            if worker.knows(sensor_id) and self.chance.random() < 0.3:
                self._states.setdefault(sensor_id, []).append(worker.state(sensor_id))
                self._read_from[sensor_id] = worker.read_from(sensor_id)
