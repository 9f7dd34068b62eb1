"""What a gateway keeps: records and states in one step, in order, for a day."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.chain import demo_records

from sourdine.errors import ConfigError
from sourdine.gateway.store import KEPT_S, STORE_NAME, Store

RECORDS = list(demo_records())


def test_records_and_states_stand_after_a_flush_and_not_before(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.take(1, b"sealed", 120, None, RECORDS)
        assert store.n_waiting == 0
    with closing(Store(tmp_path)) as store:
        assert store.of(1, None).kept is None
        store.of(1, 94.0).commit(b"sealed", 120, reversed(RECORDS))
        assert store.flush(200.0) == (len(RECORDS), 0)
    with closing(Store(tmp_path)) as store:
        kept = store.of(1, None).kept
        assert kept is not None
        assert (kept.sealed, kept.next_slot, kept.full_scale_db) == (b"sealed", 120, 94.0)
        assert [one.number for one in store.next(100)] == [*range(1, len(RECORDS) + 1)]
        topics = [one.topic.split(".")[1] for one in store.next(100)]
        assert topics == sorted(topics, key=["events", "levels", "health"].index)
    assert (tmp_path / STORE_NAME).stat().st_mode & 0o777 == 0o600


def test_what_was_sent_goes_and_what_is_a_day_old_is_given_up(tmp_path: Path) -> None:
    with closing(Store(tmp_path)) as store:
        store.take(1, b"", 0, None, RECORDS[:2])
        store.flush(1000.0)
        store.take(1, b"", 0, None, RECORDS[2:4])
        store.flush(2000.0)
        first, *_ = store.next(10)
        store.sent([first.number])
        assert store.n_waiting == 3
        assert store.flush(1001.0 + KEPT_S) == (0, 1)
        assert store.n_waiting == 2
        assert store.flush(1000.0 + KEPT_S) == (0, 0)


def test_one_process_has_the_folder(tmp_path: Path) -> None:
    with closing(Store(tmp_path)), pytest.raises(ConfigError, match="another sourdine"):
        Store(tmp_path)


def test_a_file_of_another_version_or_kind_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as file:
        file.execute("PRAGMA user_version = 9")
    with pytest.raises(ConfigError, match="of another version"):
        Store(tmp_path)
    (tmp_path / STORE_NAME).write_bytes(b"something else" * 100)
    with pytest.raises(ConfigError, match="move it away"):
        Store(tmp_path)
