"""What leaves a gateway for the broker: open records from the disk, in order; windows from memory, while they count.

The producer is idempotent and never gives up a batch, so that an outage of the broker loses and doubles nothing that is
in flight. Whatever else goes wrong with it, a new one begins with the oldest record that was not acknowledged.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from sourdine.operations.lines import Name
from sourdine.operations.metrics import LEAST_SENSORS
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sourdine.broker import BrokerSettings
    from sourdine.gateway.store import Store
    from sourdine.live.ear import Ear

WINDOWS: Final = "sourdine.windows.v1"
#: Messages of each kind that are on their way at a time.
MAX_IN_FLIGHT: Final = 64
#: A gate takes windows up to 120 s after their second; what waited for longer than this is not sent any more.
_WINDOW_LIFE_S: Final = 90.0
#: A broker that acknowledges nothing for so long is away.
_AWAY_S: Final = 5.0
_RETRY_S: Final = 1.0
_LOOK_S: Final = 0.5
#: For a producer that does not close by itself, and again for what waits for it.
STOP_S: Final = 0.5
_LINGER_MS: Final = 5
#: How many windows were lost depends on what was heard: it is said of ten sensors together, and so rarely.
_COUNT_S: Final = 3600.0


class Sender:
    """Sends for all sensors of a gateway: records, and windows.

    Parameters
    ----------
    broker : BrokerSettings
        Where to.
    store : Store
        Where open records wait.
    ear : Ear
        Told when the broker is away and when it is back.
    max_windows : int
        Sealed windows that wait in memory at most; the oldest are dropped for newer ones.
    n_sensors : int
        Of the gateway.
    """

    #: Where goes what waits in memory alone, and what is said of it.
    topic = WINDOWS
    away = "records wait on the disk, windows are dropped as they grow old"

    def __init__(self, broker: BrokerSettings, store: Store, ear: Ear, *, max_windows: int, n_sensors: int) -> None:
        self._broker, self._store, self._ear = broker, store, ear
        self._max_windows, self._n_sensors = max_windows, n_sensors
        self._windows: deque[tuple[float, int, bytes]] = deque()
        self._room = asyncio.Semaphore(MAX_IN_FLIGHT)
        self._record_came, self._window_came = asyncio.Event(), asyncio.Event()
        self._n_asked = 0
        #: How many windows of each sensor are on their way, with one producer.
        self._on_wire: Counter[int] = Counter()
        #: When the broker last answered, or was first asked since then; None where nothing is asked of it.
        self._asked_s: float | None = time.monotonic()
        self._away_since_s: float | None = None
        self._arrived: list[int] = []
        self._told = ""
        self._counted_s = -_COUNT_S
        self.n_windows_lost = 0

    def take_window(self, sensor_id: int, sealed: bytes) -> None:
        """Take a sealed window, to be sent at once.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        sealed : bytes
            The window.
        """
        self._windows.append((time.monotonic(), sensor_id, sealed))
        if len(self._windows) > self._max_windows:
            self._is_lost(self._windows.popleft()[1])
        self._window_came.set()

    def look(self) -> None:
        """Look for new records in the store."""
        self._record_came.set()

    async def run(self) -> None:
        """Send, for as long as the gateway runs."""
        watch = asyncio.create_task(self._watch())
        try:
            while True:
                await self._send_until_it_fails()
                await asyncio.sleep(_RETRY_S)
        finally:
            watch.cancel()
            while self._windows:
                self._is_lost(self._windows.popleft()[1])

    async def drain(self, seconds: float) -> None:
        """Wait until everything is sent, but not for long.

        Parameters
        ----------
        seconds : float
            The longest wait.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and (self._n_asked or self._windows or self._store.n_waiting):
            await asyncio.sleep(_LOOK_S / 10)

    @property
    def answers(self) -> bool:
        """Whether the broker has answered lately, as far as it was asked."""
        return self._away_since_s is None

    def tell_lost(self) -> None:
        """Tell that windows were lost, if any were: how many only of many sensors, and once an hour at most."""
        if not self.n_windows_lost:
            return
        now = time.monotonic()
        if self._n_sensors < LEAST_SENSORS or now - self._counted_s < _COUNT_S:
            self._ear.note(Told.WINDOWS_LOST, "windows were lost")
            return
        self._counted_s = now
        words = f"{self.n_windows_lost} windows were lost since the start"
        self._ear.note(Told.WINDOWS_LOST, words, n=self.n_windows_lost)

    async def _send_until_it_fails(self) -> None:
        options = {"acks": "all", "enable_idempotence": True, "linger_ms": _LINGER_MS}
        producer = AIOKafkaProducer(**self._broker.for_aiokafka(), **options)
        sending: list[asyncio.Task[None]] = []
        stop_s: float | None = STOP_S
        try:
            await producer.start()
            self._answered()
            sending = [
                asyncio.create_task(self._send_records(producer)),
                asyncio.create_task(self._send_windows(producer)),
            ]
            done, _ = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except KafkaError as error:
            stop_s = None  # what is on its way arrives, however long it takes: a new producer would send it twice
            self._say_fault(type(error).__name__)
        finally:
            # First the producer, so that what it still sends is let go of; a closed one ends both tasks.
            try:
                await asyncio.wait_for(producer.stop(), stop_s)
            except (TimeoutError, KafkaError):
                await producer.client.close()
            await _end(sending)
            self._let_go()
            given_up, self._on_wire = self._on_wire, Counter()
            for sensor_id in given_up.elements():  # nobody says any more whether they arrived
                self._is_lost(sensor_id)
            self._n_asked = 0
            self._room = asyncio.Semaphore(MAX_IN_FLIGHT)

    async def _send_records(self, producer: Any) -> None:
        """Send what waits on the disk: some at a time, and each for as long as it takes."""
        while True:
            waiting = self._store.next(MAX_IN_FLIGHT)
            if not waiting:
                self._record_came.clear()
                await self._record_came.wait()
                continue
            asked: list[asyncio.Future[Any]] = []
            for one in waiting:
                future = await self._ask(producer, one.topic, one.sensor_id, one.value)
                future.add_done_callback(partial(self._has_arrived, one.number))
                asked.append(future)
            await asyncio.wait(asked)
            self._let_go()
            _raise_first(future.exception() for future in asked)

    def _has_arrived(self, number: int, future: asyncio.Future[Any]) -> None:
        if not future.cancelled() and future.exception() is None:
            self._arrived.append(number)

    def _let_go(self) -> None:
        """Take from the disk what the broker has; it is not sent again."""
        self._store.sent(self._arrived)
        self._arrived.clear()

    async def _send_windows(self, producer: Any) -> None:
        failed: list[BaseException] = []
        on_wire = self._on_wire

        def done(sensor_id: int, future: asyncio.Future[Any]) -> None:
            if self._on_wire is not on_wire:  # given up with its producer
                return
            self._room.release()
            on_wire[sensor_id] -= 1
            error = asyncio.CancelledError() if future.cancelled() else future.exception()
            if error is None:
                self._is_delivered(sensor_id)
                return
            self._is_lost(sensor_id)
            if not future.cancelled():
                failed.append(error)
                self._window_came.set()

        while True:
            await self._window_came.wait()
            self._window_came.clear()
            _raise_first(failed)
            while self._windows:
                await self._room.acquire()
                window = self._next_window()
                if window is None:
                    self._room.release()
                    break
                on_wire[window[0]] += 1
                future = await self._ask(producer, self.topic, *window)
                future.add_done_callback(partial(done, window[0]))

    def _next_window(self) -> tuple[int, bytes] | None:
        """Return the oldest window that a gate would still take."""
        self._drop_old()
        return self._windows.popleft()[1:] if self._windows else None

    def _drop_old(self) -> None:
        oldest = time.monotonic() - _WINDOW_LIFE_S
        while self._windows and self._windows[0][0] < oldest:
            self._is_lost(self._windows.popleft()[1])

    def _is_lost(self, sensor_id: int) -> None:
        """Count what is not sent any more; of which sensor it is would say too much."""
        del sensor_id
        self.n_windows_lost += 1

    def _is_delivered(self, sensor_id: int) -> None:
        """Hear that the broker has something of a sensor."""

    async def _ask(self, producer: Any, topic: str, sensor_id: int, value: bytes) -> asyncio.Future[Any]:
        if self._asked_s is None:
            self._asked_s = time.monotonic()
        self._n_asked += 1
        future: asyncio.Future[Any] = await producer.send(topic, value, key=b"%d" % sensor_id)
        future.add_done_callback(self._is_done)
        return future

    def _is_done(self, future: asyncio.Future[Any]) -> None:
        self._n_asked = max(0, self._n_asked - 1)
        if not future.cancelled() and future.exception() is None:
            self._told = ""
            self._answered()

    def _say_fault(self, name: str) -> None:
        """Say what went wrong with the producer, but not each second again."""
        if name != self._told:
            self._told = name
            self._ear.note(Told.SENDER_FAULT, f"Kafka: {name}: tried again each second", error=Name(name))

    def _answered(self) -> None:
        self._asked_s = time.monotonic() if self._n_asked else None
        if self._away_since_s is not None:
            seconds = time.monotonic() - self._away_since_s
            self._away_since_s = None
            waiting = self._store.n_waiting
            words = f"Kafka is back after {seconds:.0f} s: {waiting} records waited"
            self._ear.note(Told.BROKER_BACK, words, seconds=round(seconds), n=waiting)
            self.tell_lost()

    async def _watch(self) -> None:
        """Say when the broker has not answered for some seconds, and drop windows that grow too old."""
        while True:
            await asyncio.sleep(_LOOK_S)
            self._drop_old()
            asked_s = self._asked_s
            if self._away_since_s is None and asked_s is not None and time.monotonic() - asked_s > _AWAY_S:
                self._away_since_s = asked_s
                self._ear.note(Told.BROKER_AWAY, f"Kafka does not answer: {self.away}")


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=STOP_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _raise_first(answers: Iterable[object]) -> None:
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
