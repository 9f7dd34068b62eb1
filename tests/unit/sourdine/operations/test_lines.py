"""A line of the log holds listed events and facts that cannot be content."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from array import array
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sourdine.operations.foreign import Foreign
from sourdine.operations.lines import FIELDS, Name, line_of
from sourdine.operations.told import MEANINGS, Told

CONTENT: list[Any] = [
    b"sound",
    bytearray(b"sound"),
    memoryview(b"sound"),
    array("h", [1, 2]),
    np.zeros(3),
    np.float32(0.5),
    0.5,
    "a text",
    "word",
    ["word"],
    {"a": 1},
    None,
    True,
    2**63,
    ValueError("heard"),
]


@pytest.mark.parametrize("fact", CONTENT, ids=lambda fact: type(fact).__name__)
@pytest.mark.parametrize("field", ["n", "reason"])
def test_what_could_hold_content_is_refused(field: str, fact: Any) -> None:
    with pytest.raises(TypeError) as refusal:
        line_of(Told.FAULT, 0.0, **{field: fact})
    assert "sound" not in str(refusal.value)
    assert "heard" not in str(refusal.value)


def test_a_field_that_is_not_listed_is_refused() -> None:
    with pytest.raises(TypeError):
        line_of(Told.FAULT, 0.0, text=Name("word"))


@pytest.mark.parametrize("text", ["", "two words", "x" * 65, "a\nb", "é", '"', "{}"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected 1 to 64"):
        Name(text)


@given(st.sampled_from(list(Told)), st.integers(-(2**63) + 1, 2**63 - 1), st.from_regex(r"\A[a-z0-9_.:-]{1,64}\Z"))
def test_each_event_is_one_line_of_json(told: Told, number: int, word: str) -> None:
    line = line_of(told, 1_777_900_020.9, sensor=number, reason=Name(word))
    assert line.count(b"\n") == 1
    level = MEANINGS[told][0]
    assert json.loads(line) == {
        "time": "2026-05-04T13:07:00Z", "level": level, "event": told, "sensor": number, "reason": word
    }  # fmt: skip


def test_every_event_has_a_meaning_and_no_field_is_text() -> None:
    assert set(MEANINGS) == set(Told)
    assert set(FIELDS.values()) == {int, Name}


def test_libraries_say_where_and_never_what() -> None:
    said: list[tuple[Told, dict[str, Any]]] = []
    now = 0.0
    handler = Foreign(lambda told, **facts: said.append((told, facts)), lambda: now)
    log = logging.getLogger("some.library")
    log.addHandler(handler)
    log.propagate = False
    try:
        for turn in range(3):
            now = 20.0 * turn
            log.warning("secret %r", b"secret")
        now = 61.0
        try:
            raise ValueError("secret")
        except ValueError as error:
            log.exception("secret %s", "secret")
            log.error("secret %s", error)
        log.info("secret")
    finally:
        log.removeHandler(handler)
    assert "secret" not in str(said)
    assert [facts.get("error") for _, facts in said] == [None, "ValueError", "ValueError"]
    assert all(facts["where"].startswith("some.library:") for _, facts in said)


#: A program that prints in every way that Python has without being asked to.
PROGRAM = """
import asyncio, logging, threading, sys, warnings
from sourdine.operations.foreign import take_over
take_over()
logging.getLogger("x").error("secret %d", "secret")
warnings.warn("secret")
class Bad:
    def __del__(self):
        raise ValueError("secret")
Bad()
thread = threading.Thread(target=lambda: int("secret")); thread.start(); thread.join()
async def main():
    asyncio.get_running_loop().call_soon(lambda: int("secret"))
    asyncio.create_task(asyncio.sleep("secret"))
    await asyncio.sleep(0.1)
asyncio.run(main())
int("secret")
"""


def test_nothing_that_python_prints_by_itself_gets_through() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert "secret" not in done.stderr
    assert set(events) == {"library", "fault"}
    assert events.count("fault") == 3
