"""One scenario gives byte-identical records by every placement, whatever happens to the workers in between."""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from dsp_core.zone import withheld
from tests.conformance.placements import Live, Local
from tests.conformance.scenario import scenario
from tests.conformance.zone import Judges, scored, sent

@pytest.fixture(scope="session")
def recordings(city_sounds: Path) -> Path:
    return city_sounds


def test_try(recordings: Path, tmp_path: Path) -> None:
    import time
    t = time.time()
    groups = scenario(recordings)
    print("scenario", time.time() - t, sum(len(g.sensors) for g in groups), sum(s.heard_s for g in groups for s in g.sensors)); t = time.time()
    for n, group in enumerate(groups):
        local = Local()
        expected = sorted(local.run(group, 1))
        print("local", len(expected), time.time() - t); t = time.time()
        print(Counter(json.loads(v)["type"] for v in expected))
        gateway = sorted(Live(tmp_path / f"gw{n}", "gateway").run(group, 2))
        print("gateway", len(gateway), time.time() - t); t = time.time()
        print(set(gateway) ^ set(expected))
        cluster = Live(tmp_path / f"cl{n}", "cluster")
        levels = cluster.run(group, 3)
        print("cluster", len(levels), len(cluster.windows), time.time() - t); t = time.time()
        chance = random.Random(4)
        assert cluster.sealer
        candidates = scored(sent(cluster.windows, chance), cluster.sealer, chance, 0)
        print("scored", [len(p) for p in candidates.partitions], time.time() - t); t = time.time()
        judges = Judges(cluster.sealer, group, chance)
        for p in candidates.partitions:
            judges.judge(p)
        print("judged", len(judges.events), judges.n_sent, judges.n_kills, judges.n_duplicates, time.time() - t); t = time.time()
        print(set([*levels, *judges.events.values()]) ^ set(expected))
        print(withheld(local.gates)); print(withheld(judges.gates))
