"""Workers on the real broker: the events of one process; what does not open is counted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.chain import street
from tests.kafka.broker.server import Broker
from tests.kafka.city import CANDIDATES, EVENTS, REJECTS, STATES, WINDOWS, City, events_of, recently, windows_of
from tests.kafka.processes import HANG_S, ROOT, wait_until
from tests.sounds import eventful

from sourdine.cut import Gates, Message, Scoring
from sourdine.outgoing.cloudevents import encode

FORGETFUL, RUBBISH, RESTING = 350, 300, 340


@pytest.fixture(scope="module")
def town(city: Broker, zone_key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One worker of each stage for all tests here, which differ in their sensors."""
    made = City(city, tmp_path_factory.mktemp("town"), zone_key)
    made.send(STATES, FORGETFUL, b"no state", b"17")  # from here on it stands among those that the gate reads first
    made.enrol([FORGETFUL, RUBBISH, RESTING])
    made.start("classify", "1")
    made.start("gate", "1")
    yield made
    made.end()


def test_a_gate_that_is_killed_goes_on_from_what_it_had_judged(town: City) -> None:
    sound, start = eventful(30.0), recently()
    gate = town.workers["gate-1"]
    expected = events_of(FORGETFUL, sound, start)
    windows = windows_of(FORGETFUL, sound, start, town.sealer)
    n = n_where_a_state_matters(windows, town)
    for sealed in windows[:n]:
        town.send(WINDOWS, FORGETFUL, sealed)
    town.flush()
    wait_until(lambda: town.lag("sourdine-classify", WINDOWS) == 0, "all is scored")
    time.sleep(5.0)  # the gate has read it; what was acknowledged too early would be committed by now
    gate.end(signal.SIGKILL)
    gate.start()
    for sealed in windows[n:]:
        town.send(WINDOWS, FORGETFUL, sealed)
    town.flush()
    assert sorted(set(town.wait_for(EVENTS, len(expected), [FORGETFUL]))) == sorted(expected)


def n_where_a_state_matters(windows: list[bytes], town: City) -> int:
    """Find where a gate that forgot what it had judged would tell other events."""
    policy, now_ms = street().core, int(time.time() * 1000)
    scoring = Scoring(town.sealer, policy)
    messages = [Message(FORGETFUL, sealed, now_ms, n) for n, sealed in enumerate(windows)]
    candidates = [replace(message, sealed=scoring.push(message)[0]) for message in messages]

    def told(part: list[Message]) -> set[bytes]:
        gates = Gates(town.sealer, policy, lambda sensor_id: None)
        gates.restore(FORGETFUL, [town.sealed_state(FORGETFUL)])
        return {encode(event) for message in part for event in gates.push(message)}

    whole = told(candidates)
    return next(n for n in range(1, len(windows)) if told(candidates[:n]) | told(candidates[n:]) != whole)


def test_rubbish_is_counted_and_disturbs_nobody(town: City) -> None:
    sound, start = eventful(30.0), recently()
    good = windows_of(RUBBISH, sound, start, town.sealer)
    foreign = windows_of(301, sound, start, town.sealer)[0]
    bad = {
        "truncated_header": (b"300", good[0][:20]),
        "bad_seal": (b"300", good[0][:-1] + bytes([good[0][-1] ^ 1])),
        "wrong_sensor": (b"300", foreign),
        "wrong_topic": (b"300", town.sealed_state(RUBBISH)),
        "bad_key": (b"three hundred", good[0]),
        "bad_version": (b"300", bytes([9]) + good[0][1:]),
        "oversized": (b"300", good[0] * 8),
    }
    for sealed in good:
        for key, value in bad.values():
            town.send(WINDOWS, RUBBISH, value, key)
        town.send(WINDOWS, RUBBISH, sealed)
    town.flush()
    expected = events_of(RUBBISH, sound, start)
    assert sorted(set(town.wait_for(EVENTS, len(expected), [RUBBISH]))) == sorted(expected)

    def is_told() -> bool:
        counts = told(town.wait_for(REJECTS, len(bad)))
        return counts.pop("state_bad_key", 0) > 0 and counts == dict.fromkeys(bad, len(good))

    wait_until(is_told, "all of it is told")


def test_at_the_end_everything_is_acknowledged(town: City) -> None:
    """What a gate has read is acknowledged once it is written down, and at the latest when it is told to end."""
    sound, start = eventful(30.0), recently()
    for sealed in windows_of(RESTING, sound, start, town.sealer):
        town.send(WINDOWS, RESTING, sealed)
    town.flush()
    expected = events_of(RESTING, sound, start)
    assert sorted(town.wait_for(EVENTS, len(expected), [RESTING])) == sorted(expected)
    assert [worker.end() for worker in town.workers.values()] == [0, 0]
    assert town.lag("sourdine-gate", CANDIDATES) == 0
    for worker in town.workers.values():
        assert "Traceback" not in worker.log.read_text("utf-8")


def told(rejects: list[bytes]) -> dict[str, int]:
    """Add up what was refused, by reason."""
    counts: Counter[str] = Counter()
    for value in rejects:
        reject = json.loads(value)
        assert set(reject) == {"sensor_id", "slot", "reason", "count"}
        counts[reject["reason"]] += reject["count"]
    return dict(counts)


def test_a_worker_that_cannot_start_says_why_in_one_line(city: Broker, zone_key: Path, tmp_path: Path) -> None:
    """One of the reasons, in a process; the others are in `test_refusals.py`."""
    environment = {
        "SOURDINE_STAGE": "classify",
        "SOURDINE_KEY": str(zone_key),
        "SOURDINE_KAFKA": str(city.file_of("gate")),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-m", "faust", "-A", "sourdine.agents.app", "worker"],
        cwd=tmp_path,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "sourdine topics apply" in done.stderr


def test_the_command_starts_the_same_worker(city: Broker, zone_key: Path, tmp_path: Path) -> None:
    words = ("--stage", "gate", "--kafka", str(city.file_of("gate")), "--key", str(zone_key))
    command = [sys.executable, "-m", "sourdine", "worker", *words]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(command, cwd=tmp_path, stderr=log, stdout=log) as process,
    ):
        try:
            wait_until(lambda: '"event":"assigned"' in (tmp_path / "log").read_text("utf-8"), "the worker is ready")
        finally:
            process.terminate()
        assert process.wait(HANG_S) == 0
