"""Sealed sound to sealed windows and records, for the sensors of one partition: what describes in placement `relay`.

Each block is opened, put into its order, and heard; its fate is counted. What a worker that was killed had not written
is read again by the next one: what its state holds is passed over, and the last 2 s are heard again in silence. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson
from dsp_core.zone import BlockError, sealed_header

from sourdine.cut import Message
from sourdine.hearing import AHEAD, MAX_AGE_S, Heard, Hearing, refusal_of, time_of
from sourdine.sequencer import TOO_MANY_SENSORS, Sequencer

if TYPE_CHECKING:
    from collections.abc import Callable

    from dsp_core.records import Policy
    from dsp_core.zone import AudioBlock, Sealer

_MS_PER_S: Final = 1_000
#: Time passes for all sensors once a second: what was read is newer than a sensor's own time by less than this.
_NEWER_MS: Final = 2_000
#: Sensors of a partition, each with stages of 0.03 MB: a lone worker that has all twelve holds 1.6 GB then. More than
#: two processors can hear.
MAX_SENSORS: Final = 4_096
#: A sensor of which nothing came for so long is forgotten, a day before the broker may delete its state: so a worker
#: that was never restarted knows no more than one that was.
FORGET_S: Final = 6 * 86_400
#: Blocks of 1 ms for 34 years. Nobody has counted beyond, and counts of gaps would leave the numbers that JSON holds.
_MAX_SEQUENCE: Final = 2**40
SEQUENCE_AHEAD: Final = "sequence_ahead"
#: The keys of what is held are numbers, and those of counts are words.
_NOWHERE: Final = 2**63 - 1
_JSON: Final = orjson.OPT_NON_STR_KEYS


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that was refused.

    Parameters
    ----------
    sensor_id : int
        Who sent it, as its key says.
    received_ms : int
        When the broker took it.
    reason : str
        Why.
    """

    sensor_id: int
    received_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """The fates of all blocks of a sensor so far: transport facts.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.
    facts : bytes
        As JSON; ``kafka_offset`` says how far they reach.
    """

    sensor_id: int
    facts: bytes


#: What comes of a message.
Output: TypeAlias = Heard | Refusal


class Hearings:
    """Blocks to windows and records, for the sensors of one partition.

    Parameters
    ----------
    sealer : Sealer
        The zone's.
    policy : Policy
        What may leave.
    full_scale_of : callable
        Level of full scale of a sensor in dB re 20 µPa, or None where it is not calibrated.
    max_sensors : int, default=MAX_SENSORS
        Sensors that are heard at most; blocks of others are rejected, as `TOO_MANY_SENSORS`.
    """

    def __init__(
        self,
        sealer: Sealer,
        policy: Policy,
        full_scale_of: Callable[[int], float | None],
        max_sensors: int = MAX_SENSORS,
    ) -> None:
        self._max_sensors = max_sensors
        self._sealer, self._policy, self._full_scale_of = sealer, policy, full_scale_of
        self._refusals: list[Refusal] = []
        # It also knows those that were not heard yet, and those that never will be.
        self._sequencer = Sequencer[Message](4 * max_sensors, turned_away=self._refuse)
        self._hearings: dict[int, Hearing] = {}
        #: Behind which message each was first heard.
        self._begun_at: dict[int, int] = {}
        self._kafka_offset = 0
        #: How far each sensor's messages were read: what comes from before is read again.
        self._read_to: dict[int, int] = {}
        #: Stand for messages that are held, until they are read again; by their place at the broker.
        self._stand_ins: dict[tuple[int, int], Message] = {}
        self._second = 0

    def push(self, message: Message) -> list[Output]:
        """Take a block.

        Parameters
        ----------
        message : Message
            A sealed block.

        Returns
        -------
        list of SealedWindow, LevelRecord, SensorHealth or Refusal
            What comes of it, and of the time that has passed.
        """
        sensor_id = message.sensor_id
        if self._was_read(message):
            self._give_back(message)
            return []
        self._kafka_offset = message.kafka_offset
        outputs: list[Output] = []
        try:
            block = self._sealer.reopen_block(message.sealed, sensor_id=sensor_id)
        except BlockError as error:
            self._sequencer.turn_away(sensor_id, error.reason)
            self._refuse(message, error.reason)
        else:
            now_ms = self._time_of(message, block)
            outputs += self._let_pass(now_ms)
            for one in self._in_order(message, now_ms):
                outputs += self._hear(one, block if one is message else None)
        if sensor_id in self._hearings or self._sequencer.held(sensor_id):  # which others' time may let be heard
            self._read_to[sensor_id] = message.kafka_offset + 1
        return outputs + self._told()

    def knows(self, sensor_id: int) -> bool:
        """Return whether there is a state of the sensor.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        return sensor_id in self._hearings

    def read_from(self, sensor_id: int) -> int:
        """Return from where a successor must read a sensor's messages: of those before it nothing can be lost.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        places = [message.kafka_offset for message in self._sequencer.held(sensor_id)]
        hearing = self._hearings.get(sensor_id)
        if hearing is not None:
            heard = hearing.read_from()
            places.append(self._read_to[sensor_id] if heard is None else heard)
        return min(places, default=_NOWHERE)

    def state(self, sensor_id: int) -> bytes:
        """Return the state of a sensor's stages, sealed.

        Parameters
        ----------
        sensor_id : int
            A sensor that was heard or restored.

        Returns
        -------
        bytes
            For `restore`.
        """
        hearing = self._hearings[sensor_id]
        note = {
            "begun_at": self._begun_at[sensor_id],
            "read_to": self._read_to[sensor_id],
            "stretch": hearing.note(),
            "order": self._sequencer.kept(sensor_id, lambda message: message.kafka_offset),
        }
        return self._sealer.seal(hearing.snapshot(self.read_from(sensor_id), orjson.dumps(note, option=_JSON)))

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
                checkpoint = self._sealer.unseal(sensor_id=sensor_id, sealed=state)
            except BlockError as error:
                refusal = error
                continue
            if checkpoint.note:
                kept.append((checkpoint, orjson.loads(checkpoint.note)))
        if not kept:
            if refusal is not None:
                raise refusal
            return
        # By time first: in a topic that was made anew, places begin again.
        checkpoint, note = max(kept, key=lambda one: (one[1]["order"]["now_ms"], one[1]["read_to"]))
        hearing = Hearing(sensor_id, self._policy, self._sealer)
        hearing.restore(checkpoint, note["stretch"])
        self._hearings[sensor_id], self._read_to[sensor_id] = hearing, note["read_to"]
        self._begun_at[sensor_id] = note.get("begun_at", 0)  # states of an earlier version do not say
        self._sequencer.restore(sensor_id, note["order"], partial(self._stand_in, sensor_id))

    def told_with(self, sensor_id: int) -> list[LedgerLine]:
        """Return what is told of a sensor whenever its state is written.

        Parameters
        ----------
        sensor_id : int
            A sensor that was heard or restored.
        """
        return [self.ledger(sensor_id)]

    def ledger(self, sensor_id: int) -> LedgerLine:
        """Return what became of a sensor's blocks.

        Parameters
        ----------
        sensor_id : int
            A sensor that was heard or restored.
        """
        slot = self._sequencer.came_ms_of(sensor_id) // _MS_PER_S
        facts: dict[str, Any] = {"sensor_id": sensor_id, "slot": slot, "kafka_offset": self._read_to[sensor_id]}
        return LedgerLine(sensor_id, orjson.dumps(facts | self._sequencer.fates_of(sensor_id).facts()))

    def _time_of(self, message: Message, block: AudioBlock) -> int:
        """Return what time it is by a message; for its own sensor, time does not go back over one that is late."""
        now_ms = time_of(block, sealed_header(message.sealed).boot_ns, message.received_ms)
        return now_ms if now_ms == message.received_ms else max(now_ms, self._sequencer.now_ms_of(message.sensor_id))

    def _in_order(self, message: Message, now_ms: int) -> list[Message]:
        facts = sealed_header(message.sealed)
        if facts.sequence > _MAX_SEQUENCE:
            self._sequencer.turn_away(message.sensor_id, SEQUENCE_AHEAD)
            self._refuse(message, SEQUENCE_AHEAD)
            return []
        return self._sequencer.push(facts, now_ms, message)

    def _hear(self, message: Message, block: AudioBlock | None) -> list[Heard]:
        """Hear a block whose turn it is; one that had to wait is opened again, so that no sound lies here meanwhile."""
        sensor_id, hearing = message.sensor_id, self._hearings.get(message.sensor_id)
        try:
            block = block or self._sealer.reopen_block(message.sealed, sensor_id=sensor_id)
            boot_ns = sealed_header(message.sealed).boot_ns
            reason = refusal_of(block, boot_ns, message.received_ms)
            if reason is None and hearing is None and not self._has_room():
                reason = TOO_MANY_SENSORS
            if reason is None:
                hearing = hearing or self._begun(block, boot_ns)
                return hearing.push(block, boot_ns, message.received_ms, message.kafka_offset)
        except BlockError as error:
            reason = error.reason
        if reason == AHEAD and hearing is not None:
            hearing.mark_clock()
        self._sequencer.reject(sensor_id, reason)
        self._refuse(message, reason)
        return []

    def _has_room(self) -> bool:
        """Whether one more may be heard; who reads again does not count those whose turn is still to come."""
        return sum(at <= self._kafka_offset for at in self._begun_at.values()) < self._max_sensors

    def _begun(self, block: AudioBlock, boot_ns: int) -> Hearing:
        hearing = self._hearings[block.sensor_id] = Hearing(block.sensor_id, self._policy, self._sealer)
        self._begun_at[block.sensor_id] = self._kafka_offset
        hearing.begin(block, boot_ns, self._full_scale_of(block.sensor_id))
        return hearing

    def _let_pass(self, now_ms: int) -> list[Output]:
        """Let time pass for all sensors, once a second: it is that of the broker, the same for whoever reads."""
        second = now_ms // _MS_PER_S
        if second <= self._second:
            return []
        self._second = second
        outputs: list[Output] = [
            heard for message in self._sequencer.advance(now_ms) for heard in self._hear(message, None)
        ]
        outputs += [heard for hearing in self._hearings.values() for heard in hearing.let_pass(now_ms)]
        self._forget(now_ms)
        return outputs

    def _forget(self, now_ms: int) -> None:
        """Forget who was silent for long; one that was never heard, as soon as no second of it can count any more."""
        for sensor_id in self._sequencer.silent_since(now_ms - MAX_AGE_S * _MS_PER_S):
            long_ago_ms = now_ms - FORGET_S * _MS_PER_S
            if not self.knows(sensor_id) or self._sequencer.came_ms_of(sensor_id) < long_ago_ms:
                self._sequencer.forget(sensor_id)
                for kept in (self._hearings, self._begun_at, self._read_to):
                    kept.pop(sensor_id, None)

    def _was_read(self, message: Message) -> bool:
        """Whether a message is in the state; if it is newer than the state, its topic was made anew instead."""
        sensor_id = message.sensor_id
        if message.kafka_offset >= self._read_to.get(sensor_id, 0):
            return False
        newest_ms = self._sequencer.now_ms_of(sensor_id) + _NEWER_MS
        if message.received_ms <= newest_ms:
            return True
        try:  # it may have come too late, and moved no time
            block = self._sealer.reopen_block(message.sealed, sensor_id=sensor_id)
        except BlockError:
            return False
        return self._time_of(message, block) <= newest_ms

    def _give_back(self, message: Message) -> None:
        """Take a message that is read again: it was counted before, and what it was heard as has left."""
        sensor_id = message.sensor_id
        stand_in = self._stand_ins.pop((sensor_id, message.kafka_offset), None)
        if stand_in is not None:
            self._sequencer.give_back(sensor_id, message, stand_in)
        else:
            self._hearings[sensor_id].give_back(message.sealed, message.kafka_offset)

    def _stand_in(self, sensor_id: int, kafka_offset: int) -> Message:
        stand_in = Message(sensor_id, b"", 0, kafka_offset)
        self._stand_ins[sensor_id, kafka_offset] = stand_in
        return stand_in

    def _refuse(self, message: Message, reason: str) -> None:
        self._refusals.append(Refusal(message.sensor_id, message.received_ms, reason))

    def _told(self) -> list[Refusal]:
        refusals, self._refusals = self._refusals, []
        return refusals
