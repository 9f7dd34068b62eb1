"""A connection to a broker by confluent-kafka, whose refusals are said in one line each, with what to do."""

from __future__ import annotations

import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from sourdine.errors import AccessError, BrokerError, TransportError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from confluent_kafka.admin import ClusterMetadata

    from sourdine.broker import BrokerSettings

#: Longest that a broker which runs takes to greet; a person waits for it.
CONNECT_S: Final = 5.0
#: Longest that it takes to answer once it has greeted.
ANSWER_S: Final = 30.0
_TRY_S: Final = 1.0

_HOPELESS: Final = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})
#: The principal that `sourdine topics` works as.
_ADMIN: Final = "admin"
_LOST: Final = frozenset({KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._ALL_BROKERS_DOWN})
_DENIED: Final = frozenset(
    {
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
    }
)
_Answer = TypeVar("_Answer")


class Connection:
    """A user at a broker.

    Parameters
    ----------
    settings : BrokerSettings
        Where it is, and who we are.

    Attributes
    ----------
    client : confluent_kafka.admin.AdminClient
        For questions; `answer` waits for what it returns.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._errors: list[KafkaError] = []
        quiet = {"log_level": 0, "error_cb": self._errors.append, "reconnect.backoff.max.ms": 500}
        self.client = AdminClient(settings.for_librdkafka() | quiet)

    def __str__(self) -> str:
        """Return where it is."""
        return f"Kafka at {self._settings.bootstrap}"

    @property
    def user(self) -> str:
        """Who we are at the broker."""
        return self._settings.user or "ANONYMOUS"

    def greet(self) -> ClusterMetadata:
        """Wait for the first answer, and say what stands in its way: librdkafka itself tries for ever.

        Returns
        -------
        confluent_kafka.admin.ClusterMetadata
            Brokers, and the topics that this user may see.

        Raises
        ------
        TransportError
            If nothing answers.
        AccessError
            If the broker refuses the user or has another certificate.
        """
        deadline = time.monotonic() + CONNECT_S
        while True:
            try:
                return self.client.list_topics(timeout=_TRY_S)
            except KafkaException:
                self.client.poll(0)
                codes = {error.code() for error in self._errors}
                if codes & _HOPELESS or time.monotonic() > deadline:
                    raise self._refusal(codes) from None

    def answer(self, future: Future[_Answer]) -> _Answer:
        """Wait for an answer.

        Parameters
        ----------
        future : concurrent.futures.Future
            What the client returned.

        Returns
        -------
        object
            What the broker answered.

        Raises
        ------
        TransportError
            If it does not.
        AccessError
            If it refuses.
        """
        try:
            return future.result(timeout=ANSWER_S + 1.0)
        except KafkaException as error:
            fault: KafkaError = error.args[0]
        except FutureTimeoutError:
            raise self._refusal(set()) from None
        if fault.code() in _DENIED:
            raise self.denied()
        if fault.code() in _LOST:
            raise self._refusal(set())
        # The broker's own texts may hold what belongs into its log alone.
        raise AccessError("refused", f"{self} refuses what was asked ({fault.name()}); its log says more")

    def denied(self) -> AccessError:
        """Return what is raised where the user lacks what an administrator has."""
        if self.user == _ADMIN:
            remedy = "let a super user of the broker run `sourdine topics apply`"
        else:
            remedy = f"name the file of user {_ADMIN} or of a super user"
        words = f"user {self.user} may not see or change topics and rights, as {_ADMIN} may: {remedy}"
        return AccessError("right", f"{self}: {words}")

    def _refusal(self, codes: set[int]) -> BrokerError:
        if KafkaError._AUTHENTICATION in codes:
            words = f"refuses user {self.user}: no such user, or password_file holds another password"
            return AccessError("password", f"{self} {words}")
        if KafkaError._SSL in codes:
            words = "has no certificate for this address by ca_file, or speaks no TLS: check bootstrap and ca_file"
            return AccessError("certificate", f"{self} {words}")
        return TransportError("unreachable", f"{self} gives no answer: check bootstrap, and that it runs")
