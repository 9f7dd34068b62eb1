"""The Faust app of a worker, set by measurement: each value stands in the way of what loses, stalls or leaks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import faust
from faust.app import BootStrategy

from sourdine.agents.assignments import Assignments
from sourdine.agents.exits import EXIT_FAULT
from sourdine.agents.faust_worker import QuietWorker
from sourdine.broker import MECHANISM, BrokerSettings
from sourdine.operations.ending import end
from sourdine.operations.lines import Name, tell
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Coroutine

#: Messages of one partition that wait for their agent; a worker that is killed has at most these read and not done.
STREAM_BUFFER_MAXSIZE: Final = 64
#: A worker that is killed does again what it did in this time.
COMMIT_INTERVAL_S: Final = 0.5
#: The shortest that a broker grants unless told otherwise: what a lost worker had is taken over after it.
SESSION_TIMEOUT_S: Final = 6.0
HEARTBEAT_INTERVAL_S: Final = 2.0


class _WithoutPages(BootStrategy):  # type: ignore[misc]  # Faust has no types of its own
    """`faust worker` sets `web_enabled` back to true and binds every address; here there is nothing to bind."""

    enable_web = False


class WorkerApp(faust.App):  # type: ignore[misc]
    """An app without pages, and without folders: what it must keep, it seals and sends."""

    BootStrategy = _WithoutPages

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        #: What goes on beside the agents from the first moment on.
        self.alongside: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.assignments = Assignments(settings["consumer_group_instance_id"])
        self.is_stopping = False
        #: Says whether states are being read; a stage without any has none to wait for.
        self.is_restoring: Callable[[], bool] = lambda: False
        #: What is still done, in this order, once no message comes in any more.
        self.last_words: list[Callable[[], Awaitable[Any]]] = []
        self.on_before_shutdown.connect(self._say_last_words)

    def own_partitions(self) -> Collection[Any]:
        """Return the partitions that are this worker's, once it has asked for some."""
        return self.consumer.assignment() if self.assignments.n else ()

    async def commit_all(self) -> None:
        """Commit what was acknowledged: where a commit is under way, Faust waits for that one and does no other."""
        while await self.consumer.maybe_wait_for_commit_to_finish():
            pass
        await self.consumer.commit()

    def _new_consumer(self) -> Any:
        consumer = super()._new_consumer()
        consumer._add_gap = partial(pass_over, consumer, consumer._add_gap)
        return consumer

    async def _say_last_words(self, *_: Any, **__: Any) -> None:
        for word in self.last_words:
            await word()

    async def _on_partitions_assigned(self, assigned: Any, generation_id: int = 0) -> None:
        await super()._on_partitions_assigned(assigned, generation_id)
        self.assignments.came(len(assigned), generation_id)

    async def on_first_start(self) -> None:
        """Make no folder for tables: there are none, and a service may have nowhere to write."""


async def pass_over(consumer: Any, add_gap: Callable[..., Awaitable[None]], place: Any, first: int, then: int) -> None:
    """Let a worker go on behind a hole in what it reads only where the broker has nothing there any more.

    Faust takes any hole for messages that are gone, and commits past it. By its code its reader may make holes too:
    what was fetched before partitions were given out anew comes behind the new place, and all before it is dropped.

    Parameters
    ----------
    consumer : faust.Consumer
        Who reads.
    add_gap : callable
        Faust's own, which marks offsets as done, the last included.
    place : faust.types.TP
        The partition.
    first : int
        First offset that was not read.
    then : int
        Offset of the message that came instead.
    """
    if (await consumer.earliest_offsets(place))[place] < then:
        end(
            EXIT_FAULT, Told.FAULT, error=Name("Gap"), where=Name("read")
        )  # the next process reads from the last commit
    tell(Told.DELETED)
    await add_gap(place, first, then - 1)


def make_app(broker: BrokerSettings, *, group: str, instance: str) -> WorkerApp:
    """Return an app that agents can be added to.

    Parameters
    ----------
    broker : BrokerSettings
        Where the broker is, and who the worker is to it.
    group : str
        Workers of one group share the partitions; it is the app's id too.
    instance : str
        Name of this worker in the group, the same after every restart: a static member that comes back within the
        session keeps its partitions, and the others are not disturbed.

    Returns
    -------
    WorkerApp
        Not connected yet.
    """
    return WorkerApp(
        id=group,
        broker=";".join(f"kafka://{address}" for address in broker.bootstrap.split(",")),
        broker_credentials=_credentials(broker),
        broker_commit_interval=COMMIT_INTERVAL_S,
        broker_session_timeout=SESSION_TIMEOUT_S,
        broker_heartbeat_interval=HEARTBEAT_INTERVAL_S,
        consumer_group_instance_id=instance,
        stream_buffer_maxsize=STREAM_BUFFER_MAXSIZE,
        # Else a rebalance waits until all is acknowledged, and the last 2 s of sound never are; and a worker that is
        # told to end waits for messages that it has just thrown away, and prints them meanwhile.
        stream_wait_empty=False,
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        autodiscover=False,
        # Topics are made by `sourdine topics apply`: a worker has no right to.
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        Worker=QuietWorker,
    )


def _credentials(broker: BrokerSettings) -> Any:
    if broker.is_plain:
        return None
    return faust.SASLCredentials(
        username=broker.user, password=broker.password, ssl_context=broker.tls(), mechanism=MECHANISM
    )
