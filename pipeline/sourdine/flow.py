"""The whole chain for one sensor, as one readable composition of the stages: sound in, closed records out. No I/O.

What passes between the stages is opaque to Python; the stages hold every rule, this file holds none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dsp_core.zone import Checkpoint, Classify, Describe, Gate, LevelGate, Trigger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dsp_core.records import Event, LevelRecord, Policy, SensorHealth
    from dsp_core.zone import AudioBlock, Background, Description, FeatureWindow

    #: The three types that may leave.
    Record: TypeAlias = Event | LevelRecord | SensorHealth


class Flow:
    """One sensor's chain: describe, trigger, classify, gate.

    A deterministic fold: the same sound gives the same records, however it is cut into blocks.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor that the records will carry.
    sample_rate : int
        Of the blocks to come, in Hz.
    start_slot : int
        Second since 1970-01-01T00:00:00Z of the first sample.
    policy : Policy
        What may leave.
    classify : Classify
        The classifier; it keeps nothing between calls, so many flows may share one.
    background : Background or None, default=None
        What the place sounds like, learnt earlier; the shipped street if None.
    full_scale_db : float or None, default=None
        Level of full scale in dB re 20 µPa, from the calibration; None: levels are dBFS.
    """

    def __init__(
        self,
        *,
        sensor_id: int,
        sample_rate: int,
        start_slot: int,
        policy: Policy,
        classify: Classify,
        background: Background | None = None,
        full_scale_db: float | None = None,
    ) -> None:
        self._describe = Describe(sensor_id=sensor_id, sample_rate=sample_rate, start_slot=start_slot, policy=policy)
        self._trigger = Trigger(sensor_id=sensor_id, alarms_per_day=policy.alarms_per_day, background=background)
        self._classify = classify
        self._gate = Gate(sensor_id=sensor_id, policy=policy, full_scale_db=full_scale_db)
        self._level_gate = LevelGate(
            sensor_id=sensor_id, policy=policy, start_slot=start_slot, full_scale_db=full_scale_db
        )

    @property
    def hears_events(self) -> bool:
        """Whether the sample rate is high enough (16 kHz) for events; below it there are levels only."""
        return self._describe.hears_events

    def longest_sample_life_s(self, max_block_s: float) -> float:
        """Return how long a sample lives in memory at most.

        Parameters
        ----------
        max_block_s : float
            Seconds of sound in the longest block to come.

        Returns
        -------
        float
            From its arrival to when it is overwritten, in seconds of sound.
        """
        return self._describe.longest_sample_life_s(max_block_s)

    def push(self, block: AudioBlock) -> list[Record]:
        """Hear one block.

        Parameters
        ----------
        block : AudioBlock
            The next samples of this sensor.

        Returns
        -------
        list of Event, LevelRecord or SensorHealth
            What leaves now.

        Raises
        ------
        dsp_core.zone.BlockError
            If the block is not the next one of this sensor.
        """
        return self._described(self._describe.push(block))

    def finish(self) -> list[Record]:
        """End the stream and return what still leaves."""
        records = self._described(self._describe.finish())
        self._judge(self._trigger.finish())
        return [*records, *self._gate.finish(), *self._level_gate.finish()]

    def snapshot(self) -> Checkpoint:
        """Return everything that the flow knows, but for the last 2 s of sound; opaque."""
        return Checkpoint.take(self._describe, self._trigger, self._gate, self._level_gate)

    @classmethod
    def restore(
        cls, checkpoint: Checkpoint, *, policy: Policy, classify: Classify, before: Iterable[AudioBlock]
    ) -> Flow:
        """Return a flow that goes on where `checkpoint` was taken.

        Parameters
        ----------
        checkpoint : Checkpoint
            From `snapshot`.
        policy : Policy
            The policy that the snapshot was taken under.
        classify : Classify
            The classifier.
        before : iterable of AudioBlock
            The 2 s of sound before ``checkpoint.position`` (less if the stream is younger), up to exactly there.

        Returns
        -------
        Flow
            Its records go on byte for byte as those of the first flow would have.
        """
        flow = cls.__new__(cls)
        flow._classify = classify
        flow._describe, flow._trigger, flow._gate, flow._level_gate = checkpoint.restore(policy)
        for block in before:
            flow._trigger.refill(flow._describe.refill(block))
        return flow

    @classmethod
    def resume(
        cls, checkpoint: Checkpoint, *, policy: Policy, classify: Classify, sample_rate: int, start_slot: int
    ) -> Flow:
        """Return the flow of a live stream that goes on later, without the sound before.

        Parameters
        ----------
        checkpoint : Checkpoint
            From `snapshot`.
        policy : Policy
            The policy that the snapshot was taken under.
        classify : Classify
            The classifier.
        sample_rate : int
            Of the blocks to come, in Hz.
        start_slot : int
            Second since 1970-01-01T00:00:00Z of their first sample.

        Returns
        -------
        Flow
            Its budgets, open periods and background are those of the first flow.
        """
        flow = cls.__new__(cls)
        flow._classify = classify
        flow._describe, flow._trigger, flow._gate, flow._level_gate = checkpoint.resume(
            policy, sample_rate=sample_rate, start_slot=start_slot
        )
        return flow

    def pause(self) -> list[Record]:
        """End the sound but not the periods, and return what still leaves; `resume` a snapshot to go on."""
        records = self._described(self._describe.finish())
        self._judge(self._trigger.finish())
        return [*records, *self._gate.finish()]

    def miss(self, slot: int) -> list[Record]:
        """Let a second pass that brought no sound.

        Parameters
        ----------
        slot : int
            Second since 1970-01-01T00:00:00Z.

        Returns
        -------
        list of LevelRecord or SensorHealth
            What leaves now.
        """
        return [*self._level_gate.miss(slot)]

    def mark_clock(self) -> None:
        """Say of the period that is open that sound and clock did not go together."""
        self._level_gate.mark_clock()

    def withhold_hour_of(self, slot: int) -> None:
        """Withhold every event of a clock hour, in which nobody knows what left before.

        Parameters
        ----------
        slot : int
            A second of it, since 1970-01-01T00:00:00Z.
        """
        self._gate.withhold_hour_of(slot)

    @property
    def next_slot(self) -> int:
        """First second that still counts, since 1970-01-01T00:00:00Z."""
        return self._level_gate.next_slot

    @property
    def hearing(self) -> tuple[Describe, Trigger, LevelGate]:
        """The stages that hear, for a call that hears many sensors: `pass_on` takes what they made of a block."""
        return self._describe, self._trigger, self._level_gate

    def pass_on(
        self, description: Description, windows: Sequence[FeatureWindow], records: Sequence[LevelRecord | SensorHealth]
    ) -> list[Record]:
        """Take what the stages that hear made of a block, and return what leaves.

        Parameters
        ----------
        description : Description
            From the first stage.
        windows : sequence of FeatureWindow
            From the second.
        records : sequence of LevelRecord or SensorHealth
            From the gate of levels.

        Returns
        -------
        list of Event, LevelRecord or SensorHealth
            What leaves now.
        """
        self._judge(windows)
        return [*self._gate.advance(description), *records]

    def _described(self, description: Description) -> list[Record]:
        return self.pass_on(description, self._trigger.push(description), self._level_gate.push(description))

    def _judge(self, windows: Sequence[FeatureWindow]) -> None:
        if windows:
            self._gate.push(self._classify.push(windows))


def learn_background(blocks: Iterable[AudioBlock], *, sensor_id: int, sample_rate: int, policy: Policy) -> Background:
    """Learn what a place sounds like from a recording of it.

    Parameters
    ----------
    blocks : iterable of AudioBlock
        The recording.
    sensor_id : int
        Number that the blocks carry.
    sample_rate : int
        Of the blocks, in Hz.
    policy : Policy
        Its dial is what the threshold is set for.

    Returns
    -------
    Background
        Opaque; for `Flow`.
    """
    describe = Describe(sensor_id=sensor_id, sample_rate=sample_rate, start_slot=0, policy=policy)
    trigger = Trigger(sensor_id=sensor_id, alarms_per_day=policy.alarms_per_day)
    for block in blocks:
        trigger.push(describe.push(block))
    trigger.push(describe.finish())
    return trigger.background()
