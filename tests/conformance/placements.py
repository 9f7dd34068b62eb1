"""The placements: one scenario in, the bytes of all records out."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
from dsp_core.zone import Checkpoint, Classify, Gate, Mark, Sealer, sealed_header
from tests.chain import Record
from tests.conformance.scenario import HOUR, NEW, Group, Sensor, policy
from tests.gateways import STEP_S, Town
from tests.sounds import pcm16

from sourdine.flow import Flow
from sourdine.gateway.relay import BlockSender
from sourdine.gateway.settings import StreamSettings
from sourdine.gateway.store import Store
from sourdine.outgoing.cloudevents import encode
from sourdine.pcm import PcmFormat

#: Longest piece of sound that comes at once, and how late it may be: well within what a live stream is allowed.
_PIECE_S: Final = 0.5
_LATE_S: Final = 0.75


@dataclass
class Local:
    """One process, by the sound's own time: no clock, no broker."""

    classify: Classify = field(default_factory=lambda: Classify(policy=policy().core))
    gates: list[Gate] = field(default_factory=list)

    def run(self, group: Group, seed: int) -> list[bytes]:
        """Hear everything."""
        return [encode(record) for sensor in group.sensors for record in self._hear(group, sensor, seed)]

    def _hear(self, group: Group, sensor: Sensor, seed: int) -> list[Record]:
        flow, records = new_flow(group, sensor, self.classify), []
        if sensor.sensor_id in NEW:
            flow.withhold_hour_of(group.begin)
        for stretch in sensor.stretches:
            records += _missed(flow, stretch.start_slot)
            flow = Flow.resume(
                flow.snapshot(),
                policy=policy().core,
                classify=self.classify,
                sample_rate=sensor.sample_rate,
                start_slot=stretch.start_slot,
            )
            for block in sensor.blocks(sensor.counted(stretch), seed):
                records += flow.push(block)
            records += flow.pause()
        self.gates.append(flow._gate)
        # A listener lets a second pass that brought no sound a second after its end.
        return [*records, *_missed(flow, group.end - 1)]


def new_flow(group: Group, sensor: Sensor, classify: Classify) -> Flow:
    """Make the chain of a sensor that has told nothing yet."""
    return Flow(
        sensor_id=sensor.sensor_id,
        sample_rate=sensor.sample_rate,
        start_slot=group.begin,
        policy=policy().core,
        classify=classify,
        full_scale_db=sensor.full_scale_db,
    )


def new_gate_state(sensor: Sensor, sealer: Sealer) -> bytes:
    """Make the state of a gate that has told nothing yet."""
    gate = Gate(sensor_id=sensor.sensor_id, policy=policy().core, full_scale_db=sensor.full_scale_db)
    return sealer.seal(Checkpoint.take_gate(gate, mark=Mark(), kafka_offset=0))


def _missed(flow: Flow, end: int) -> list[Record]:
    return [record for slot in range(flow.next_slot, end) for record in flow.miss(slot)]


@dataclass
class Sound:
    """The other end of a sensor's pipe: its stretches in step with the clock, in pieces that come early and late."""

    sensor: Sensor
    stream: StreamSettings
    rng: np.random.Generator
    start: int = 0
    _n_stretch: int = 0
    _n_played: int = 0
    _end: Any = None

    def play(self, seconds: float) -> None:
        """Play what has happened by the end of the next quarter of a second, or a little less of it."""
        if self._n_stretch == len(self.sensor.stretches):
            return
        stretch, rate = self.sensor.stretches[self._n_stretch], self.sensor.sample_rate
        seconds_after_hour = self.start - HOUR + seconds + STEP_S
        n_due = min(stretch.samples.size, round(seconds_after_hour * rate) - self.sensor.begins_at(stretch))
        n_left = n_due - self._n_played
        # By when the first sound comes its second is known: by then nothing may be late.
        is_late = self._n_played > 2 * rate and n_left < _LATE_S * rate and self.rng.uniform() < 0.3
        if n_left > 0 and not is_late:
            self._play(stretch.samples[self._n_played : self._n_played + min(n_left, int(_PIECE_S * rate))])
        elif self._n_played == stretch.samples.size:
            self.leave()
            self._n_stretch, self._n_played = self._n_stretch + 1, 0

    def leave(self) -> None:
        """Close the pipe."""
        if self._end is not None:
            self._end.close()
            self._end = None

    def _play(self, samples: Any) -> None:
        if self._end is None:
            assert self.stream.path is not None
            self._end = os.fdopen(os.open(self.stream.path, os.O_WRONLY | os.O_NONBLOCK), "wb", buffering=0)
        self._n_played += (self._end.write(pcm16(samples)) or 0) // 2  # a pipe that is full takes less


@dataclass(frozen=True)
class Sent:
    """A sealed window or block, and when its gateway sent it."""

    sensor_id: int
    sealed: bytes
    sent_ms: int


@dataclass
class Live:
    """A gateway by the clock, its streams through pipes: the whole chain, what stands before a broker, or seals."""

    folder: Path
    placement: str
    #: Of the gateway's clock, by the time.
    error_s: Callable[[float], float] = lambda _: 0.0
    #: Windows, or in placement `relay` blocks of sound.
    sealed: list[Sent] = field(default_factory=list)
    sealer: Sealer | None = None

    def run(self, group: Group, seed: int) -> list[bytes]:
        """Hear everything; the records that a gateway sends, as they wait for the broker."""
        self.folder.mkdir(exist_ok=True)
        sounds = [self._sound(sensor, seed) for sensor in group.sensors]
        streams = [sound.stream for sound in sounds]
        town = Town(self.folder, *streams, placement=self.placement, policy=policy(), max_windows=100_000)
        self.sealer = town.settings.sealer
        if self.placement == "gateway":
            self._enrol(group, town)
        for start, end in zip(group.starts, [*group.starts[1:], group.end], strict=True):
            for sound in sounds:
                sound.start = start
            watch = self._watch(town, start)
            with patch.object(BlockSender, "take_block", lambda _, __, sealed: town.windows.append(sealed)):
                town.run(start, end - start, *sounds, each_look=watch, error_s=self.error_s)  # type: ignore[arg-type]
            watch(end - start)
        return town.values()

    def _sound(self, sensor: Sensor, seed: int) -> Sound:
        path = self.folder / f"{sensor.sensor_id}.pcm"
        os.mkfifo(path)
        pcm = PcmFormat(sample_rate=sensor.sample_rate, encoding="s16le", n_channels=1)
        stream = StreamSettings(
            sensor_id=sensor.sensor_id, kind="pipe", pcm=pcm, path=path, full_scale_db=sensor.full_scale_db
        )
        return Sound(sensor, stream, np.random.default_rng([seed, sensor.sensor_id]))

    def _enrol(self, group: Group, town: Town) -> None:
        """Write the states of sensors that have told nothing yet."""
        classify = Classify(policy=policy().core)
        with closing(Store(town.settings.state)) as store:
            for sensor in group.sensors:
                if sensor.sensor_id not in NEW:
                    sealed = town.settings.sealer.seal(new_flow(group, sensor, classify).snapshot())
                    store.of(sensor.sensor_id, sensor.full_scale_db).commit(sealed, group.begin, [])
            store.flush(group.begin)

    def _watch(self, town: Town, start: int) -> Callable[[float], None]:
        """Note when windows are sent."""

        def look(passed: float) -> None:
            with suppress(IndexError):
                while True:
                    sealed = town.windows.pop(0)
                    sent_ms = round(1000 * (start + passed))
                    self.sealed.append(Sent(sealed_header(sealed).sensor_id, sealed, sent_ms))

        return look
