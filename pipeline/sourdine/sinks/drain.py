"""The sink's one loop: read, admit, keep, and only then tell the broker."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from sourdine.operations.lines import Name
from sourdine.operations.told import Told
from sourdine.outgoing.admission import RefusedError, admit
from sourdine.sinks.reader import Came, Reader
from sourdine.sinks.store import Arrived, AwayError, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sourdine.broker import BrokerSettings
    from sourdine.sinks.counts import Counts
    from sourdine.sinks.store import Place, Store

#: Between two attempts at a store that is away, growing from the first to the second.
_AGAIN_S: Final = (0.25, 4.0)
_LOOK_S: Final = 5.0
#: Told to end, a sink has 5 s: for the batch in hand, for leaving the broker, for leaving the store.
_END_S: Final = (2.5, 1.0, 1.0)


async def drain(broker: BrokerSettings, name: str, store: Store, counts: Counts, stop: asyncio.Event) -> None:
    """Keep every record that comes, until told to stop.

    Parameters
    ----------
    broker : BrokerSettings
        Where records come from.
    name : str
        Of the sink.
    store : Store
        Where they go.
    counts : Counts
        What became of them.
    stop : asyncio.Event
        Set from outside.

    Raises
    ------
    SourdineError
        If broker or store refuse.
    """
    reader = Reader(broker, name, store, counts)
    work = asyncio.create_task(_work(reader, store, counts, stop))
    asked, watch = asyncio.create_task(stop.wait()), asyncio.create_task(_watch(reader, counts))
    batch_s, broker_s, store_s = _END_S
    try:
        await asyncio.wait((work, asked), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((work,), timeout=batch_s)
    finally:
        asked.cancel()
        watch.cancel()
        work.cancel()
        for end, longest_s in ((reader.stop, broker_s), (store.close, store_s)):
            with suppress(TimeoutError):
                await asyncio.wait_for(end(), longest_s)
    with suppress(asyncio.CancelledError):
        await work  # says what went wrong, if it did
    counts.tell(at_once=True)


async def _work(reader: Reader, store: Store, counts: Counts, stop: asyncio.Event) -> None:
    await store.open()
    await reader.start()
    counts.is_reading = True
    counts.say(Told.READS)
    while not stop.is_set():
        came, places = await reader.read()
        counts.tell()
        if not came:
            continue
        refused: Counter[str] = Counter()
        records = list(_admitted(came, refused))
        outcome = await _keep(store, records, places, counts)
        counts.add(outcome, refused)
        await reader.commit(places)


async def _watch(reader: Reader, counts: Counts) -> None:
    """Look whether the broker answers: reading from one that is away is the same as reading where nothing comes."""
    away_since_s: float | None = None
    while True:
        await asyncio.sleep(_LOOK_S)
        asked_s = monotonic()
        counts.is_broker_up = await reader.answers()
        if not counts.is_broker_up and away_since_s is None:
            away_since_s = asked_s
            counts.say(Told.BROKER_AWAY)
        elif counts.is_broker_up and away_since_s is not None:
            # What waits is at the broker, and nothing of it here.
            counts.say(Told.BROKER_BACK, seconds=round(monotonic() - away_since_s), n=0)
            away_since_s = None


def _admitted(came: Iterable[Came], refused: Counter[str]) -> Iterable[Arrived]:
    for one in came:
        try:
            data = admit(one.kind, one.key, one.value)
        except RefusedError as error:
            refused[error.reason] += 1
        else:
            yield Arrived(one.kind, data, one.value or b"", one.received_ms)


async def _keep(store: Store, records: list[Arrived], places: Mapping[Place, int], counts: Counts) -> Outcome:
    """Try until it is written: the store comes back, and nothing is read meanwhile."""
    wait_s, longest_s = _AGAIN_S
    is_said = False
    while True:
        try:
            outcome = await store.keep(records, places)
        except AwayError as away:
            if not is_said:
                counts.say(Told.STORE_AWAY, reason=Name(away.reason))
            is_said, counts.is_store_up = True, False
        else:
            counts.is_store_up = True
            if is_said:
                counts.say(Told.STORE_BACK)
            return outcome
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, longest_s)
