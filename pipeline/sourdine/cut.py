"""The chain cut where a broker stands: each stage takes sealed bytes, and gives sealed bytes or records. No I/O.

The stages hold every rule; this file says which of them meet in a worker. `flow` is the same chain in one piece.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dsp_core.zone import BlockError, Checkpoint, Classify, Gate, Mark, sealed_header

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dsp_core.records import Event, Policy
    from dsp_core.zone import Candidate, Sealer

_MS_PER_S: Final = 1000
_NS_PER_MS: Final = 1_000_000
_NOWHERE: Final = 2**63 - 1
#: A window's boot is its stream's beginning, and its sequence its number.
_WINDOW_STEP_MS: Final = 480
_WINDOW_MS: Final = 960
_MAX_AGE_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class Message:
    """Something sealed that the broker has taken.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor, from the key.
    sealed : bytes
        Its value.
    received_ms : int
        When the broker took it (LogAppendTime), since 1970-01-01T00:00:00Z.
    kafka_offset : int
        Its position in its partition.
    """

    sensor_id: int
    sealed: bytes = field(repr=False)
    received_ms: int
    kafka_offset: int


class Scoring:
    """Windows to candidates. It keeps nothing from one message to the next.

    Parameters
    ----------
    sealer : Sealer
        The zone's.
    policy : Policy
        What may leave.
    """

    def __init__(self, sealer: Sealer, policy: Policy) -> None:
        self._sealer = sealer
        self._classify = Classify(policy=policy)

    def push(self, message: Message) -> list[bytes]:
        """Score a window.

        Parameters
        ----------
        message : Message
            A sealed window.

        Returns
        -------
        list of bytes
            The sealed candidate.

        Raises
        ------
        dsp_core.zone.BlockError
            If it does not open.
        """
        [candidate] = self.push_all([message])
        if isinstance(candidate, BlockError):
            raise candidate
        return [candidate]

    def push_all(self, messages: Sequence[Message]) -> list[bytes | BlockError]:
        """Score windows in one call.

        Parameters
        ----------
        messages : sequence of Message
            Sealed windows.

        Returns
        -------
        list of bytes or dsp_core.zone.BlockError
            Of each the sealed candidate, or why it does not open.
        """
        windows = [(message.sensor_id, message.sealed, message.received_ms) for message in messages]
        return self._classify.push_sealed(windows, sealer=self._sealer)


def untouched_gate(sealer: Sealer, policy: Policy, sensor_id: int) -> bytes:
    """Return the state of a gate from which nothing has left: whoever says so of a sensor must know it.

    Parameters
    ----------
    sealer : Sealer
        The zone's.
    policy : Policy
        What may leave.
    sensor_id : int
        Number of the sensor.

    Returns
    -------
    bytes
        For `Gates.restore`.
    """
    return sealer.seal(Checkpoint.take_gate(Gate(sensor_id=sensor_id, policy=policy), mark=Mark(), kafka_offset=0))


def _time_of(sealed: bytes, candidate: Candidate) -> int:
    """Return what time it is by a candidate, for all sensors: 0 if it came too late, for the gate takes none of it.

    It was long on its way, or the broker's clock ran ahead for a moment, and that must not end the seconds of others.
    """
    header, received_ms = sealed_header(sealed), candidate.received_ms or 0
    end_ms = header.boot_ns // _NS_PER_MS + header.sequence * _WINDOW_STEP_MS + _WINDOW_MS
    return received_ms if received_ms - end_ms <= _MAX_AGE_MS else 0


@dataclass(slots=True)
class _Door:
    """The gate of one sensor, and how far its candidates were judged."""

    gate: Gate
    mark: Mark
    kafka_offset: int = -1


class Gates:
    """Candidates to events, for the sensors of one partition.

    A sensor whose state was not restored gets no event before its clock hour ends: nobody knows what left before.

    Parameters
    ----------
    sealer : Sealer
        The zone's.
    policy : Policy
        What may leave.
    full_scale_of : callable
        Level of full scale of a sensor in dB re 20 µPa, or None where it is not calibrated.
    """

    def __init__(self, sealer: Sealer, policy: Policy, full_scale_of: Callable[[int], float | None]) -> None:
        self._sealer, self._policy, self._full_scale_of = sealer, policy, full_scale_of
        self._doors: dict[int, _Door] = {}
        self._second = 0

    def push(self, message: Message) -> list[Event]:
        """Judge a candidate.

        Parameters
        ----------
        message : Message
            A sealed candidate.

        Returns
        -------
        list of Event
            What leaves now.

        Raises
        ------
        dsp_core.zone.BlockError
            If it does not open, or was judged before (``duplicate``).
        """
        door = self._doors.get(message.sensor_id)
        mark = Mark() if door is None else door.mark
        candidate = self._sealer.open_candidate(message.sealed, sensor_id=message.sensor_id, mark=mark)
        if door is None:  # not before it has opened: what anyone can send makes nothing that lasts
            door = self._new_door(message.sensor_id, mark)
        door.kafka_offset = message.kafka_offset
        return [*self._late(_time_of(message.sealed, candidate)), *door.gate.receive([candidate])]

    def state(self, sensor_id: int) -> bytes:
        """Return the state of a sensor's gate, sealed.

        Parameters
        ----------
        sensor_id : int
            A sensor that was heard or restored.

        Returns
        -------
        bytes
            For `restore`.
        """
        door = self._doors[sensor_id]
        return self._sealer.seal(Checkpoint.take_gate(door.gate, mark=door.mark, kafka_offset=door.kafka_offset))

    def restore(self, sensor_id: int, states: list[bytes]) -> None:
        """Go on from the newest of a sensor's states; of several, one may be behind, or of another zone.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        states : list of bytes
            From `state`, of any age.

        Raises
        ------
        dsp_core.zone.BlockError
            If none opens, or the newest is of another policy.
        """
        kept, refusal = [], None
        for state in states:
            try:
                kept.append(self._sealer.unseal(sensor_id=sensor_id, sealed=state))
            except BlockError as error:
                refusal = error
        if not kept and refusal is not None:
            raise refusal
        newest = max(kept, key=lambda checkpoint: checkpoint.kafka_offset)
        self._doors[sensor_id] = _Door(*newest.restore_gate(self._policy), newest.kafka_offset)

    def knows(self, sensor_id: int) -> bool:
        """Return whether there is a state of the sensor.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        return sensor_id in self._doors

    def read_from(self, sensor_id: int) -> int:
        """Return from where a successor must read; everything before that is in the state.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        door = self._doors.get(sensor_id)
        return _NOWHERE if door is None else door.kafka_offset + 1

    def told_with(self, sensor_id: int) -> list[Any]:
        """Return what is told of a sensor whenever its state is written: nothing.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        del sensor_id
        return []

    def _new_door(self, sensor_id: int, mark: Mark) -> _Door:
        gate = Gate(sensor_id=sensor_id, policy=self._policy, full_scale_db=self._full_scale_of(sensor_id))
        gate.withhold_first_hour()
        door = self._doors[sensor_id] = _Door(gate, mark)
        return door

    def _late(self, received_ms: int) -> list[Event]:
        """Let time pass for the sensors that fell silent with an event open, once a second.

        It is the time that is sealed in candidates, not that at which they were sent: however late the classifiers are,
        the same seconds are over.
        """
        second = received_ms // _MS_PER_S
        if second <= self._second:
            return []
        self._second = second
        return [event for door in self._doors.values() for event in door.gate.advance_to(received_ms)]
