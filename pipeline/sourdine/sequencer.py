"""Messages of sensors, put into the order in which they were sent: a pure fold, whose time comes with the messages.

What came too early is held for 2 s at most, what is missing then is a gap, what comes after its turn is late, what
comes again is a duplicate. Every sensor has a state of its own, of bounded size, so that none disturbs another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from sourdine.fates import Fates
from sourdine.sequencer_stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: A message waits so long for one that was sent before it.
HOLD_MS: Final = 2_000
#: An older message is of no use any more.
LATE_MS: Final = 120_000
#: A sensor that booted later than this after its message was received has a clock that is ahead.
AHEAD_MS: Final = 2_000
#: Of one sensor: 2 s of blocks of 10 ms, and some.
MAX_HELD: Final = 256

#: What the stage says of a message that comes too late for it.
LATE: Final = "late"
CLOCK_AHEAD: Final = "clock_ahead"
CLOCK_BACK: Final = "clock_back"
TOO_MANY_SENSORS: Final = "too_many_sensors"

_NS_PER_MS: Final = 1_000_000

Message = TypeVar("Message")


class Facts(Protocol):
    """What a carrier knows of a message: `dsp_core.zone.SealedHeader` has it."""

    @property
    def sensor_id(self) -> int:
        """Number of the sensor."""

    @property
    def boot_ns(self) -> int:
        """When its stream began, since 1970-01-01T00:00:00Z."""

    @property
    def sequence(self) -> int:
        """Number of the block in its stream, from 0."""


@dataclass(slots=True)
class _Sensor(Generic[Message]):
    stream: Stream[Message] | None = None
    before: Stream[Message] | None = None
    now_ms: int = 0
    #: When its last message was received.
    came_ms: int = 0
    fates: Fates = field(default_factory=Fates)


class Sequencer(Generic[Message]):
    """Puts the messages of many sensors in order.

    The facts of a message should be those of one that was opened: whoever may write into a topic may forge a header,
    and a forged one moves the sensor's place.

    Parameters
    ----------
    max_sensors : int, default=65536
        Sensors beyond these are turned away.
    turned_away : callable, optional
        Told of each message that is turned away, and why.
    """

    def __init__(
        self, max_sensors: int = 65_536, turned_away: Callable[[Message, str], None] = lambda message, reason: None
    ) -> None:
        self._sensors: dict[int, _Sensor[Message]] = {}
        self._max_sensors, self._turned_away = max_sensors, turned_away
        #: Of messages of sensors that are one too many.
        self.others = Fates()

    def kept(self, sensor_id: int, kafka_offset_of: Callable[[Message], int]) -> dict[str, Any]:
        """Return all that is known of a sensor as plain values, for `restore`: transport facts.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        kafka_offset_of : callable
            Where a message that is held can be read again.
        """
        sensor = self._sensors[sensor_id]
        streams = [one and one.kept(kafka_offset_of) for one in (sensor.stream, sensor.before)]
        times = {"now_ms": sensor.now_ms, "came_ms": sensor.came_ms}
        return times | {"fates": sensor.fates, "streams": streams}

    def restore(self, sensor_id: int, kept: dict[str, Any], at: Callable[[int], Message]) -> None:
        """Go on where a sensor's messages stood.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        kept : dict
            From `kept`.
        at : callable
            Gives what stands for the message at a place at the broker, until it is given back.
        """
        stream, before = (one and Stream[Message].restored(one, at) for one in kept["streams"])
        now_ms, fates = kept["now_ms"], Fates.restored(kept["fates"])
        # States of an earlier version do not say when the last message came.
        self._sensors[sensor_id] = _Sensor(stream, before, now_ms, kept.get("came_ms", now_ms), fates)

    def silent_since(self, time_ms: int) -> list[int]:
        """Return the sensors of which nothing was received any more from a time on.

        Parameters
        ----------
        time_ms : int
            By the broker.
        """
        return [sensor_id for sensor_id, sensor in self._sensors.items() if sensor.came_ms < time_ms]

    def forget(self, sensor_id: int) -> None:
        """Forget a sensor that is known.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        del self._sensors[sensor_id]

    def give_back(self, sensor_id: int, message: Message, stand_in: Message) -> None:
        """Put a message that was read again into the place that was kept for it.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        message : object
            What was read.
        stand_in : object
            What stands for it.
        """
        stream = self._sensors[sensor_id].stream
        if stream is not None:
            stream.held |= {sequence: message for sequence, held in stream.held.items() if held is stand_in}

    def held(self, sensor_id: int) -> list[Message]:
        """Return what waits for its turn.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        sensor = self._sensors.get(sensor_id)
        held = sensor.stream.held.values() if sensor and sensor.stream else ()
        return [message for message in held if message is not None]

    def push(self, facts: Facts, received_ms: int, message: Message) -> list[Message]:
        """Take a message.

        Parameters
        ----------
        facts : Facts
            Who sent it, and its place.
        received_ms : int
            When the broker took it.
        message : object
            Opaque.

        Returns
        -------
        list
            What is in order now; each of it counts as processed.
        """
        sensor = self._sensors.get(facts.sensor_id)
        if sensor is None:
            if len(self._sensors) >= self._max_sensors:
                self._turn_away(self.others, message, TOO_MANY_SENSORS)
                return []
            sensor = self._sensors[facts.sensor_id] = _Sensor()
        fates = sensor.fates
        if received_ms < sensor.now_ms:
            fates.n_clock_back += 1
        sensor.now_ms = max(sensor.now_ms, received_ms)
        sensor.came_ms = max(sensor.came_ms, received_ms)
        if facts.boot_ns // _NS_PER_MS > received_ms + AHEAD_MS:
            self._turn_away(fates, message, CLOCK_AHEAD)
            return []
        released = list(_timed_out(sensor))
        if sensor.stream is None or facts.boot_ns > sensor.stream.boot_ns:
            released += _reboot(sensor, facts)
        stream = sensor.stream
        assert stream is not None
        if facts.boot_ns < stream.boot_ns:
            if not _pass_by(sensor, facts):
                self._turn_away(fates, message, CLOCK_BACK)
            return released
        is_late = sensor.now_ms - received_ms > LATE_MS
        return [*released, *_take(sensor, stream, facts.sequence, None if is_late else message)]

    def advance(self, now_ms: int) -> list[Message]:
        """Let time pass for sensors that have fallen silent.

        Parameters
        ----------
        now_ms : int
            Time of the newest message of any sensor.

        Returns
        -------
        list
            What waited long enough, sensor by sensor.
        """
        released: list[Message] = []
        for _, sensor in sorted(self._sensors.items()):
            sensor.now_ms = max(sensor.now_ms, now_ms)
            released += _timed_out(sensor)
        return released

    def finish(self) -> list[Message]:
        """Return all that is held: nothing comes any more."""
        return [one for _, sensor in sorted(self._sensors.items()) for one in _release_all(sensor)]

    def reject(self, sensor_id: int, reason: str) -> None:
        """Count a message that was given to the stage, and that it refused, as rejected or late instead.

        Parameters
        ----------
        sensor_id : int
            Who sent it.
        reason : str
            Why; `LATE` is a fate of its own.
        """
        fates = self._sensors[sensor_id].fates
        fates.n_processed -= 1
        if reason == LATE:
            fates.n_late += 1
        else:
            fates.rejected[reason] += 1

    def turn_away(self, sensor_id: int, reason: str) -> None:
        """Count a message that was refused before anything could be known of it, if its sensor is known.

        Parameters
        ----------
        sensor_id : int
            Who sent it, as its carrier says.
        reason : str
            Why.
        """
        if sensor_id in self._sensors:
            self._sensors[sensor_id].fates.turned_away[reason] += 1

    def now_ms_of(self, sensor_id: int) -> int:
        """Return how far time has passed for a sensor; 0 if it is not known.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        sensor = self._sensors.get(sensor_id)
        return 0 if sensor is None else sensor.now_ms

    def came_ms_of(self, sensor_id: int) -> int:
        """Return when the last message of a sensor that is known was received.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        return self._sensors[sensor_id].came_ms

    def fates_of(self, sensor_id: int) -> Fates:
        """Return the counts of a sensor that is known.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        """
        return self._sensors[sensor_id].fates

    def fates(self) -> dict[int, Fates]:
        """Return the counts of each sensor."""
        return {sensor_id: sensor.fates for sensor_id, sensor in self._sensors.items()}

    def _turn_away(self, fates: Fates, message: Message, reason: str) -> None:
        fates.turned_away[reason] += 1
        self._turned_away(message, reason)


def _reboot(sensor: _Sensor[Any], facts: Facts) -> Iterator[Any]:
    """Begin a new stream; that of a sensor which is not known yet may have begun long ago."""
    if sensor.stream is None:
        sensor.stream = Stream(facts.boot_ns, None if facts.sequence else 0)
        return
    yield from _release_all(sensor)
    sensor.before, sensor.stream = sensor.stream, Stream(facts.boot_ns, 0)
    sensor.fates.n_reboots += 1


def _pass_by(sensor: _Sensor[Any], facts: Facts) -> bool:
    """Count a message of the stream that is just over; False if it is of none that is known."""
    before, fates = sensor.before, sensor.fates
    if before is None or facts.boot_ns != before.boot_ns:
        return False
    if before.next is None or facts.sequence >= before.next:
        fates.n_gap += before.skip_to(facts.sequence)
        before.next = facts.sequence + 1
        fates.n_late += 1
    else:
        _after_its_turn(before, fates, facts.sequence)
    return True


def _after_its_turn(stream: Stream[Any], fates: Fates, sequence: int) -> None:
    is_gap = stream.fill(sequence)
    fates.n_gap -= is_gap
    if is_gap or sequence < stream.first:
        fates.n_late += 1
    else:
        fates.n_duplicate += 1


def _take(sensor: _Sensor[Any], stream: Stream[Any], sequence: int, message: Any) -> Iterator[Any]:
    fates = sensor.fates
    if stream.next is not None and sequence < stream.next:
        _after_its_turn(stream, fates, sequence)
    elif sequence in stream.held:
        fates.n_duplicate += 1
    else:
        fates.n_reordered += any(sequence < other for other in stream.held)
        stream.held[sequence] = message
        stream.held_since_ms[sequence] = sensor.now_ms
        fates.n_held += 1
        yield from _release(sensor, stream)
        if len(stream.held) > MAX_HELD:  # no one may fill the memory
            yield from _give_up(sensor, stream)


def _timed_out(sensor: _Sensor[Any]) -> Iterator[Any]:
    """Give up what is missing, where something has waited for it long enough."""
    stream = sensor.stream
    while stream is not None and stream.held and sensor.now_ms - min(stream.held_since_ms.values()) > HOLD_MS:
        yield from _give_up(sensor, stream)


def _release_all(sensor: _Sensor[Any]) -> Iterator[Any]:
    stream = sensor.stream
    while stream is not None and stream.held:
        yield from _give_up(sensor, stream)


def _give_up(sensor: _Sensor[Any], stream: Stream[Any]) -> Iterator[Any]:
    """Wait no longer for what is missing before the first that is held."""
    sensor.fates.n_gap += stream.skip_to(min(stream.held))
    yield from _release(sensor, stream)


def _release(sensor: _Sensor[Any], stream: Stream[Any]) -> Iterator[Any]:
    """Let go of what follows without a hole."""
    fates = sensor.fates
    while stream.next is not None and stream.next in stream.held:
        message = stream.held.pop(stream.next)
        del stream.held_since_ms[stream.next]
        stream.next += 1
        fates.n_held -= 1
        if message is None:
            fates.n_late += 1
        else:
            fates.n_processed += 1
            yield message
