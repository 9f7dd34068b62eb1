"""A gateway at work: looks at all streams four times a second, and sends once a second what they released."""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from dsp_core.zone import Classify, DescribeMany

from sourdine.gateway.front import Fronts
from sourdine.gateway.inputs import input_of
from sourdine.gateway.relay import BlockSender, InBlocks, NoStates, Sealings, block_s_of, encoding_of
from sourdine.gateway.sender import Sender
from sourdine.gateway.store import Store
from sourdine.gateway.stream import Stream, hear_together
from sourdine.ledger import Ledger
from sourdine.live.chain import WholeChains
from sourdine.live.ear import Ear
from sourdine.live.listener import Input, Listener
from sourdine.operations.told import Told
from sourdine.operations.watchdog import Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

    from sourdine.gateway.settings import GatewaySettings, StreamSettings
    from sourdine.live.chain import Chains
    from sourdine.operations.lines import Fact

#: How long sound waits before it is looked at.
LOOK_S: Final = 0.25
#: Time that is left, when all ends, for what is not sent yet; what then remains is sent by the next process.
DRAIN_S: Final = 2.0
#: Streams that are heard together before others get their turn: what is sent must not wait for hundreds of them.
_N_AT_A_TIME: Final = 32
#: With fewer streams than this for each, another thread waits more than it helps.
_STREAMS_PER_THREAD: Final = 16
#: Lines about one stream in a minute.
_MAX_NOTES: Final = 10
_MINUTE_S: Final = 60.0

#: What each placement gives, and what it does not.
GUARANTEES: Final = {
    "cluster": (
        "Placement cluster: sound is described here; sealed windows around alarms, levels and states go to Kafka, and "
        "workers of the zone decide on events.",
        "Guaranteed: no sound leaves this machine. Levels and states leave here, events leave the workers, at the bit "
        "rate of the policy. Without the zone's key no window can be opened.",
        "Not guaranteed: the broker sees which sensor sent a window, and when. Whoever holds the zone's key and the "
        "minutes that the broker keeps can rebuild speech from windows, until the key was turned over twice.",
    ),
    "gateway": (
        "Placement gateway: the whole chain runs here; only the three closed record types go to Kafka.",
        "Guaranteed: nothing but those records leaves this machine, at the bit rate of the policy: no window and no "
        "score reaches the broker.",
        "Not guaranteed: it does not hold against other code in this process, against whoever administers this "
        "machine, or against a microphone that runs other software.",
    ),
    "relay": (
        "Placement relay: sound is only sealed here; sealed blocks of all of it go to Kafka, and workers of the zone "
        "hear and decide.",
        "Guaranteed: no sound is written to a disk here, and none leaves unsealed. Records leave the workers, at the "
        "bit rate of their policy. Without the zone's key no block can be opened.",
        "Not guaranteed: whoever holds the zone's key and the ten minutes that the broker keeps can hear everything "
        "in them, until the key was turned over twice. Blocks are of one size and come all the time: the broker sees "
        "that a sensor runs.",
    ),
}


class Gateway:
    """All streams, and what is sent of them.

    Parameters
    ----------
    settings : GatewaySettings
        What to hear, and where to send.
    store : Store
        States, and records that wait.
    ear : Ear
        Who is told.
    clock : callable, default=time.time
        Seconds since 1970-01-01T00:00:00Z, with a fraction.
    look_s : float, default=LOOK_S
        Between two looks at the streams.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        store: Store,
        ear: Ear,
        clock: Callable[[], float] = time.time,
        look_s: float = LOOK_S,
    ) -> None:
        self._settings, self._store, self._ear, self._clock, self._look_s = settings, store, ear, clock, look_s
        self._second = math.floor(clock())
        n_streams = len(settings.streams)
        self.sender: Sender
        if settings.placement == "relay":
            folder, max_blocks = settings.state, settings.max_blocks
            self.sender = BlockSender(settings.broker, store, ear, max_blocks=max_blocks, folder=folder)
        else:
            self.sender = Sender(settings.broker, store, ear, max_windows=settings.max_windows, n_sensors=n_streams)
        self._classify = Classify(policy=settings.policy.core) if settings.placement == "gateway" else None
        self._streams = [self._stream(one) for one in settings.streams]
        n_together = min(len(self._streams), _N_AT_A_TIME)
        self._many = DescribeMany(n_threads=min(_n_cores(), max(1, n_together // _STREAMS_PER_THREAD)))

    @property
    def ledger(self) -> Ledger:
        """What was heard and released, of all streams."""
        total = Ledger()
        for stream in self._streams:
            total.add(stream.listener.ledger)
        return total

    @property
    def oldest_s(self) -> int | None:
        """When the record that waits longest left its gate; None if none waits."""
        return self._store.oldest_s

    @property
    def listeners(self) -> dict[int, Listener]:
        """Return the listener of each sensor."""
        return {
            one.sensor_id: stream.listener for one, stream in zip(self._settings.streams, self._streams, strict=True)
        }

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Hear and send until someone says stop.

        Parameters
        ----------
        is_over : callable
            Says so.

        Raises
        ------
        OutputError
            If states cannot be written: then nothing may leave.
        """
        sending = asyncio.create_task(self.sender.run())
        try:
            while not is_over() and not sending.done():
                await self._hear()
                await asyncio.sleep(self._until_next_look())
            for stream in self._streams:
                stream.stop()
            self._flush()
            await self.sender.drain(DRAIN_S)
        finally:
            sending.cancel()
            await asyncio.wait([sending])
            if isinstance(self.sender, BlockSender):
                self.sender.write_counts()
        if not sending.cancelled():
            sending.result()

    def _stream(self, one: StreamSettings) -> Stream:
        ear = _StreamEar(self._ear, one.sensor_id, self._clock)
        source = input_of(one, ear, self._clock)
        if isinstance(self.sender, BlockSender):
            return Stream(source, self._sealing(one, source, ear, self.sender), ear)
        listener = Listener(
            sensor_id=one.sensor_id,
            source=source,
            chains=self._chains(one),
            store=self._store.of(one.sensor_id, one.full_scale_db),
            sealer=self._settings.sealer,
            full_scale_db=one.full_scale_db,
            ear=ear,
            clock=self._clock,
        )
        return Stream(source, listener, ear)

    def _sealing(self, one: StreamSettings, source: Input, ear: Ear, sender: BlockSender) -> Listener:
        """Return what seals a stream and does no more."""
        block_s, store = block_s_of(one.pcm), self._store.of(one.sensor_id, None)
        encoding = encoding_of(one.pcm, one.channel)
        return Listener(
            sensor_id=one.sensor_id,
            source=InBlocks(source, block_s, self._clock),
            chains=Sealings(one.sensor_id, self._settings.sealer, encoding, sender.take_block, store),
            store=store,
            sealer=NoStates(),
            full_scale_db=None,
            ear=ear,
            clock=self._clock,
            block_s=block_s,
        )

    def _chains(self, one: StreamSettings) -> Chains:
        policy = self._settings.policy.core
        if self._classify is not None:
            return WholeChains(
                sensor_id=one.sensor_id,
                sample_rate=one.pcm.sample_rate,
                policy=policy,
                classify=self._classify,
                full_scale_db=one.full_scale_db,
            )
        return Fronts(
            sensor_id=one.sensor_id,
            sample_rate=one.pcm.sample_rate,
            policy=policy,
            sealer=self._settings.sealer,
            send=self.sender.take_window,
            full_scale_db=one.full_scale_db,
        )

    async def _hear(self) -> None:
        for first in range(0, len(self._streams), _N_AT_A_TIME):
            self._send_second()
            await asyncio.sleep(0)
            hear_together(self._streams[first : first + _N_AT_A_TIME], self._many)

    def _send_second(self) -> None:
        """Send what was released, on the whole second and in canonical order: finer times and order tell nothing."""
        second = math.floor(self._clock())
        if second != self._second:
            self._second = second
            self._flush()

    def _flush(self) -> None:
        if isinstance(self.sender, BlockSender):
            self.sender.write_counts()
        n_new, n_given_up = self._store.flush(self._clock())
        if n_given_up:
            self._ear.note(
                Told.RECORDS_GIVEN_UP, f"{n_given_up} records waited for a day and are given up", n=n_given_up
            )
        if n_new:
            self.sender.look()

    def _until_next_look(self) -> float:
        """Return the time to the next multiple, so that whole seconds are met."""
        now = time.time()
        return (math.floor(now / self._look_s) + 1) * self._look_s - now


class _StreamEar(Ear):
    """Names the stream, and lets no stream fill the log."""

    def __init__(self, ear: Ear, sensor_id: int, clock: Callable[[], float]) -> None:
        self._ear, self._sensor_id, self._clock = ear, sensor_id, clock
        self._noted: deque[float] = deque(maxlen=_MAX_NOTES)

    def note(self, told: Told, text: str, **facts: Fact) -> None:
        now = self._clock()
        if len(self._noted) == _MAX_NOTES and abs(now - self._noted[0]) < _MINUTE_S:
            return
        self._noted.append(now)
        self._ear.note(told, f"sensor {self._sensor_id}: {text}", sensor=self._sensor_id, **facts)


def _n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _turn_on(_: Gateway) -> Coroutine[Any, Any, None]:
    return Watchdog().turn_on()


def run(
    settings: GatewaySettings,
    ear: Ear,
    is_over: Callable[[], bool],
    alongside: Iterable[Callable[[Gateway], Coroutine[Any, Any, None]]] = (),
) -> Ledger:
    """Run a gateway until someone says stop.

    Parameters
    ----------
    settings : GatewaySettings
        What to hear, and where to send.
    ear : Ear
        Who is told.
    is_over : callable
        Says when to stop.
    alongside : iterable of callable, default=()
        What goes on beside it, such as its pages.

    Returns
    -------
    Ledger
        What was heard and released.

    Raises
    ------
    ConfigError
        If another process uses the folder of states.
    OutputError
        If it cannot be written.
    """

    async def main() -> Ledger:
        with closing(Store(settings.state)) as store:
            gateway = Gateway(settings, store, ear)
            beside = [begin(gateway) for begin in (_turn_on, *alongside)]
            tasks = [asyncio.create_task(one) for one in beside]
            try:
                await gateway.run(is_over)
            finally:
                for task in tasks:
                    task.cancel()
            gateway.sender.tell_lost()
            return gateway.ledger

    return asyncio.run(main())
