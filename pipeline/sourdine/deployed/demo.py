"""`sourdine demo --kafka`: a gateway and two workers as in a city, on a broker inside this process."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np
from aiokafka.partitioner import murmur2
from confluent_kafka import Consumer, Producer, TopicPartition

from sourdine import keys, policy
from sourdine.cut import untouched_gate
from sourdine.deployed.embedded_broker import EmbeddedBroker
from sourdine.errors import SourdineError
from sourdine.local.scene import DURATION_S, SAMPLE_RATE, street_scene, write_wav
from sourdine.outgoing.admission import admit
from sourdine.outgoing.cloudevents import slot_time
from sourdine.topics import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sourdine.broker import BrokerSettings
    from sourdine.outgoing.cloudevents import Data

#: Three sensors in one street, each of which hears the scene from another second on.
SENSORS: Final = {1: 0, 2: 35, 3: 62}
STAGES: Final = ("classify", "gate")
EVENTS: Final = "sourdine.events.v1"
STATES: Final = "sourdine.checkpoints.v1"

OPENING_WORDS: Final = """\
The deployed chain on this machine, each part a process as in a city:

  broker    librdkafka's mock of Kafka at {address}: in memory, no TLS, no users
  gateway   hears three sensors of a synthetic street in real time, seals windows around alarms
  classify  opens, scores and seals again
  gate      decides what leaves

Starting them takes some seconds.
"""

STARTED_WORDS: Final = f"""
All run. The street takes {DURATION_S} s; Ctrl-C ends it earlier. What leaves, as a foreign Kafka client reads it:

"""

_CLOSING_WORDS: Final = """
What the broker got:

{rows}

Sealed messages open with the zone's key alone. What next:
  {sourdine} gateway --help
      streams of your own
  docs/operate.md, beside the source
      a real broker: TLS, users, rights, workers on several machines
"""

_READY: Final = '"event":"assigned"'
#: Longest that a worker takes to be ready on a busy machine.
_HANG_S: Final = 90.0
_LOOK_S: Final = 0.2
#: After the last sound, until its last event has come through.
_DRAIN_S: Final = 5.0
_END_S: Final = 10.0

_GATEWAY: Final = """\
placement = "cluster"
kafka = "kafka.toml"
key = "zone.key"
state = "state"
"""
_STREAM: Final = """
[[streams]]
sensor = {sensor}
kind = "file"
path = "{sensor}.wav"
"""


class DemoError(SourdineError):
    """A part of the demonstration has ended before its time."""

    exit_code = 1


class Demo:
    """The broker, a worker of each stage, and a gateway that hears three streams in real time.

    Parameters
    ----------
    folder : pathlib.Path
        For settings, key and sound; an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._broker = EmbeddedBroker(layout())
        self._parts: dict[str, subprocess.Popen[bytes]] = {}
        self._write_settings()
        self._enrol()

    @property
    def broker(self) -> BrokerSettings:
        """Where the broker is."""
        return self._broker.settings

    def start(self) -> None:
        """Start the workers, wait until they are ready, and start the gateway.

        Raises
        ------
        DemoError
            If one of them does not come up.
        """
        options = ["--kafka", "kafka.toml", "--key", "zone.key"]
        for stage in STAGES:
            self._start(stage, "worker", "--stage", stage, *options)
        deadline = time.monotonic() + _HANG_S
        while not all(_READY in self._log(stage) for stage in STAGES):
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(f"the workers are not ready after {_HANG_S:g} s")
            time.sleep(_LOOK_S)
        self._start("gateway", "gateway", "gateway.toml")

    def check(self) -> None:
        """Make sure that every part runs.

        Raises
        ------
        DemoError
            If one has ended; the text holds its last line.
        """
        for name, process in self._parts.items():
            if process.poll() is not None:
                last = (self._log(name).strip().splitlines() or ["it said nothing"])[-1]
                raise DemoError(f"{name} has ended with {process.returncode}: {last}")

    def events(self) -> Iterator[Data | None]:
        """Read what leaves, with a client of another make than ours; None where there is nothing at the moment."""
        reader = Consumer(self.broker.for_librdkafka() | {"group.id": "passer-by", "log_level": 0})
        n_partitions = layout().topics[EVENTS].partitions
        reader.assign([TopicPartition(EVENTS, partition, 0) for partition in range(n_partitions)])
        try:
            while True:
                message = reader.poll(_LOOK_S)
                is_record = message is not None and message.error() is None
                yield admit("event", message.key(), message.value()) if message and is_record else None
        finally:
            reader.close()

    def counts(self) -> dict[str, int]:
        """Return how many messages each topic holds."""
        reader = Consumer(self.broker.for_librdkafka() | {"group.id": "passer-by", "log_level": 0})
        try:
            return {
                name: sum(
                    reader.get_watermark_offsets(TopicPartition(name, partition), timeout=_END_S)[1]
                    for partition in range(topic.partitions)
                )
                for name, topic in layout().topics.items()
            }
        finally:
            reader.close()

    def stop(self) -> None:
        """End everything in order, the gateway first."""
        for _, process in reversed(self._parts.items()):
            process.terminate()
            try:
                process.wait(timeout=_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._broker.stop()

    def _write_settings(self) -> None:
        keys.do("new", self._folder / "zone.key")
        kafka = f'bootstrap = "{self.broker.bootstrap}"\nsecurity = "PLAINTEXT"\n'
        (self._folder / "kafka.toml").write_text(kafka, "utf-8")
        streams = [_STREAM.format(sensor=sensor) for sensor in SENSORS]
        (self._folder / "gateway.toml").write_text("".join([_GATEWAY, *streams]), "utf-8")
        scene = street_scene()
        for sensor, from_s in SENSORS.items():
            write_wav(self._folder / f"{sensor}.wav", np.roll(scene, -from_s * SAMPLE_RATE))

    def _enrol(self) -> None:
        """Say of each sensor that nothing has left yet; without it, nothing would before the hour ends."""
        street = policy.load("street", today=datetime.now(UTC).date()).core
        sealer = keys.sealer(self._folder / "zone.key")
        producer = Producer(self.broker.for_librdkafka() | {"log_level": 0})
        for sensor in SENSORS:
            partition = (murmur2(b"%d" % sensor) & 0x7FFFFFFF) % layout().topics[STATES].partitions
            producer.produce(STATES, untouched_gate(sealer, street, sensor), b"%d gate demo" % sensor, partition)
        producer.flush(_END_S)

    def _start(self, name: str, *arguments: str) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            # In a session of its own: Ctrl-C is for the demonstration, which ends its parts in order.
            self._parts[name] = subprocess.Popen(
                [sys.executable, "-P", "-m", "sourdine", *arguments],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _log(self, name: str) -> str:
        return (self._folder / f"{name}.log").read_text("utf-8", "replace")


@contextmanager
def demo() -> Iterator[Demo]:
    """Set the demonstration up in a folder that goes with it, and end it whatever happens."""
    with ExitStack() as stack:
        made = Demo(Path(stack.enter_context(TemporaryDirectory(prefix="sourdine-"))))
        stack.callback(made.stop)
        yield made


def event_words(event: Data, now: float) -> str:
    """Return an event in one line.

    Parameters
    ----------
    event : dict
        Its members.
    now : float
        When it was read, in seconds since 1970-01-01T00:00:00Z.

    Returns
    -------
    str
        When, which sensor, what, and how long after the end of its second it could be read.
    """
    slot = int(event["slot"] or 0)
    what = str(event["sound_class"]).replace("_", " ")
    moment, delay_s = slot_time(slot)[11:19], now - slot - 1
    return f"{moment} UTC  sensor {event['sensor_id']}  {what:<12}  readable {delay_s:.1f} s after that second"


def closing_words(counts: dict[str, int], sourdine: str) -> str:
    """Return what is said at the end.

    Parameters
    ----------
    counts : dict of str to int
        Messages of each topic.
    sourdine : str
        What is typed for the command here.

    Returns
    -------
    str
        Whole lines.
    """
    rows = [f"  {name:<24}{n:>6}  {layout().topics[name].holds}" for name, n in counts.items() if n]
    return _CLOSING_WORDS.format(rows="\n".join(rows), sourdine=sourdine)


def watch(shown: Demo, tell: Callable[[Data, float], None], is_over: Callable[[], bool]) -> None:
    """Tell of every event, until the scene is over or someone says stop.

    Parameters
    ----------
    shown : Demo
        Started.
    tell : callable
        Takes an event, and the time at which it was read.
    is_over : callable
        Says stop.

    Raises
    ------
    DemoError
        If a part of it has ended.
    """
    end = time.monotonic() + DURATION_S + _DRAIN_S
    for event in shown.events():
        if event is not None:
            tell(event, time.time())
        elif is_over() or time.monotonic() > end:
            return
        shown.check()
