"""The part of the chain that stands before the broker in placement `cluster`: describe, trigger, level gate, seal.

It is to a `Listener` what `Flow` is; windows around alarms go out sealed on one side, levels and states as records on
the other. The stages hold every rule, this file holds none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dsp_core.zone import Checkpoint, Describe, LevelGate, Trigger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dsp_core.records import LevelRecord, Policy, SensorHealth
    from dsp_core.zone import AudioBlock, Description, FeatureWindow, Sealer

    from sourdine.live.chain import Hears
    from sourdine.outgoing.cloudevents import Record

    #: Takes a sensor's number and a window of its, sealed.
    SendWindow: TypeAlias = Callable[[int, bytes], None]


class Front:
    """One sensor's stages before the broker.

    Parameters
    ----------
    describe : Describe
        First stage.
    trigger : Trigger
        Second stage.
    level_gate : LevelGate
        The gate of levels and states.
    send : callable
        Takes sealed windows.
    sealer : Sealer
        Seals them.
    """

    def __init__(
        self, describe: Describe, trigger: Trigger, level_gate: LevelGate, send: Callable[[bytes], None], sealer: Sealer
    ) -> None:
        self._describe, self._trigger, self._level_gate = describe, trigger, level_gate
        self._send, self._sealer = send, sealer

    @property
    def next_slot(self) -> int:
        """First second that still counts, since 1970-01-01T00:00:00Z."""
        return self._level_gate.next_slot

    def push(self, block: AudioBlock) -> list[Record]:
        """Hear one block.

        Parameters
        ----------
        block : AudioBlock
            The next samples of this sensor.

        Returns
        -------
        list of LevelRecord or SensorHealth
            What leaves now.
        """
        return self._described(self._describe.push(block))

    def pause(self) -> list[Record]:
        """End the sound but not the periods, and return what still leaves."""
        records = self._described(self._describe.finish())
        self._seal([*self._trigger.finish(), self._trigger.lull()])
        return records

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

    def snapshot(self) -> Checkpoint:
        """Return everything that the stages know, but for the last 2 s of sound; opaque."""
        return Checkpoint.take_hearing(self._describe, self._trigger, self._level_gate)

    @property
    def hearing(self) -> Hears:
        """The stages that hear, for a call that hears many sensors: `pass_on` takes what they made of a block."""
        return self._describe, self._trigger, self._level_gate

    def pass_on(
        self, description: Description, windows: Sequence[FeatureWindow], records: Sequence[LevelRecord | SensorHealth]
    ) -> list[Record]:
        """Take what the stages that hear made of a block: send the windows, and return the records.

        Parameters
        ----------
        description : Description
            From the first stage.
        windows : sequence of FeatureWindow
            From the second.
        records : sequence of LevelRecord or SensorHealth
            From the gate of levels.
        """
        del description
        self._seal([*windows, self._trigger.lull()])
        return [*records]

    def _described(self, description: Description) -> list[Record]:
        return self.pass_on(description, self._trigger.push(description), self._level_gate.push(description))

    def _seal(self, windows: Sequence[FeatureWindow | None]) -> None:
        for window in windows:
            if window is not None:
                self._send(self._sealer.seal_window(window))


class Fronts:
    """Makes a sensor's stages before the broker, and makes them go on.

    Parameters
    ----------
    sensor_id : int
        Number that records and windows carry.
    sample_rate : int
        Of the sound, in Hz.
    policy : Policy
        What may leave.
    sealer : Sealer
        With the zone's key.
    send : callable
        Takes the sensor's number and a sealed window.
    full_scale_db : float or None
        Level of full scale in dB re 20 µPa, from the calibration.
    """

    def __init__(
        self,
        *,
        sensor_id: int,
        sample_rate: int,
        policy: Policy,
        sealer: Sealer,
        send: SendWindow,
        full_scale_db: float | None,
    ) -> None:
        self._sensor_id, self._sample_rate, self._full_scale_db = sensor_id, sample_rate, full_scale_db
        self._policy, self._sealer = policy, sealer
        self._send: Callable[[bytes], None] = lambda sealed: send(sensor_id, sealed)

    def begin(self, start_slot: int) -> tuple[Front, str]:
        """Return stages without a state; what left as events is the workers' to know.

        Parameters
        ----------
        start_slot : int
            First second that counts.
        """
        policy = self._policy
        front = Front(
            Describe(sensor_id=self._sensor_id, sample_rate=self._sample_rate, start_slot=start_slot, policy=policy),
            Trigger(sensor_id=self._sensor_id, alarms_per_day=policy.alarms_per_day),
            LevelGate(
                sensor_id=self._sensor_id, policy=policy, start_slot=start_slot, full_scale_db=self._full_scale_db
            ),
            self._send,
            self._sealer,
        )
        return front, "no earlier state: levels and windows at once, by the background of the shipped street"

    def resume(self, checkpoint: Checkpoint, start_slot: int) -> Front:
        """Return stages whose open periods and background are those of earlier ones.

        Parameters
        ----------
        checkpoint : Checkpoint
            From their `snapshot`.
        start_slot : int
            First second that counts.
        """
        describe, trigger, level_gate, _ = checkpoint.resume_hearing(
            self._policy, sample_rate=self._sample_rate, start_slot=start_slot
        )
        return Front(describe, trigger, level_gate, self._send, self._sealer)
