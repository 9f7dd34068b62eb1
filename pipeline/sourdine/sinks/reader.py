"""The broker, as a sink reads it: a consumer that goes on from where its store is, and says what is wrong."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import (
    AuthenticationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
)

from sourdine.errors import AccessError, BrokerError, TransportError
from sourdine.operations.lines import Name
from sourdine.operations.told import Told
from sourdine.outgoing.admission import KINDS
from sourdine.sinks.store import AwayError
from sourdine.topics import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sourdine.broker import BrokerSettings
    from sourdine.sinks.counts import Counts
    from sourdine.sinks.store import Place, Store

#: Kind of record in each topic that is read.
TOPICS: Final = {name: topic.form for name, topic in layout().topics.items() if topic.form in KINDS}
GROUP_PREFIX: Final = "sourdine-sink-"

_MAX_RECORDS: Final = 2_000
_POLL_MS: Final = 500
_CONNECT_MS: Final = 5_000
_ANSWER_S: Final = 4.0
_SESSION_MS: Final = 6_000
_HEARTBEAT_MS: Final = 2_000
#: A store may be away for long: what waits is bounded by what is fetched ahead.
_FETCH_BYTES: Final = 131_072
_MAX_POLL_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Came:
    """A message of one of the topics.

    Parameters
    ----------
    kind : str
        That its topic holds.
    key : bytes or None
        As it came.
    value : bytes or None
        As it came.
    received_ms : int
        When the broker took it.
    """

    kind: str
    key: bytes | None
    value: bytes | None
    received_ms: int


class Reader:
    """A consumer in the group of one sink.

    Parameters
    ----------
    broker : BrokerSettings
        Where the broker is, and who we are to it.
    name : str
        Of the sink.
    store : Store
        Knows how far was read.
    counts : Counts
        Messages that are gone are counted there.
    """

    def __init__(self, broker: BrokerSettings, name: str, store: Store, counts: Counts) -> None:
        self._broker, self._store, self._counts = broker, store, counts
        self._group = GROUP_PREFIX + name
        self._heard = _Faults()
        self._consumer: Any = None
        #: Where to go on, as far as is known; the store knows better, if another process wrote into it.
        self.places: dict[Place, int] = {}

    async def start(self) -> None:
        """Connect and join the group.

        Raises
        ------
        BrokerError
            If the broker cannot be reached, refuses, or has not what is read.
        """
        logging.getLogger("aiokafka").addHandler(self._heard)
        logging.getLogger("aiokafka").propagate = False
        self._consumer = AIOKafkaConsumer(
            **self._broker.for_aiokafka(),
            group_id=self._group,
            # A sink that comes back within the session keeps its partitions; two on one machine are one too many.
            group_instance_id=f"{self._group}-{socket.gethostname()}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_HEARTBEAT_MS,
            max_poll_interval_ms=_MAX_POLL_MS,
            max_partition_fetch_bytes=_FETCH_BYTES,
            request_timeout_ms=_CONNECT_MS,
        )
        try:
            self.places = await self._store.places()
            await self._consumer.start()
            missing = TOPICS.keys() - await self._consumer.topics()
        except (KafkaError, OSError) as error:
            raise self._refusal(error) from None
        except AwayError as away:
            raise TransportError("unreachable", str(away)) from None
        if missing:
            words = f"has no {min(missing)}, or user {self._broker.user} may not read it: sourdine topics check"
            raise AccessError("topic", f"{self._where()} {words}")
        self._consumer.subscribe(list(TOPICS), listener=_Joins(self))

    async def read(self) -> tuple[list[Came], dict[Place, int]]:
        """Wait a little for messages.

        Returns
        -------
        tuple
            What came, and the offset to go on from in each partition that it came from.

        Raises
        ------
        BrokerError
            If the broker refuses.
        """
        try:
            found = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
        except KafkaError as error:
            raise self._refusal(error) from None
        came = [
            Came(TOPICS[one.topic], one.key, one.value, one.timestamp)
            for messages in found.values()
            for one in messages
        ]
        return came, {(at.topic, at.partition): messages[-1].offset + 1 for at, messages in found.items() if messages}

    async def commit(self, places: Mapping[Place, int]) -> None:
        """Tell the broker how far was read, for whoever watches the lag; the store is what counts.

        Parameters
        ----------
        places : mapping of tuple to int
            Offset to go on from in each partition.
        """
        self.places |= places
        with suppress(KafkaError):
            await self._consumer.commit({TopicPartition(*place): offset for place, offset in places.items()})

    async def answers(self) -> bool:
        """Return whether the broker answers a question; before there is a connection there is none to ask."""
        if self._consumer is None:
            return True
        try:
            await asyncio.wait_for(self._consumer.topics(), _ANSWER_S)
        except (KafkaError, OSError, TimeoutError):
            return False
        return True

    async def stop(self) -> None:
        """Leave."""
        if self._consumer is not None:
            with suppress(KafkaError, OSError):
                await self._consumer.stop()

    async def go_on(self, assigned: Iterable[Any]) -> None:
        """Place the consumer where the store is, in partitions that were given to it.

        Parameters
        ----------
        assigned : iterable of aiokafka.TopicPartition
            These.
        """
        with suppress(AwayError):  # then what is known must do: what is read twice is found in the store
            self.places |= await self._store.places()
        assigned = list(assigned)
        begins = await self._consumer.beginning_offsets(assigned)
        ends = await self._consumer.end_offsets(assigned)
        for at in assigned:
            begin, place = begins[at], self.places.get((at.topic, at.partition))
            if place is None:
                place = begin
            elif place > ends[at]:
                self._counts.say(Told.MADE_ANEW, topic=Name(at.topic), partition=at.partition)
                place = begin
            elif place < begin:
                self._counts.n_gone += begin - place
                self._counts.say(Told.GONE, topic=Name(at.topic), partition=at.partition, n=begin - place)
            self._consumer.seek(at, max(place, begin))

    def _refusal(self, error: BaseException) -> BrokerError:
        errors, user = (error, *self._heard.errors), self._broker.user
        if any(isinstance(one, SaslAuthenticationFailed | AuthenticationFailedError) for one in errors):
            words = f"refuses user {user}: no such user, or password_file holds another password"
            return AccessError("password", f"{self._where()} {words}")
        if any(isinstance(one, ssl.SSLError) for one in errors):
            words = "has no certificate for this address by ca_file, or speaks no TLS: check bootstrap and ca_file"
            return AccessError("certificate", f"{self._where()} {words}")
        if isinstance(error, GroupAuthorizationFailedError | TopicAuthorizationFailedError):
            what = "topic" if isinstance(error, TopicAuthorizationFailedError) else f"group {self._group}"
            words = f"lets user {user} not read in {what}: let its administrator run sourdine topics apply"
            return AccessError("right", f"{self._where()} {words}")
        words = f"gives no answer ({type(error).__name__}): check bootstrap, and that it runs"
        return TransportError("unreachable", f"{self._where()} {words}")

    def _where(self) -> str:
        return f"broker {self._broker.bootstrap}"


class _Joins(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types of its own
    """Told of partitions that come and go."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def on_partitions_revoked(self, revoked: Any) -> None:
        """Do nothing: what was read of them and is not written down yet, the next one reads too."""

    async def on_partitions_assigned(self, assigned: Any) -> None:
        """Go on where the store is; what fails here is what reading fails of too."""
        with suppress(KafkaError):
            await self._reader.go_on(assigned)


class _Faults(logging.Handler):
    """Keeps the errors of aiokafka's log, where alone it says why a connection fails, and prints nothing."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the newest few errors."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        self.errors = [*self.errors, *(one for one in arguments if isinstance(one, BaseException))][-8:]
