"""What a live stream goes through, as its listener sees it: the whole chain, or what stands before a broker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from dsp_core.zone import Classify

from sourdine.flow import Flow
from sourdine.outgoing.cloudevents import slot_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dsp_core.records import LevelRecord, Policy, SensorHealth
    from dsp_core.zone import AudioBlock, Checkpoint, Describe, Description, FeatureWindow, LevelGate, Trigger

    from sourdine.outgoing.cloudevents import Record

    #: The stages that hear, as `DescribeMany` takes them.
    Hears: TypeAlias = tuple[Describe, Trigger, LevelGate]

_HOUR_S: Final = 3600


class Chain(Protocol):
    """The stages of one sensor, as `Flow` has them."""

    @property
    def next_slot(self) -> int:
        """First second that still counts, since 1970-01-01T00:00:00Z."""

    def push(self, block: AudioBlock) -> list[Record]:
        """Hear one block.

        Parameters
        ----------
        block : AudioBlock
            The next samples of this sensor.
        """

    @property
    def hearing(self) -> Hears | None:
        """The stages that hear, for a call that hears many sensors; None where nothing is described."""

    def pass_on(
        self, description: Description, windows: Sequence[FeatureWindow], records: Sequence[LevelRecord | SensorHealth]
    ) -> list[Record]:
        """Take what these stages made of a block, and return what leaves.

        Parameters
        ----------
        description : Description
            From the first stage.
        windows : sequence of FeatureWindow
            From the second.
        records : sequence of LevelRecord or SensorHealth
            From the gate of levels.
        """

    def pause(self) -> list[Record]:
        """End the sound but not the periods, and return what still leaves."""

    def miss(self, slot: int) -> list[Record]:
        """Let a second pass that brought no sound.

        Parameters
        ----------
        slot : int
            Second since 1970-01-01T00:00:00Z.
        """

    def mark_clock(self) -> None:
        """Say of the period that is open that sound and clock did not go together."""

    def snapshot(self) -> Any:
        """Return everything that the stages know, but for the last 2 s of sound; opaque."""


class States(Protocol):
    """Makes sealed bytes of a chain's state, and the other way round: a `dsp_core.zone.Sealer`."""

    def seal(self, state: Any, /) -> bytes:
        """Seal a state.

        Parameters
        ----------
        state : Checkpoint
            From a chain's `snapshot`.
        """

    def unseal(self, *, sensor_id: int, sealed: bytes) -> Any:
        """Open a sealed state.

        Parameters
        ----------
        sensor_id : int
            The sensor that it must be of.
        sealed : bytes
            From `seal`.
        """


class Chains(Protocol):
    """Makes a sensor's chain, and makes it go on."""

    def begin(self, start_slot: int) -> tuple[Chain, str]:
        """Return a chain that knows nothing of what left before, and in words what follows from that.

        Parameters
        ----------
        start_slot : int
            First second that counts.
        """

    def resume(self, checkpoint: Any, start_slot: int, /) -> Chain:
        """Return a chain that goes on later, without the sound before.

        Parameters
        ----------
        checkpoint : Checkpoint
            From a chain's `snapshot`.
        start_slot : int
            First second that counts.
        """


class WholeChains:
    """The whole chain in one process.

    Parameters
    ----------
    sensor_id : int
        Number that the records carry.
    sample_rate : int
        Of the sound, in Hz.
    policy : Policy
        What may leave.
    classify : Classify or None, default=None
        Shared with other sensors; one of its own if None.
    full_scale_db : float or None, default=None
        Level of full scale in dB re 20 µPa, from the calibration.
    """

    def __init__(
        self,
        *,
        sensor_id: int,
        sample_rate: int,
        policy: Policy,
        classify: Classify | None = None,
        full_scale_db: float | None = None,
    ) -> None:
        self._sensor_id, self._sample_rate, self._full_scale_db = sensor_id, sample_rate, full_scale_db
        self._policy, self._classify = policy, classify or Classify(policy=policy)

    def begin(self, start_slot: int) -> tuple[Flow, str]:
        """Return a flow without a state: what left earlier in this hour is not known, so its budget counts as used.

        Parameters
        ----------
        start_slot : int
            First second that counts.
        """
        flow = Flow(
            sensor_id=self._sensor_id,
            sample_rate=self._sample_rate,
            start_slot=start_slot,
            policy=self._policy,
            classify=self._classify,
            full_scale_db=self._full_scale_db,
        )
        flow.withhold_hour_of(start_slot)
        next_hour = slot_time((start_slot // _HOUR_S + 1) * _HOUR_S)
        return flow, f"no earlier state: levels at once, events from {next_hour}"

    def resume(self, checkpoint: Checkpoint, start_slot: int) -> Flow:
        """Return a flow whose budgets, open periods and background are those of an earlier one.

        Parameters
        ----------
        checkpoint : Checkpoint
            From its `snapshot`.
        start_slot : int
            First second that counts.
        """
        return Flow.resume(
            checkpoint,
            policy=self._policy,
            classify=self._classify,
            sample_rate=self._sample_rate,
            start_slot=start_slot,
        )
