"""The load itself: what is due is made and sent, by the clock or as fast as it goes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dsp_core.zone import Checkpoint, Classify, Gate, Mark

from sourdine.cut import Gates, Message, Scoring
from sourdine.errors import ConfigError
from sourdine.flow import Flow
from sourdine.load.sensors import Cabinets, Ear, Microphones
from sourdine.load.sounds import SAMPLE_RATE
from sourdine.load.street import MAX_PER_MINUTE, City
from sourdine.outgoing.cloudevents import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dsp_core.records import Policy
    from dsp_core.zone import Sealer

    from sourdine.load.sender import Sender
    from sourdine.load.sounds import Sounds

#: Where what is sent goes, by placement.
TOPICS: Final = {"cluster": Cabinets.topic, "relay": Microphones.topic}
#: Gates count a second up to 120 s after it; what is sent at once begins this much earlier at most.
MAX_FLAT_OUT_S: Final = 90


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """A load.

    Parameters
    ----------
    placement : str
        One of `TOPICS`.
    sensors : range
        Numbers of the sensors.
    alarms_per_minute : float
        Of each sensor.
    n_seconds : int
        How long.
    seed : int
        The same gives the same sound, alarms and events, but for the time.
    is_paced : bool
        By the clock, or as fast as it goes.
    start_slot : int
        Second of the beginning, since 1970-01-01T00:00:00Z.
    """

    placement: str
    sensors: range
    alarms_per_minute: float
    n_seconds: int
    seed: int
    is_paced: bool
    start_slot: int

    def check(self) -> None:
        """Refuse what cannot be.

        Raises
        ------
        ConfigError
            If something does not hold.
        """
        if not 0 < self.alarms_per_minute <= MAX_PER_MINUTE:
            raise ConfigError(f"--alarms-per-minute: expected up to {MAX_PER_MINUTE:g}, got {self.alarms_per_minute:g}")
        if not len(self.sensors):
            raise ConfigError("--sensors: expected 1 or more")
        if not self.is_paced and self.n_seconds > MAX_FLAT_OUT_S:
            words = f"expected up to {MAX_FLAT_OUT_S} s with --flat-out, because gates count no older seconds"
            raise ConfigError(f"--for: {words}, got {self.n_seconds} s")


@dataclass(slots=True)
class Pace:
    """How a load went.

    Parameters
    ----------
    took_s : float
        From the beginning to the last message.
    behind_s : float
        Furthest that a message was behind its time.
    is_whole : bool
        Whether it was not stopped before its end.
    """

    took_s: float = 0.0
    behind_s: float = 0.0
    is_whole: bool = True


def run(
    settings: LoadSettings,
    sounds: Sounds,
    sealer: Sealer,
    policy: Policy,
    sender: Sender,
    is_stopped: Callable[[], bool],
) -> Pace:
    """Send a load.

    Parameters
    ----------
    settings : LoadSettings
        What.
    sounds : Sounds
        What the streets are made of.
    sealer : Sealer
        With the zone's key.
    policy : Policy
        What may leave.
    sender : Sender
        To the broker.
    is_stopped : callable
        Says whether to end.

    Returns
    -------
    Pace
        How it went.
    """
    pace, begin = Pace(), time.time()
    for due_s, sensor_id, sealed in _source(settings, sounds, sealer, policy).messages(settings.n_seconds):
        if is_stopped():
            pace.is_whole = False
            break
        if settings.is_paced:
            wait_s = settings.start_slot + due_s - time.time()
            if wait_s > 0.0:
                time.sleep(wait_s)
            pace.behind_s = max(pace.behind_s, -wait_s)
        sender.send(sensor_id, sealed)
    sender.finish()
    pace.took_s = time.time() - (max(begin, settings.start_slot) if settings.is_paced else begin)
    return pace


def expected(settings: LoadSettings, sounds: Sounds, sealer: Sealer, policy: Policy) -> Iterator[bytes]:
    """Give what comes of a load, as one process judges the same sound.

    Parameters
    ----------
    settings : LoadSettings
        What was sent.
    sounds : Sounds
        What the streets are made of.
    sealer : Sealer
        With the zone's key.
    policy : Policy
        What may leave.

    Yields
    ------
    bytes
        A record as it stands on the wire, of sensors that the workers knew before: in placement cluster events, in
        relay all records, of which the last are those of sound that has ended, and workers do not know that it has.
    """
    if settings.placement == "relay":
        yield from _heard(settings, sounds, policy)
        return
    scoring = Scoring(sealer, policy)
    gates = Gates(sealer, policy, lambda _: None)
    for sensor_id in settings.sensors:
        known = Checkpoint.take_gate(Gate(sensor_id=sensor_id, policy=policy), mark=Mark(), kafka_offset=0)
        gates.restore(sensor_id, [sealer.seal(known)])
    for due_s, sensor_id, windows in _source(settings, sounds, sealer, policy).messages(settings.n_seconds):
        received_ms = 1000 * settings.start_slot + int(1000 * due_s)
        for sealed in windows:
            for candidate in scoring.push(Message(sensor_id, sealed, received_ms, 0)):
                for event in gates.push(Message(sensor_id, candidate, received_ms, 0)):
                    yield encode(event)


def _heard(settings: LoadSettings, sounds: Sounds, policy: Policy) -> Iterator[bytes]:
    """Hear each street by itself, from the sound to the records."""
    city, classify = _city(settings, sounds), Classify(policy=policy)
    for sensor_id in settings.sensors:
        ear = Ear(sensor_id)
        flow = Flow(
            sensor_id=sensor_id,
            sample_rate=SAMPLE_RATE,
            start_slot=settings.start_slot,
            policy=policy,
            classify=classify,
        )
        for second in range(settings.n_seconds):
            yield from map(encode, flow.push(ear.hear(city.second(sensor_id, second))))
        yield from map(encode, flow.finish())
        ear.close()


def _city(settings: LoadSettings, sounds: Sounds) -> City:
    return City(sounds, settings.sensors, settings.alarms_per_minute, settings.seed)


def _source(settings: LoadSettings, sounds: Sounds, sealer: Sealer, policy: Policy) -> Cabinets | Microphones:
    city = _city(settings, sounds)
    if settings.placement == "relay":
        return Microphones(city, sealer, settings.sensors, settings.start_slot)
    return Cabinets(city, sealer, policy, settings.start_slot)
