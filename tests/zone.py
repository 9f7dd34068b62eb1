"""The chain cut where a broker would stand, as agents call it: sealed bytes between the stages, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dsp_core.records import Event, LevelRecord, SensorHealth
from dsp_core.zone import AudioBlock, Checkpoint, Describe, Description, Gate, LevelGate, Mark, Sealer, Trigger
from tests.chain import classifier, street

SENSOR = 1
RATE = 16_000


@dataclass(frozen=True)
class Message:
    """Sealed bytes of sensor 1, and when the broker took them."""

    sealed: bytes
    received_ms: int


def sound_log(blocks: Iterable[AudioBlock], sealer: Sealer) -> list[Message]:
    """Send blocks as the sensor does; each is received 80 ms after its end."""

    def message(n: int, block: AudioBlock) -> Message:
        sealed = sealer.seal_block(block, encoding="s16le", boot_ns=0, sequence=n)
        return Message(sealed, (block.start_sample + block.n_samples) * 1000 // RATE + 80)

    return [message(n, block) for n, block in enumerate(blocks)]


@dataclass
class Hearing:
    """The stages that hear: sealed sound in, sealed windows out."""

    sealer: Sealer
    describe: Describe
    trigger: Trigger
    level_gate: LevelGate
    mark: Mark
    levels: list[LevelRecord | SensorHealth] = field(default_factory=list)

    @classmethod
    def new(cls, sealer: Sealer) -> Hearing:
        """Begin at second 0."""
        core = street().core
        return cls(
            sealer,
            Describe(sensor_id=SENSOR, sample_rate=RATE, start_slot=0, policy=core),
            Trigger(sensor_id=SENSOR, alarms_per_day=core.alarms_per_day),
            LevelGate(sensor_id=SENSOR, policy=core, start_slot=0),
            Mark(),
        )

    @classmethod
    def restored(cls, sealer: Sealer, sealed: bytes, before: Iterable[Message]) -> Hearing:
        """Go on where another one kept its state."""
        checkpoint = sealer.unseal(sensor_id=SENSOR, sealed=sealed)
        hearing = cls(sealer, *checkpoint.restore_hearing(street().core))
        for message in before:
            block = sealer.reopen_block(message.sealed, sensor_id=SENSOR)
            hearing.trigger.refill(hearing.describe.refill(block))
        return hearing

    def state(self, kafka_offset: int) -> bytes:
        """Keep the state."""
        stages = (self.describe, self.trigger, self.level_gate)
        checkpoint = Checkpoint.take_hearing(*stages, mark=self.mark, kafka_offset=kafka_offset)
        return self.sealer.seal(checkpoint)

    def push(self, message: Message) -> list[bytes]:
        """Hear one sealed block."""
        received_ms = message.received_ms
        block = self.sealer.open_block(message.sealed, sensor_id=SENSOR, mark=self.mark, received_ms=received_ms)
        return self._pass_on(self.describe.push(block), received_ms)

    def finish(self, received_ms: int) -> list[bytes]:
        """End the stream."""
        sealed = self._pass_on(self.describe.finish(), received_ms)
        windows = [*self.trigger.finish(), self.trigger.lull()]
        self.levels += self.level_gate.finish()
        return sealed + [self.sealer.seal_window(w, received_ms=received_ms) for w in windows if w is not None]

    def _pass_on(self, description: Description, received_ms: int) -> list[bytes]:
        windows = [*self.trigger.push(description), self.trigger.lull()]
        self.levels += self.level_gate.push(description)
        return [self.sealer.seal_window(w, received_ms=received_ms) for w in windows if w is not None]


def hear_all(log: list[Message], sealer: Sealer) -> tuple[list[bytes], Hearing]:
    """Hear a whole log."""
    hearing = Hearing.new(sealer)
    windows = [sealed for message in log for sealed in hearing.push(message)]
    return windows + hearing.finish(log[-1].received_ms), hearing


def classify_all(windows: Iterable[bytes], sealer: Sealer) -> Iterator[bytes]:
    """Turn sealed windows into sealed candidates."""
    for sealed in windows:
        window = sealer.open_window(sealed, sensor_id=SENSOR, received_ms=2**60)
        for candidate in classifier().push([window]):
            yield sealer.seal_candidate(candidate)


def judge(candidate: bytes, gate: Gate, mark: Mark, sealer: Sealer) -> list[Event]:
    """Let the gate judge one sealed candidate."""
    return gate.receive([sealer.open_candidate(candidate, sensor_id=SENSOR, mark=mark)])
