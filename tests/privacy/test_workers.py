"""What workers show, log and refuse is the same whatever is said in the street, and holds nothing of what came."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import orjson
import pytest
import soundfile
from numpy.typing import NDArray
from prometheus_client import generate_latest
from tests.chain import street
from tests.live import Clock
from tests.relay import START, logged, pieces, received_at, sent, zone
from tests.sentinel import forms_of
from tests.sounds import RATE, eventful, pcm16

from sourdine.agents.keeping import Keeping, KeepingShell
from sourdine.agents.progress import Progress
from sourdine.agents.rejects import Rejects
from sourdine.agents.shell import ScoringShell
from sourdine.agents.shown import ShownWorker
from sourdine.cut import Gates, Message, Scoring
from sourdine.hearing import SealedWindow
from sourdine.hearings import Hearings
from sourdine.operations.metrics import Hourly
from sourdine.operations.page import Pages, listen

SENSORS = (1, 2, 3)
SECONDS = 30
STAGES = ("describe", "classify", "gate")
#: All that a worker can say of a message: a word of the core or of ours.
REASON = re.compile(r"[a-z]+(_[a-z]+)*")
REJECTS = "sourdine.rejects.v1"
LEDGER = "sourdine.ledger.v1"


class Came:
    """A message, as Faust gives it."""

    def __init__(self, key: bytes, value: bytes, received_ms: int, offset: int) -> None:
        self.key, self.value, self.offset, self.partition = key, value, offset, 0
        self.timestamp = received_ms / 1000

    def incref(self) -> None:
        """Count nothing."""

    def ack(self, consumer: Any) -> None:
        """Count nothing."""


class Worker:
    """One stage with all that lies around it but Faust and the broker, and everything that someone sees of it."""

    def __init__(self, stage: str) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.pages: list[bytes] = []
        self._offset = 0
        self._clock = Clock(START)
        self._progress = Progress(lambda: 0.0)
        self._progress.hourly = Hourly(self._clock)
        outbox: Any = SimpleNamespace(send=self._send)
        self._rejects = Rejects(outbox, stage, self._progress)
        app: Any = SimpleNamespace(
            consumer=SimpleNamespace(assignment=lambda: [SimpleNamespace(partition=0)]),
            is_stopping=False,
            rebalancing=False,
            assignments=SimpleNamespace(n=1),
            is_restoring=lambda: False,
            own_partitions=lambda: [0],
        )
        self._app = app
        states: Any = SimpleNamespace(read=self._read, write=self._write)
        if stage == "classify":
            scoring = ScoringShell(Scoring(zone(), street().core), outbox, self._rejects, stage)
            self.take: Callable[[Any], Any] = partial(_scored, scoring)
            return
        makes: dict[str, Callable[[], Keeping]] = {
            "describe": lambda: Hearings(zone(), street().core, lambda sensor_id: None),
            "gate": lambda: Gates(zone(), street().core, lambda sensor_id: None),
        }
        topics: Any = _Topics()
        self._shell = KeepingShell(app, makes[stage], outbox, self._rejects, states, topics)
        self.take = self._shell.take

    async def let_come(self, key: bytes, value: bytes, received_ms: int) -> None:
        """Let a message come, and look at the pages behind it."""
        self._offset += 1
        await self.take(SimpleNamespace(message=Came(key, value, received_ms, self._offset)))

    async def look(self) -> None:
        """Tell what was refused, and read the pages."""
        await self._rejects.tell()
        self.pages.append(self._page())

    async def end(self) -> None:
        """Write all states, and let the hour end."""
        if hasattr(self, "_shell"):
            await self._shell.keep()
        await self.look()
        self._clock.seconds += 3_600
        await self.look()

    def told(self, topic: str) -> list[bytes]:
        """Give what was sent to a topic, keys too."""
        return [key + b" " + value for name, key, value in self.sent if name == topic]

    def given(self, received_ms: int) -> list[Message]:
        """Give what goes on to the next worker."""
        topics = (SealedWindow.__name__, "classify")
        return [Message(int(key), value, received_ms, 0) for name, key, value in self.sent if name in topics]

    def _page(self) -> bytes:
        shown = ShownWorker(self._app, self._progress)
        with listen("0") as taken:
            pages = Pages(taken, shown, kind="worker", service="any", version="1")
            return generate_latest(pages._registry) + str(shown.unready()).encode()

    async def _send(self, topic: str, key: bytes, value: bytes, partition: int) -> asyncio.Future[None]:
        self.sent.append((topic, key, value))
        return _done()

    async def _read(self, partitions: set[int]) -> dict[int, dict[int, list[bytes]]]:
        return {number: {} for number in partitions}

    async def _write(self, number: int, sensor_id: int, state: bytes) -> asyncio.Future[None]:
        return _done()


async def _scored(shell: ScoringShell, event: Any) -> None:
    """Let a window be scored before the next one comes: looks lie between them."""
    await shell.take(event, None)
    while shell._scoring is not None and not shell._scoring.done():
        await asyncio.sleep(0)


class _Topics(dict[type, str]):
    """Names each kind of output, and the ledger's topic as it is."""

    def __missing__(self, kind: type) -> str:
        return LEDGER if kind.__name__ == "LedgerLine" else kind.__name__


def _done() -> asyncio.Future[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


def scenes(speech: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make a street with a horn and breaking glass, and the same one in which people talk."""
    street_sound = eventful(float(SECONDS))
    files = sorted((speech / "many_speakers").glob("*.flac"))
    voices = np.concatenate([soundfile.read(file)[0] for file in files[:12]])
    talk = np.resize(0.5 * voices / np.abs(voices).max(), len(street_sound))
    return street_sound, np.clip(street_sound + talk, -1.0, 1.0)


def log_of(sound: NDArray[Any]) -> list[Message]:
    """Let three sensors seal it; some blocks come late, some twice, some not at all."""
    sensors = []
    for sensor_id in SENSORS:
        blocks = received_at(sent(pieces(sound, [1.0], sensor_id)), 3, 11, later_ms=1_400)
        blocks = received_at(blocks, 20, later_ms=130_000)
        sensors.append([*blocks[:15], *blocks[16:], blocks[7]])
    return logged(*sensors)


def malformed(sealed: bytes, sound: NDArray[Any]) -> list[tuple[bytes, bytes]]:
    """Give keys and values that no sender of ours sends; some hold the sound itself, and nothing seals it."""
    raw = pcm16(sound[5 * RATE : 6 * RATE])
    values = (b"", raw, sealed[:-1], sealed[:40], sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed + raw, raw[:200])
    return [(b"1", value) for value in values] + [(raw[:64], sealed), (b"%d" % 2**32, raw), (b"9", sealed), (b"", raw)]


async def watch(sound: NDArray[Any]) -> dict[str, Worker]:
    """Let a worker of each stage have what the one before it gives, and what is malformed before, behind and amid."""
    workers = {stage: Worker(stage) for stage in STAGES}
    messages = log_of(sound)
    for stage, worker in workers.items():
        # How many messages lie between two looks, in a stage whose input depends on what was heard, would be a look
        # at something else.
        amid = range(0, len(messages), 20) if stage == "describe" else (0,)
        for n, message in enumerate(messages):
            if n in amid:
                await disturb(worker, message, sound)
            await worker.let_come(b"%d" % message.sensor_id, message.sealed, message.received_ms)
        await disturb(worker, messages[-1], sound)
        await worker.end()
        messages = worker.given(START * 1000 + 40_000)
    return workers


async def disturb(worker: Worker, message: Message, sound: NDArray[Any]) -> None:
    """Send what is malformed, and look at the pages before and behind it."""
    await worker.look()
    for key, value in malformed(message.sealed, sound):
        await worker.let_come(key, value, message.received_ms)
    await worker.look()


@pytest.fixture(scope="module")
def sounds(speech: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read the recordings once."""
    return scenes(speech)


def test_two_scenes_that_differ_in_speech_give_the_same_pages_logs_rejects_and_ledger(
    sounds: tuple[NDArray[Any], NDArray[Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    seen, logs = [], []
    for sound in sounds:
        seen.append(asyncio.run(watch(sound)))
        logs.append(capfd.readouterr().err)
    calm, talk = seen
    assert len(calm["describe"].given(0)) != len(talk["describe"].given(0)), "what is not to be seen differs"
    assert logs[0] == logs[1]
    for stage in STAGES:
        assert calm[stage].pages == talk[stage].pages
        assert calm[stage].told(REJECTS) == talk[stage].told(REJECTS) != []
        assert calm[stage].told(LEDGER) == talk[stage].told(LEDGER)
    assert len(calm["describe"].told(LEDGER)) == len(SENSORS)
    assert b'refuses{reason="bad_key"} 1.0' in calm["describe"].pages[-3]


def test_nothing_of_what_came_is_found_in_what_is_told_of_it(
    sounds: tuple[NDArray[Any], NDArray[Any]], capfd: pytest.CaptureFixture[str]
) -> None:
    _, talk = sounds
    workers = asyncio.run(watch(talk))
    texts = [capfd.readouterr().err.encode()]
    for worker in workers.values():
        refused = [orjson.loads(line.partition(b" ")[2]) for line in worker.told(REJECTS)]
        assert {frozenset(one) for one in refused} == {frozenset(("sensor_id", "slot", "reason", "count"))}
        assert all(REASON.fullmatch(one["reason"]) for one in refused), {one["reason"] for one in refused}
        texts += [b"".join(worker.pages), *worker.told(REJECTS), *worker.told(LEDGER)]
    sealed = [value for worker in workers.values() for _, _, value in worker.sent]
    for second in (5, 12, 29):
        for form in forms_of(talk[second * RATE : (second + 1) * RATE]):
            assert not any(form in text for text in (*texts, *sealed))
    forms = forms_of(talk[5 * RATE : 6 * RATE])
    assert any(forms[1] in value for _, value in malformed(b"x" * 50, talk)), "it was there to be found"
