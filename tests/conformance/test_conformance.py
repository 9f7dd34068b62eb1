"""One recorded scenario gives byte-identical records by every placement, whatever happens to the workers meanwhile."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from dsp_core.zone import Sealer, create_key, withheld
from tests.conformance.placements import Live, Local
from tests.conformance.relay import Describers, boots, let_pass, sound_sent
from tests.conformance.scenario import FAST, HOUR, Group, scenario
from tests.conformance.zone import Judges, Log, scored, sent

#: Longer than a window may lie between gateway and gate, if what counted were when its candidate was sent.
LATE_MS = 300_000


def data_of(values: list[bytes], kind: str) -> list[dict[str, Any]]:
    """Read what records of a kind say."""
    events = map(json.loads, values)
    return [event["data"] for event in events if event["type"] == f"org.sourdine.{kind}.v1"]


def without_fast(values: list[bytes]) -> list[bytes]:
    """Leave out the sensor whose clock is ahead, which `relay` takes no sound of."""
    return [value for value in values if json.loads(value)["data"]["sensor_id"] != FAST]


@dataclass
class Town:
    """A group of sensors, and what each placement makes of them; each is run once."""

    group: Group
    folder: Path
    gates: list[Any] = field(default_factory=list)

    @cached_property
    def local(self) -> list[bytes]:
        """One process, in stream time."""
        local = Local()
        records = sorted(local.run(self.group, seed=1))
        self.gates += local.gates
        return records

    @cached_property
    def gateway(self) -> list[bytes]:
        """A gateway by the clock, with its records on disk; nothing twice."""
        return sorted(Live(self.folder / "gateway", "gateway").run(self.group, seed=2))

    @cached_property
    def front(self) -> tuple[list[bytes], Log, Sealer]:
        """A gateway before the broker: its records, and the candidates of the windows that it sent."""
        live, chance = Live(self.folder / "cluster", "cluster"), random.Random(3)
        records = live.run(self.group, seed=3)
        assert live.sealer is not None
        return records, scored(sent(live.sealed, chance), live.sealer, chance), live.sealer

    def cluster(self, seed: int, late_ms: int = 0) -> list[bytes]:
        """The same, judged by workers of the zone."""
        records, candidates, sealer = self.front
        judges = Judges(sealer, self.group, random.Random(seed))
        judges.judge(candidates.later(late_ms))
        assert judges.n_kills >= 5
        assert judges.refused["duplicate"] >= 100
        # The boot of a sensor tells its clock, too.
        assert set(judges.refused) <= {"duplicate", "clock_ahead"}
        self.gates += judges.gates
        return sorted([*records, *judges.kept.values.values()])

    def relay(self, seed: int) -> list[bytes]:
        """Sensors that only seal, all else behind the broker; blocks of any length, lost, doubled, out of order."""
        chance, key = random.Random(seed), self.folder / "relay.key"
        create_key(key)
        sealer = Sealer(key)
        return self._behind(sent(sound_sent(self.group, sealer, chance), chance), sealer, chance)

    def relay_by_gateway(self, seed: int) -> list[bytes]:
        """The same by the gateway of that placement."""
        live, chance = Live(self.folder / "relay", "relay"), random.Random(seed)
        assert live.run(self.group, seed) == []
        assert live.sealer is not None
        return self._behind(sent(live.sealed, chance), live.sealer, chance)

    def _behind(self, sound: Log, sealer: Sealer, chance: random.Random) -> list[bytes]:
        """Describe, score and judge."""
        let_pass(sound, sealer, self.group.end - 1)
        describers = Describers(sealer, self.group, chance)
        describers.describe(sound)
        judges = Judges(sealer, self.group, chance, kept=describers.kept)
        judges.judge(scored(describers.windows, sealer, chance))
        assert set(judges.refused) == {"duplicate"}
        assert describers.n_kills >= 5
        return sorted(describers.kept.values.values())


@pytest.fixture(scope="module")
def towns(city_sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Town]:
    """Make the scenario."""
    return [Town(group, tmp_path_factory.mktemp("town")) for group in scenario(city_sounds)]


@pytest.fixture(params=[0, 1], ids=["steady", "restarted"])
def town(request: pytest.FixtureRequest, towns: list[Town]) -> Town:
    """Give one half of it."""
    number: int = request.param
    return towns[number]


def test_a_gateway_gives_what_one_process_gives(town: Town) -> None:
    assert town.gateway == town.local


def test_workers_behind_gateways_give_what_one_process_gives(town: Town) -> None:
    for seed in range(5):
        assert town.cluster(seed) == town.local, f"seed {seed}"


def test_workers_that_are_minutes_late_give_the_same(town: Town) -> None:
    assert town.cluster(9, LATE_MS) == town.local


@pytest.mark.parametrize("relay", [Town.relay, Town.relay_by_gateway])
def test_workers_that_describe_give_the_same(relay: Callable[[Town, int], list[bytes]], town: Town) -> None:
    assert without_fast(relay(town, 4)) == without_fast(town.local)


def test_the_scenario_is_rich(towns: list[Town]) -> None:
    sensors = [sensor for town in towns for sensor in town.group.sensors]
    values = [value for town in towns for value in town.local]
    assert len(sensors) >= 50
    assert sum(sensor.heard_s for sensor in sensors) >= 3600.0
    assert {sensor.sample_rate for sensor in sensors} == {16_000, 48_000}
    assert sum(len(boots(sensor)) > 1 for sensor in sensors) >= 10
    assert sum(len(boot) > 1 for sensor in sensors for boot in boots(sensor)) >= 3
    events = data_of(values, "event")
    assert len(events) >= 200
    slots = [event["slot"] for event in events]
    assert min(sum(slot < HOUR for slot in slots), sum(slot >= HOUR for slot in slots)) >= 50
    assert {event["sound_class"] for event in events} == {"glass_break", "fireworks", "horn", "siren"}
    assert len(data_of(values, "level")) >= 300
    assert {"gaps", "uncalibrated", "ok"} <= {state["state"] for state in data_of(values, "health")}


def test_every_reason_to_withhold_was_seen(towns: list[Town]) -> None:
    seen: Counter[str] = Counter()
    for town in towns:
        assert town.cluster(1) == town.local
        seen.update(withheld(town.gates))
    assert all(seen.values()), seen
