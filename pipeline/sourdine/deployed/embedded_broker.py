"""A Kafka broker inside this process: the mock cluster of librdkafka, which confluent-kafka brings along.

It listens on 127.0.0.1 alone, keeps everything in memory, and knows neither users nor rights nor retention: for
demonstrations and tests. Its messages carry the producer's time. Source: ``rdkafka_mock.h`` of librdkafka.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import cimpl

from sourdine.broker import BrokerSettings

if TYPE_CHECKING:
    from sourdine.topics import Layout

_PRODUCER: Final = 0
_POINTER: Final = ctypes.c_void_p
_TEXT: Final = ctypes.c_char_p
_INT: Final = ctypes.c_int
#: Result and arguments of what is called.
_CALLS: Final[dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "rd_kafka_conf_new": (_POINTER, ()),
    "rd_kafka_conf_set": (_INT, (_POINTER, _TEXT, _TEXT, _TEXT, ctypes.c_size_t)),
    "rd_kafka_new": (_POINTER, (_INT, _POINTER, _TEXT, ctypes.c_size_t)),
    "rd_kafka_destroy": (None, (_POINTER,)),
    "rd_kafka_mock_cluster_new": (_POINTER, (_POINTER, _INT)),
    "rd_kafka_mock_cluster_bootstraps": (_TEXT, (_POINTER,)),
    "rd_kafka_mock_cluster_destroy": (None, (_POINTER,)),
    "rd_kafka_mock_topic_create": (_INT, (_POINTER, _TEXT, _INT, _INT)),
}


class EmbeddedBroker:
    """A broker of one node with all topics of a layout; runs until it is stopped.

    Parameters
    ----------
    layout : Layout
        Which topics, of how many partitions.
    """

    def __init__(self, layout: Layout) -> None:
        self._library = _library()
        self._client = self._new_client()
        self._cluster = self._library.rd_kafka_mock_cluster_new(self._client, 1)
        for topic in layout.topics.values():
            self._library.rd_kafka_mock_topic_create(self._cluster, topic.name.encode(), topic.partitions, 1)

    @property
    def settings(self) -> BrokerSettings:
        """Where it is."""
        return BrokerSettings(self._library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode())

    def stop(self) -> None:
        """End it, and all that it kept."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    def _new_client(self) -> Any:
        """Make what the cluster hangs on; it connects to nothing, and need not say that it cannot."""
        settings = self._library.rd_kafka_conf_new()
        self._library.rd_kafka_conf_set(settings, b"log_level", b"0", None, 0)
        return self._library.rd_kafka_new(_PRODUCER, settings, None, 0)


def _library() -> Any:
    """Return librdkafka as the module has loaded it, wherever its wheel keeps it."""
    library = ctypes.CDLL(cimpl.__file__)
    for name, (result, arguments) in _CALLS.items():
        call = getattr(library, name)
        call.restype, call.argtypes = result, arguments
    return library
