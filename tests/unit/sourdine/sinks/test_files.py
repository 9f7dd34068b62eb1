"""Files of records: whatever ends a process, each record stands once, and what finds duplicates stays bounded."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sourdine.errors import ConfigError
from sourdine.outgoing.cloudevents import Data, canonical
from sourdine.sinks.files import REMEMBERED_DAYS, STATE_NAME, FileStore
from sourdine.sinks.store import Arrived, AwayError, Outcome, Place

DAY_MS = 86_400_000
TODAY_MS = 20_581 * DAY_MS  # 2026-05-08
FILE = "health-2026-05-08.jsonl"


def state(n: int, word: str = "ok", received_ms: int = TODAY_MS) -> Arrived:
    """Make the n-th state of sensor 1."""
    data: Data = {"sensor_id": 1, "slot": 60 * n, "state": word}
    return Arrived("health", data, canonical("health", data), received_ms)


def keep(folder: Path, *batches: Sequence[Arrived], at: int = 0) -> list[Outcome]:
    """Write batches down in one process."""

    async def write() -> list[Outcome]:
        store = FileStore(folder)
        await store.open()
        try:
            return [await store.keep(list(batch), {("t", 0): at + n}) for n, batch in enumerate(batches, 1)]
        finally:
            await store.close()

    return asyncio.run(write())


def places(folder: Path) -> dict[Place, int]:
    """Open, and read how far was read."""

    async def read() -> dict[Place, int]:
        store = FileStore(folder)
        await store.open()
        try:
            return await store.places()
        finally:
            await store.close()

    return asyncio.run(read())


def lines(folder: Path) -> list[bytes]:
    """Read what stands there."""
    return [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_bytes().splitlines()]


def test_first_stays_and_the_others_are_counted(tmp_path: Path) -> None:
    first, second = keep(tmp_path, [state(0), state(0), state(1, "gaps")], [state(0), state(1), state(2)])
    assert (first.n_kept, first.n_duplicates, first.n_conflicts) == (2, 1, 0)
    assert (second.n_kept, second.n_duplicates, second.n_conflicts) == (1, 1, 1)
    assert second.conflict == ("health", 1, 60, "health")
    assert lines(tmp_path) == [state(0).value, state(1, "gaps").value, state(2).value]
    assert places(tmp_path) == {("t", 0): 2}


def test_a_day_of_the_broker_is_a_file(tmp_path: Path) -> None:
    keep(tmp_path, [state(0), state(1, received_ms=TODAY_MS + DAY_MS - 1), state(2, received_ms=TODAY_MS + DAY_MS)])
    names = {file.name: file.read_bytes().count(b"\n") for file in tmp_path.glob("*.jsonl")}
    assert names == {FILE: 2, "health-2026-05-09.jsonl": 1}


def go_on(folder: Path, begin: int) -> None:
    """Write what is left of ten states, one a batch and two a day."""
    keep(folder, *([state(n, received_ms=TODAY_MS + n * DAY_MS // 2)] for n in range(begin, 10)), at=begin)


class _KilledError(Exception):
    """Stands for a process that ends."""


@pytest.mark.parametrize("last", range(1, 12))
def test_killed_at_any_step_is_made_good(tmp_path: Path, last: int, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, [state(0)])
    n_steps = 0

    def step(act: Any) -> Any:
        """Count what reaches the disk, and end before one of it."""

        def do(*arguments: Any, **named: Any) -> Any:
            nonlocal n_steps
            n_steps += 1
            if n_steps >= last:
                raise _KilledError
            return act(*arguments, **named)

        return do

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", step(os.fsync))
        patched.setattr("sourdine.sinks.files._transaction", step(_transaction()))
        with pytest.raises(_KilledError):
            go_on(tmp_path, 1)
    n_read = places(tmp_path)["t", 0]
    go_on(tmp_path, n_read)
    assert lines(tmp_path) == [state(n).value for n in range(10)]


def _transaction() -> Any:
    from sourdine.sinks import files

    return files._transaction


def test_half_a_line_is_cut_off(tmp_path: Path) -> None:
    keep(tmp_path, [state(0)])
    with (tmp_path / FILE).open("ab") as file:
        file.write(state(1).value[:20])
    keep(tmp_path, [state(2)])
    assert lines(tmp_path) == [state(0).value, state(2).value]


def test_a_file_that_was_taken_away_begins_anew(tmp_path: Path) -> None:
    keep(tmp_path, [state(0)])
    (tmp_path / FILE).unlink()
    (outcome,) = keep(tmp_path, [state(0), state(1)])
    assert (outcome.n_kept, outcome.n_duplicates) == (1, 1)
    assert lines(tmp_path) == [state(1).value]


def test_ids_are_remembered_as_long_as_the_broker_can_repeat_them(tmp_path: Path) -> None:
    keep(tmp_path, [state(n, received_ms=TODAY_MS + n * DAY_MS) for n in range(3 * REMEMBERED_DAYS)])
    last = state(1000, received_ms=TODAY_MS + 3 * REMEMBERED_DAYS * DAY_MS)
    keep(tmp_path, [last])
    with sqlite3.connect(tmp_path / STATE_NAME) as base:
        for table in ("seen", "file"):
            assert base.execute(f"SELECT count(*) FROM {table}").fetchone() == (REMEMBERED_DAYS + 1,)
    base.close()
    (outcome,) = keep(tmp_path, [state(3 * REMEMBERED_DAYS - 1), last])
    assert outcome.n_duplicates == 2


def test_a_full_disk_is_waited_for_and_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def write() -> None:
        store = FileStore(tmp_path)
        await store.open()
        with monkeypatch.context() as full:
            full.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with pytest.raises(AwayError, match="No space left on device"):
                await store.keep([state(0)], {("t", 0): 1})
        assert (await store.keep([state(0)], {("t", 0): 1})).n_kept == 1
        await store.close()

    asyncio.run(write())
    assert lines(tmp_path) == [state(0).value]


def test_state_of_another_version_is_left_alone(tmp_path: Path) -> None:
    keep(tmp_path, [state(0)])
    with sqlite3.connect(tmp_path / STATE_NAME) as base:
        base.execute("PRAGMA user_version = 9")
    base.close()
    with pytest.raises(ConfigError, match="version 9"):
        keep(tmp_path, [state(1)])
    assert lines(tmp_path) == [state(0).value]


def test_a_state_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / STATE_NAME).write_bytes(b"no database" * 100)
    with pytest.raises(ConfigError, match="SQLITE_NOTADB"):
        keep(tmp_path, [state(0)])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["ok", "gaps"])), max_size=8), max_size=5)
)
def test_every_record_is_counted_once(
    batches: list[list[tuple[int, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("out")
    outcomes = [one for batch in batches for one in keep(folder, [state(n, word) for n, word in batch])]
    n_counted = sum(one.n_kept + one.n_duplicates + one.n_conflicts for one in outcomes)
    assert n_counted == sum(map(len, batches))
    first: dict[int, str] = {}
    for n, word in (one for batch in batches for one in batch):
        first.setdefault(n, word)
    assert lines(folder) == [state(n, word).value for n, word in first.items()]
