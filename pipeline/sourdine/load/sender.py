"""What a load sends, how far it is behind, and what it says that it sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from confluent_kafka import KafkaError, Producer
from dsp_core.zone import sealed_header

from sourdine.errors import TransportError
from sourdine.topics import layout

if TYPE_CHECKING:
    from sourdine.broker import BrokerSettings

#: Messages that wait for the broker; then the load waits too.
_MAX_WAITING: Final = 5_000
_FLUSH_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Span:
    """Messages of one sensor and boot, without a gap.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.
    boot_ns : int
        Of the messages.
    first : int
        Lowest sequence.
    last : int
        Highest sequence.
    """

    sensor_id: int
    boot_ns: int
    first: int
    last: int


class Sender:
    """A gateway's user at the broker.

    Parameters
    ----------
    broker : BrokerSettings
        Where it is, and who we are.
    topic : str
        Where to.
    """

    def __init__(self, broker: BrokerSettings, topic: str) -> None:
        ours = {"acks": "all", "enable.idempotence": True, "linger.ms": 25, "batch.size": 16_384, "log_level": 0}
        # A batch of one message that is larger than that goes alone.
        self._producer = Producer(broker.for_librdkafka() | ours)
        self.topic, self._n_partitions = topic, layout().topics[topic].partitions
        self._spans: dict[tuple[int, int], Span] = {}
        self.n_sent = 0
        self.n_bytes = 0
        self.n_refused = 0

    def send(self, sensor_id: int, sealed: list[bytes]) -> None:
        """Send what a sensor seals; waits while too much waits for the broker.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        sealed : list of bytes
            In their order.
        """
        for value in sealed:
            partition = sensor_id % self._n_partitions
            self._producer.produce(self.topic, value, b"%d" % sensor_id, partition, on_delivery=self._delivered)
            self._note(value)
            self.n_sent += 1
            self.n_bytes += len(value)
        self._producer.poll(0)
        while len(self._producer) > _MAX_WAITING:
            self._producer.poll(0.1)

    def finish(self) -> None:
        """Wait until the broker has everything.

        Raises
        ------
        TransportError
            If it does not take it.
        """
        if self._producer.flush(_FLUSH_S) or self.n_refused:
            words = f"{self.n_refused} messages were refused, and {len(self._producer)} wait"
            raise TransportError("unreachable", f"not all of it was sent: {words}")

    def ledger(self) -> bytes:
        """Return what was sent: a line for each sensor and boot, with its lowest and highest sequence."""
        lines = [
            {"topic": self.topic, "sensor_id": s.sensor_id, "boot_ns": s.boot_ns, "first": s.first, "last": s.last}
            for s in self._spans.values()
        ]
        return b"".join(orjson.dumps(line) + b"\n" for line in lines)

    def _note(self, sealed: bytes) -> None:
        header = sealed_header(sealed)
        boot = (header.sensor_id, header.boot_ns)
        first = self._spans[boot].first if boot in self._spans else header.sequence
        self._spans[boot] = Span(*boot, first, header.sequence)

    def _delivered(self, error: KafkaError | None, _: Any) -> None:
        if error is not None:
            self.n_refused += 1
