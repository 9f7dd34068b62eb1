"""One sensor's stages behind a broker, in placement `relay`: blocks of sound in their order to windows and records.

A stretch is sound without a break: one boot, one rate, each block where the last one ended. Its seconds are counted by
its samples from the boot on. Behind a break another one begins with the next whole second; slots never go back. No I/O.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dsp_core.records import LevelRecord, SensorHealth
from dsp_core.zone import BlockError, Checkpoint, Describe, LevelGate, Trigger

from sourdine.sequencer import LATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dsp_core.records import Policy
    from dsp_core.zone import AudioBlock, Description, FeatureWindow, Sealer

#: A second counts from 2 s before to 120 s after it, by the time at which its sound was received.
MAX_AGE_S: Final = 120
_MAX_AHEAD_S: Final = 2
AHEAD: Final = "slot_ahead"
#: Of a sensor that has been silent for longer no records are made: that it is offline, their absence says.
_SILENT_S: Final = 3_600
#: What a successor hears again before it goes on.
_REFILL_S: Final = 2
_MS_PER_S: Final = 1_000
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class SealedWindow:
    """A window as it is sent.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.
    sealed : bytes
        Its value.
    """

    sensor_id: int
    sealed: bytes = field(repr=False)


#: What comes of a block.
Heard: TypeAlias = SealedWindow | LevelRecord | SensorHealth


@dataclass(slots=True)
class _Stretch:
    """Where the stretch stands that is being heard, or was the last."""

    boot_ns: int
    sample_rate: int
    #: The sample that comes next.
    end: int
    is_open: bool
    #: When its last block was received.
    received_ms: int

    def slot(self, sample: int) -> int:
        return (self.boot_ns * self.sample_rate + sample * _NS_PER_S) // (self.sample_rate * _NS_PER_S)

    def goes_on_with(self, block: AudioBlock, boot_ns: int) -> bool:
        place = (boot_ns, block.sample_rate, block.start_sample)
        return self.is_open and place == (self.boot_ns, self.sample_rate, self.end)


def refusal_of(block: AudioBlock, boot_ns: int, received_ms: int) -> str | None:
    """Say why a block's seconds do not count.

    Parameters
    ----------
    block : AudioBlock
        The block.
    boot_ns : int
        When its sensor began to count samples.
    received_ms : int
        When the broker took it.

    Returns
    -------
    str or None
        `LATE` or `AHEAD`; None if they count.
    """
    place = _Stretch(boot_ns, block.sample_rate, block.start_sample, is_open=False, received_ms=received_ms)
    received_s = received_ms // _MS_PER_S
    if place.slot(block.start_sample) < received_s - MAX_AGE_S:
        return LATE
    if place.slot(block.start_sample + block.n_samples - 1) > received_s + _MAX_AHEAD_S:
        return AHEAD
    return None


def time_of(block: AudioBlock, boot_ns: int, received_ms: int) -> int:
    """Return what time it is by a block, for all sensors.

    One that comes too late tells no more than that its own sound is over: it was long on its way, or the broker's clock
    ran ahead for a moment, and that must not end the seconds of others.

    Parameters
    ----------
    block : AudioBlock
        The block.
    boot_ns : int
        When its sensor began to count samples.
    received_ms : int
        When the broker took it.

    Returns
    -------
    int
        Since 1970-01-01T00:00:00Z, in ms.
    """
    if refusal_of(block, boot_ns, received_ms) != LATE:
        return received_ms
    end = block.start_sample + block.n_samples
    return boot_ns // _NS_PER_MS + end * _MS_PER_S // block.sample_rate


class Hearing:
    """The stages of one sensor.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.
    policy : Policy
        What may leave.
    sealer : Sealer
        Seals windows.
    """

    def __init__(self, sensor_id: int, policy: Policy, sealer: Sealer) -> None:
        self._sensor_id, self._policy, self._sealer = sensor_id, policy, sealer
        self._stages: tuple[Describe, Trigger, LevelGate] | None = None
        self._stretch = _Stretch(0, 0, 0, is_open=False, received_ms=0)
        #: Blocks of the last 2 s: where each begins, and its place at the broker.
        self._recent: deque[tuple[int, int]] = deque()
        #: After a restore, what is to be heard again: opened only when it is needed, if at all.
        self._again: list[tuple[int, bytes]] | None = None

    def begin(self, block: AudioBlock, boot_ns: int, full_scale_db: float | None) -> None:
        """Make new stages for a sensor without a state.

        Parameters
        ----------
        block : AudioBlock
            The first one to be pushed.
        boot_ns : int
            When its sensor began to count samples.
        full_scale_db : float or None
            Level of full scale in dB re 20 µPa, from the calibration.
        """
        start_slot, first_sample = _first(block, boot_ns, 0)
        policy, sensor_id = self._policy, self._sensor_id
        self._stages = (
            Describe(
                sensor_id=sensor_id,
                sample_rate=block.sample_rate,
                start_slot=start_slot,
                policy=policy,
                first_sample=first_sample,
            ),
            Trigger(sensor_id=sensor_id, alarms_per_day=policy.alarms_per_day),
            LevelGate(sensor_id=sensor_id, policy=policy, start_slot=start_slot, full_scale_db=full_scale_db),
        )
        self._stretch = _Stretch(boot_ns, block.sample_rate, block.start_sample, is_open=True, received_ms=0)

    def push(self, block: AudioBlock, boot_ns: int, received_ms: int, kafka_offset: int) -> list[Heard]:
        """Hear the next block, whose seconds count.

        Parameters
        ----------
        block : AudioBlock
            The block.
        boot_ns : int
            When its sensor began to count samples.
        received_ms : int
            When the broker took it.
        kafka_offset : int
            Its place at the broker.

        Returns
        -------
        list of SealedWindow, LevelRecord or SensorHealth
            What leaves now.
        """
        self._hear_again()
        heard = [] if self._stretch.goes_on_with(block, boot_ns) else self._begin_anew(block, boot_ns)
        stretch = self._stretch
        stretch.end, stretch.received_ms = block.start_sample + block.n_samples, received_ms
        self._recent.append((block.start_sample, kafka_offset))
        while len(self._recent) > 1 and self._recent[1][0] <= stretch.end - _REFILL_S * stretch.sample_rate:
            self._recent.popleft()
        describe, _, _ = self._its_stages
        return heard + self._pass_on(describe.push(block))

    def let_pass(self, now_ms: int) -> list[Heard]:
        """Let go of the seconds that no sound can count for any more.

        Parameters
        ----------
        now_ms : int
            When the broker took the newest message.

        Returns
        -------
        list of SealedWindow, LevelRecord or SensorHealth
            What leaves now.
        """
        stretch, _, level_gate = self._stretch, *self._its_stages[1:]
        first = now_ms // _MS_PER_S - MAX_AGE_S
        if stretch.is_open and stretch.slot(stretch.end) >= first:
            return []
        heard = self._end()
        until = min(first, stretch.received_ms // _MS_PER_S + _SILENT_S)
        return heard + self._miss(range(level_gate.next_slot, until))

    def mark_clock(self) -> None:
        """Say of the period that is open that sound and clock do not go together."""
        self._its_stages[2].mark_clock()

    def read_from(self) -> int | None:
        """Return from where in the partition a successor must hear again; None: from nowhere."""
        return min((kafka_offset for _, kafka_offset in self._recent), default=None)

    def note(self) -> dict[str, Any]:
        """Return where it stands, for `restore`."""
        stretch = self._stretch
        return {name: getattr(stretch, name) for name in stretch.__slots__}

    def snapshot(self, kafka_offset: int, note: bytes) -> Checkpoint:
        """Return everything that the stages know, but for the last 2 s of sound; opaque.

        Parameters
        ----------
        kafka_offset : int
            Where a successor begins to read.
        note : bytes
            What it must know besides.
        """
        return Checkpoint.take_hearing(*self._its_stages, kafka_offset=kafka_offset, note=note)

    def restore(self, checkpoint: Checkpoint, note: dict[str, Any]) -> None:
        """Go on from a state.

        Parameters
        ----------
        checkpoint : Checkpoint
            From `snapshot`.
        note : dict
            From `note`.

        Raises
        ------
        dsp_core.zone.BlockError
            If it is of another policy.
        """
        describe, trigger, level_gate, _ = checkpoint.restore_hearing(self._policy)
        self._stages, self._stretch, self._again = (describe, trigger, level_gate), _Stretch(**note), []
        self._recent = deque([(0, checkpoint.kafka_offset)] if self._stretch.is_open else [])

    def give_back(self, sealed: bytes, kafka_offset: int) -> None:
        """Take a message that was heard before the state; those of the last 2 s are heard again.

        Parameters
        ----------
        sealed : bytes
            Its value.
        kafka_offset : int
            Its place at the broker.
        """
        if self._again is not None and self._recent and kafka_offset >= self._recent[0][1]:
            self._again.append((kafka_offset, sealed))

    @property
    def _its_stages(self) -> tuple[Describe, Trigger, LevelGate]:
        assert self._stages is not None
        return self._stages

    def _hear_again(self) -> None:
        """Fill tail and frames as they were; where the broker no longer has what is needed, a new stretch begins."""
        if self._again is None:
            return
        again, self._again = self._again, None
        if not self._stretch.is_open:
            return
        describe, trigger, _ = self._its_stages
        self._recent.clear()
        try:
            for kafka_offset, block in self._last_blocks(again):
                trigger.refill(describe.refill(block))
                self._recent.append((block.start_sample, kafka_offset))
        except BlockError:
            self._recent.clear()
        self._stretch.is_open = bool(self._recent)

    def _last_blocks(self, again: Iterable[tuple[int, bytes]]) -> list[tuple[int, AudioBlock]]:
        """Open what leads to the end of the stretch without a hole, 2 s of it or what there is."""
        by_end = {}
        for kafka_offset, sealed in again:
            try:
                block = self._sealer.reopen_block(sealed, sensor_id=self._sensor_id)
            except BlockError:
                continue
            by_end[block.start_sample + block.n_samples] = (kafka_offset, block)
        found, stretch = [], self._stretch
        at = stretch.end
        while at in by_end and at > stretch.end - _REFILL_S * stretch.sample_rate:
            found.append(by_end.pop(at))
            at = found[-1][1].start_sample
        return found[::-1]

    def _begin_anew(self, block: AudioBlock, boot_ns: int) -> list[Heard]:
        """End the stretch, and begin another with the next whole second that was not used yet."""
        heard = self._end()
        next_slot = self._its_stages[2].next_slot
        start_slot, first_sample = _first(block, boot_ns, next_slot)
        heard += self._miss(range(max(next_slot, start_slot - _SILENT_S), start_slot))
        describe, trigger, level_gate, _ = self.snapshot(0, b"").resume_hearing(
            self._policy, sample_rate=block.sample_rate, start_slot=start_slot, first_sample=first_sample
        )
        self._stages = (describe, trigger, level_gate)
        received_ms = self._stretch.received_ms
        self._stretch = _Stretch(boot_ns, block.sample_rate, block.start_sample, is_open=True, received_ms=received_ms)
        return heard

    def _end(self) -> list[Heard]:
        self._hear_again()
        if not self._stretch.is_open:
            return []
        self._stretch.is_open = False
        self._recent.clear()
        describe, trigger, _ = self._its_stages
        heard = self._pass_on(describe.finish())
        return heard + self._sealed([*trigger.finish(), trigger.lull()])

    def _miss(self, slots: range) -> list[Heard]:
        level_gate = self._its_stages[2]
        return [record for slot in slots for record in level_gate.miss(slot)]

    def _pass_on(self, description: Description) -> list[Heard]:
        _, trigger, level_gate = self._its_stages
        windows = self._sealed([*trigger.push(description), trigger.lull()])
        return [*windows, *level_gate.push(description)]

    def _sealed(self, windows: list[FeatureWindow | None]) -> list[Heard]:
        seal, received_ms = self._sealer.seal_window, self._stretch.received_ms
        return [
            SealedWindow(self._sensor_id, seal(window, received_ms=received_ms))
            for window in windows
            if window is not None
        ]


def _first(block: AudioBlock, boot_ns: int, next_slot: int) -> tuple[int, int]:
    """Return the first whole second of a block, or of the blocks behind it, that may be used, and its first sample."""
    rate = block.sample_rate
    begin = -(-(boot_ns * rate + block.start_sample * _NS_PER_S) // (rate * _NS_PER_S))
    start_slot = max(begin, next_slot)
    return start_slot, -(-(start_slot * _NS_PER_S - boot_ns) * rate // _NS_PER_S)
