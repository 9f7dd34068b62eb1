"""What happened, as clients that are not ours saw it, and a look for everything that must not have.

It shares no code with the pipeline: it knows the sealed form's open header, the names of topics, and JSON.
"""

from __future__ import annotations

import json
import math
import struct
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

#: Sensor, boot, sequence: what a sealed message says of itself in the open.
Place: TypeAlias = tuple[int, int, int]

#: Of the policy that the workers of the tests go by.
MAX_PER_MINUTE: Final = 3
MAX_PER_HOUR: Final = 20
#: How long after its second the zone may receive a window for it to count.
_LIFE_MS: Final = 120_000
_HEADER: Final = struct.Struct("<BBI8sIQQI")


def place_of(sealed: bytes) -> Place:
    """Read the header of a sealed message."""
    _, _, _, _, sensor_id, boot, sequence, _ = _HEADER.unpack_from(sealed)
    return sensor_id, boot, sequence


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as a foreign reader found it; of a sealed one the place alone, of a state how far it reaches."""

    topic: str
    partition: int
    kafka_offset: int
    #: By the broker's clock, which is this machine's.
    appended_ms: int
    place: Place = (0, 0, 0)
    value: bytes = b""
    #: Offset of the last candidate that a state holds.
    reaches: int = -1


@dataclass(frozen=True, slots=True)
class Commit:
    """What a group had committed at a time."""

    at_ms: int
    stage: str
    partition: int
    kafka_offset: int


@dataclass(frozen=True, slots=True)
class Happening:
    """A worker was started, killed, told to end, or ended by itself."""

    at_ms: int
    worker: str
    what: str
    #: Partitions that it had.
    lost: frozenset[int] = frozenset()


@dataclass(slots=True)
class History:
    """One run: what was sent in earnest, what the calm run tells, and what was seen."""

    sent: set[Place] = field(default_factory=set)
    expected: list[bytes] = field(default_factory=list)
    windows: list[Seen] = field(default_factory=list)
    candidates: list[Seen] = field(default_factory=list)
    states: list[Seen] = field(default_factory=list)
    events: list[Seen] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)

    @property
    def kept(self) -> dict[str, bytes]:
        """What a sink has that keeps the first record of each id."""
        found: dict[str, bytes] = {}
        for event in self.events:
            found.setdefault(json.loads(event.value)["id"], event.value)
        return found

    @property
    def n_twice(self) -> tuple[int, int]:
        """How many candidates and how many events came again, to be dropped by a gate and by a sink."""
        places = [seen.place for seen in self.candidates if seen.place in self.sent]
        return len(places) - len(set(places)), len(self.events) - len(self.kept)


def too_late(history: History) -> set[int]:
    """Give the sensors of which a window came to the broker when its second may not have counted any more.

    A broker that is away for a minute on a busy machine does that: what leaves then is not that of a calm run.
    """
    ours = [seen for seen in history.windows if seen.place in history.sent]
    return {seen.place[0] for seen in ours if seen.appended_ms - seen.place[1] // 1_000_000 > _LIFE_MS}


def faults(history: History) -> list[str]:
    """Name everything that must not be; nothing if all is well."""
    return [
        *_event_faults(history),
        *_budget_faults(history.kept.values()),
        *_early_commits(history.commits, "classify", _candidate_times(history)),
        *_early_commits(history.commits, "gate", _state_times(history)),
    ]


def _event_faults(history: History) -> list[str]:
    contents: defaultdict[str, set[bytes]] = defaultdict(set)
    for event in history.events:
        contents[json.loads(event.value)["id"]].add(event.value)
    late = too_late(history)
    expected = {json.loads(value)["id"]: value for value in history.expected}
    expected, kept = (
        {name: value for name, value in told.items() if int(name.split("/")[0]) not in late}
        for told in (expected, history.kept)
    )
    found = [f"{len(values)} contents under {name}" for name, values in sorted(contents.items()) if len(values) > 1]
    found += [f"lost {name}" for name in sorted(expected.keys() - kept.keys())]
    found += [f"told, and not in the calm run: {name}" for name in sorted(kept.keys() - expected.keys())]
    found += [
        f"not as in the calm run: {name}" for name in sorted(kept) if expected.get(name, kept[name]) != kept[name]
    ]
    missing = history.sent - {seen.place for seen in history.windows}
    return found + ([f"{len(missing)} windows never came to the broker"] if missing else [])


def _budget_faults(kept: Iterable[bytes]) -> list[str]:
    counts: Counter[tuple[int, str]] = Counter()
    for value in kept:
        data = json.loads(value)
        sensor, time = data["data"]["sensor_id"], data["time"]
        counts.update([(sensor, f"minute {time[:16]}"), (sensor, f"hour {time[:13]}")])
    return [
        f"sensor {sensor} told {n} times in {span}"
        for (sensor, span), n in sorted(counts.items())
        if n > (MAX_PER_MINUTE if span.startswith("minute") else MAX_PER_HOUR)
    ]


#: By partition: offsets of inputs in order, and when the last of what came of all up to there stood at the broker.
Times: TypeAlias = dict[int, tuple[list[int], list[float]]]


def _candidate_times(history: History) -> Times:
    """Say when the candidate of each window stood at the broker."""
    first: dict[Place, int] = {}
    for seen in history.candidates:
        first[seen.place] = min(seen.appended_ms, first.get(seen.place, seen.appended_ms))
    pairs = [(seen, first.get(seen.place, math.inf)) for seen in history.windows if seen.place in history.sent]
    return _running(pairs)


def _state_times(history: History) -> Times:
    """Say when a state that holds it stood at the broker, of each candidate that was new to its gate."""
    states: defaultdict[int, list[Seen]] = defaultdict(list)
    for seen in history.states:
        states[seen.place[0]].append(seen)
    last: dict[int, Place] = {}
    pairs = []
    for seen in sorted(history.candidates, key=lambda one: (one.partition, one.kafka_offset)):
        sensor = seen.place[0]
        if seen.place not in history.sent or seen.place <= last.get(sensor, (sensor, -1, -1)):
            continue
        last[sensor] = seen.place
        standing = [state.appended_ms for state in states[sensor] if state.reaches >= seen.kafka_offset]
        pairs.append((seen, min(standing, default=math.inf)))
    return _running(pairs)


def _running(pairs: Iterable[tuple[Seen, float]]) -> Times:
    found: Times = defaultdict(lambda: ([], []))
    for seen, at_ms in sorted(pairs, key=lambda pair: (pair[0].partition, pair[0].kafka_offset)):
        offsets, times = found[seen.partition]
        offsets.append(seen.kafka_offset)
        times.append(max(at_ms, times[-1] if times else at_ms))
    return found


def _early_commits(commits: Iterable[Commit], stage: str, times: Times) -> list[str]:
    """Find commits that lie past an input of which nothing stood at the broker yet."""
    found = []
    for commit in commits:
        if commit.stage != stage or commit.partition not in times:
            continue
        offsets, at_ms = times[commit.partition]
        n_before = bisect_left(offsets, commit.kafka_offset)
        if n_before and at_ms[n_before - 1] > commit.at_ms:
            place = f"partition {commit.partition}, offset {commit.kafka_offset}"
            found.append(f"{stage} committed past an unsent output: {place}")
    return found


def back_s(history: History, happening: Happening) -> float:
    """Say how long after a loss the last of the lost partitions had an output again; infinite if it never had."""
    outputs = history.candidates if happening.worker.startswith("classify") else history.events
    first: dict[int, int] = {}
    for seen in outputs:
        if seen.partition in happening.lost and seen.appended_ms > happening.at_ms:
            first[seen.partition] = min(seen.appended_ms, first.get(seen.partition, seen.appended_ms))
    if first.keys() != happening.lost:
        return math.inf
    return (max(first.values(), default=happening.at_ms) - happening.at_ms) / 1000


def latencies_s(history: History, span_ms: tuple[float, float] = (0.0, math.inf)) -> list[float]:
    """Say how long each window of a time waited at the broker for its candidate; the shortest first."""
    first: dict[Place, int] = {}
    for seen in history.candidates:
        first[seen.place] = min(seen.appended_ms, first.get(seen.place, seen.appended_ms))
    windows = [seen for seen in history.windows if span_ms[0] < seen.appended_ms <= span_ms[1]]
    good = first.keys() & history.sent
    return sorted((first[seen.place] - seen.appended_ms) / 1000 for seen in windows if seen.place in good)
