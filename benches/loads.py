"""What two workers of each stage carry: `sourdine load` as the city, in order or while workers are killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression, median

from benches.cities import Bench
from tests.kafka.city import CANDIDATES, EVENTS, WINDOWS, City
from tests.kafka.processes import Worker, wait_until

RECORDINGS = Path(os.environ.get("SOURDINE_DATA") or "../shared") / "data" / "city_sounds" / "free"
SOUND, LEVELS, HEALTH = (f"sourdine.{name}.v1" for name in ("sound", "levels", "health"))
#: What each stage reads, by placement.
INPUTS = {
    "cluster": {"classify": WINDOWS, "gate": CANDIDATES},
    "relay": {"describe": SOUND, "classify": WINDOWS, "gate": CANDIDATES},
}
#: Where no other number is asked for.
N_SENSORS = {"cluster": 1000, "relay": 500}
#: In relay, what the last minute and its periods release depends on sound that does not come any more.
OPEN_END_S = 75
_KINDS = {EVENTS: "event", LEVELS: "level", HEALTH: "health"}
KILL_EVERY_S = 30.0


def load(bench: Bench, for_s: float) -> bool:
    """Let a city of many sensors send its windows."""
    return is_carried(bench, for_s, "cluster", 10.0)


def load_amid_kills(bench: Bench, for_s: float) -> bool:
    """Let a city send its windows, and kill a worker every half minute."""
    return is_carried(bench, for_s, "cluster", 10.0, is_amid_kills=True)


def relay(bench: Bench, for_s: float) -> bool:
    """Let a city send all its sound."""
    return is_carried(bench, for_s, "relay", 1.0)


def is_carried(
    bench: Bench, for_s: float, placement: str, alarms_per_minute: float, *, is_amid_kills: bool = False
) -> bool:
    """Watch workers under a load; whether all that left is what one process gives."""
    n_sensors = bench.n_load_sensors or N_SENSORS[placement]
    sensors = range(1, 1 + n_sensors)
    with bench.broker() as broker:
        folder = Path(tempfile.mkdtemp(dir=bench.folder))
        user = broker.file_of("sensor" if placement == "relay" else "gateway")
        words = ["--placement", placement, "--sensors", str(n_sensors), "--alarms-per-minute", str(alarms_per_minute)]
        words += ["--for", f"{for_s:.0f}s", "--seed", "7", "--kafka", str(user), "--key", str(bench.key), "--json"]
        words += [
            "--expect",
            "expected",
            *(["--recordings", str(RECORDINGS.absolute())] if RECORDINGS.is_dir() else []),
        ]
        town = City(broker, folder, bench.key)
        town.enrol(sensors)
        try:
            command = [sys.executable, "-P", "-m", "sourdine", "load", *words]
            seen = Carried(town, INPUTS[placement], for_s, is_amid_kills=is_amid_kills)
            facts = seen.watch(command, folder)
            until_slot = facts["start_slot"] + for_s - (OPEN_END_S if placement == "relay" else 0)
            wanted = counted((folder / "expected").read_bytes().splitlines(), until_slot)
            found = told(town, wanted, until_slot)
        finally:
            town.end()
    amid = f", {seen.n_kills} kills" if is_amid_kills else ""
    words = [
        f"{placement}, {n_sensors} sensors × {alarms_per_minute:g} alarms a minute, {for_s:.0f} s{amid}: "
        f"{len(wanted ^ found)} records differ of {len(wanted)}",
        f"{facts['n_sent']} messages, {facts['per_s']} a second, at most {facts['behind_s']} s behind the clock",
        str(seen),
    ]
    print("; ".join(words), flush=True)
    return wanted == found


def counted(records: Iterable[bytes], until_slot: float) -> set[bytes]:
    """Give the records of the time before a second."""
    until = datetime.fromtimestamp(until_slot, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {record for record in records if json.loads(record)["time"] < until}


def told(town: City, wanted: set[bytes], until_slot: float) -> set[bytes]:
    """Read what a foreign client finds, until it is all that is wanted, or nothing more comes."""
    found: set[bytes] = set()
    topics = {topic: sum(f".{kind}.v1".encode() in one for one in wanted) for topic, kind in _KINDS.items()}

    def is_all() -> bool:
        for topic, n in topics.items():
            with suppress(AssertionError):
                found.update(counted(town.wait_for(topic, n, hang_s=10.0), until_slot))
        return found >= wanted

    with suppress(AssertionError):
        wait_until(is_all, "all is told", 120.0)
    return found


class Carried:
    """How far workers are behind their inputs while a load runs, what they take, and those that are killed."""

    def __init__(self, town: City, inputs: dict[str, str], for_s: float, *, is_amid_kills: bool) -> None:
        self._town, self._inputs, self._for_s, self._is_amid_kills = town, inputs, for_s, is_amid_kills
        self._lags: dict[str, list[tuple[float, int]]] = {stage: [] for stage in inputs}
        self._workers: dict[str, list[Worker]] = {}
        self._used: dict[str, float] = {}
        self._rss_mb: list[float] = []
        self.n_kills = 0

    def watch(self, command: list[str], folder: Path) -> dict[str, float]:
        """Run a load and its workers until everything is worked off; what the load says of itself."""
        for stage in self._inputs:
            self._workers[stage] = [self._town.start(stage, number) for number in ("1", "2")]
        all_of_them = [worker for workers in self._workers.values() for worker in workers]
        wait_until(lambda: all(worker.said('"event":"assigned"') for worker in all_of_them), "the workers are ready")
        with (folder / "sent").open("w") as sent, subprocess.Popen(command, cwd=folder, stdout=sent) as process:
            try:
                self._look(all_of_them)
                wait_until(lambda: self._n_behind() == 0, "all is worked off", 600.0)
                wait_until(lambda: process.poll() is not None, "the load says what it sent", 1800.0)
            finally:
                process.kill()
        facts: dict[str, float] = json.loads((folder / "sent").read_text("utf-8"))
        return facts

    def _look(self, workers: list[Worker]) -> None:
        chance, began, killed_s = random.Random(7), time.monotonic(), 0.0
        used = {stage: sum(worker.cpu_s() for worker in ours) for stage, ours in self._workers.items()}
        while (at_s := time.monotonic() - began) < self._for_s + 2.0:
            for stage in self._inputs:
                self._lags[stage].append((time.monotonic() - began, self._lag(stage)))
            if self._is_amid_kills and at_s - killed_s > KILL_EVERY_S:
                worker, killed_s = chance.choice(workers), at_s
                worker.end(signal.SIGKILL)
                worker.start()
                self.n_kills += 1
            self._rss_mb.append(max(worker.rss_mb() for worker in workers))
            time.sleep(3.0)
        for stage, ours in self._workers.items():
            self._used[stage] = (sum(worker.cpu_s() for worker in ours) - used[stage]) / at_s

    def _lag(self, stage: str) -> int:
        return self._town.lag(f"sourdine-{stage}", self._inputs[stage])

    def _n_behind(self) -> int:
        return sum(self._lag(stage) for stage in self._inputs)

    def __str__(self) -> str:
        words = []
        for stage, lags in self._lags.items():
            later = [(at_s, lag) for at_s, lag in lags if at_s > self._for_s / 5]
            slope = linear_regression(*zip(*later, strict=True)).slope
            took = "" if self._is_amid_kills else f", {self._used[stage]:.2f} processors"
            half = round(median(lag for _, lag in later))
            words.append(f"{stage}: lag {half} (median), {later[-1][1]} at the end ({slope:+.1f} a second){took}")
        return "; ".join([*words, f"{max(self._rss_mb):.0f} MB at most"])
