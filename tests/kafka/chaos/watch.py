"""A foreign reader that sees everything: messages as the broker keeps them, and what groups have committed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition
from dsp_core.zone import BlockError, Sealer
from tests.kafka.broker.server import Broker
from tests.kafka.chaos.history import Commit, History, Seen, place_of

_LOOK_S: Final = 0.3
_HEADER: Final = 34
_INPUTS: Final = {"classify": "sourdine.windows.v1", "gate": "sourdine.candidates.v1"}
_ASKER: Final = {"enable.auto.commit": False, "log_level": 0}


def now_ms() -> int:
    """Tell the time by the clock that the broker goes by too."""
    return time.time_ns() // 1_000_000


class Watch:
    """Two threads that write into a history for as long as they are in use."""

    def __init__(self, broker: Broker, sealer: Sealer, history: History, begin: Mapping[tuple[str, int], int]) -> None:
        self._sealer, self._begin = sealer, begin
        self._into: dict[str, list[Seen]] = {
            "sourdine.windows.v1": history.windows,
            "sourdine.candidates.v1": history.candidates,
            "sourdine.checkpoints.v1": history.states,
            "sourdine.events.v1": history.events,
        }
        self._commits = history.commits
        self._consumer = Consumer(broker.settings().for_librdkafka() | {"group.id": "watch", "log_level": 0})
        # By consumers that never join: an AdminClient that asked a broker which died has been seen to crash.
        self._askers = {
            stage: Consumer(broker.settings().for_librdkafka() | _ASKER | {"group.id": f"sourdine-{stage}"})
            for stage in _INPUTS
        }
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._follow), threading.Thread(target=self._ask)]

    def __enter__(self) -> Watch:
        places = [TopicPartition(*place, offset) for place, offset in self._begin.items() if place[0] in self._into]
        self._consumer.assign(places)
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        for one in (self._consumer, *self._askers.values()):
            one.close()

    def _follow(self) -> None:
        while not self._is_over.is_set():
            for message in self._consumer.consume(500, 0.2):
                if message.error() is None:
                    self._note(message)

    def _note(self, message: Any) -> None:
        topic, value, key = message.topic(), message.value() or b"", message.key() or b""
        where = (topic, message.partition(), message.offset(), message.timestamp()[1])
        if topic == "sourdine.events.v1":
            seen = Seen(*where, value=value)
        elif topic == "sourdine.checkpoints.v1":
            sensor, stage, _ = key.split(b" ", 2)
            if stage != b"gate" or not value:
                return
            seen = Seen(*where, place=(int(sensor), 0, 0), reaches=self._reach(int(sensor), value))
        elif len(value) < _HEADER:
            return
        else:
            seen = Seen(*where, place=place_of(value))
        self._into[topic].append(seen)

    def _reach(self, sensor_id: int, sealed: bytes) -> int:
        try:
            return self._sealer.unseal(sensor_id=sensor_id, sealed=sealed).kafka_offset
        except BlockError:
            return -1

    def _ask(self) -> None:
        while not self._is_over.wait(_LOOK_S):
            for stage, asker in self._askers.items():
                asked = [TopicPartition(*place) for place in self._begin if place[0] == _INPUTS[stage]]
                try:
                    places = asker.committed(asked, timeout=5.0)
                except KafkaException:  # the broker is away
                    continue
                at_ms = now_ms()
                self._commits += [Commit(at_ms, stage, place.partition, place.offset) for place in places]


def settled(count: Callable[[], int], for_s: float = 2.0) -> None:
    """Wait until a count has not changed for a while."""
    last, since = count(), time.monotonic()
    while time.monotonic() - since < for_s:
        time.sleep(0.2)
        if (n := count()) != last:
            last, since = n, time.monotonic()
