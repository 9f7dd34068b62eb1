"""An independent look at a ledger: what sensors say they sent and what arrived, against what the pipeline counted.

It shares no code with the pipeline, and knows its counts by their names alone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

#: Sensor, boot, sequence.
Block: TypeAlias = tuple[int, int, int]
#: Refused before they took a place in the order.
TURNED_AWAY = {"clock_ahead", "clock_back", "too_many_sensors"}


def faults(arrived: Iterable[Block], processed: Iterable[Block], counted: Mapping[int, Mapping[str, Any]]) -> list[str]:
    """Name everything that does not add up.

    `arrived` are the messages in the order of the broker, `processed` those that a stage was given, in its order, and
    `counted` the pipeline's counts by sensor, once nothing is held.
    """
    copies: defaultdict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
    for sensor, boot, sequence in arrived:
        copies[sensor][boot, sequence] += 1
    given: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for sensor, boot, sequence in processed:
        given[sensor].append((boot, sequence))
    found = [f"sensor {sensor}: counted, but nothing arrived" for sensor in sorted(counted.keys() - copies.keys())]
    for sensor, arrivals in sorted(copies.items()):
        words = _sensor_faults(arrivals, given[sensor], counted.get(sensor, {}))
        found += [f"sensor {sensor}: {one}" for one in words]
    return found


def _sensor_faults(
    arrivals: Counter[tuple[int, int]], given: list[tuple[int, int]], counted: Mapping[str, Any]
) -> list[str]:
    rejected: Mapping[str, int] = counted.get("rejected", {})
    n_turned_away = sum(count for reason, count in rejected.items() if reason in TURNED_AWAY)
    n_rejected = sum(rejected.values()) - n_turned_away
    n_late, n_duplicate = counted.get("late", 0), counted.get("duplicate", 0)
    n_processed, n_gap = counted.get("processed", 0), counted.get("gap", 0)
    n_counted = n_processed + n_rejected + n_turned_away + n_late + n_duplicate
    found = []
    if n_counted != arrivals.total():
        found.append(f"{arrivals.total()} messages arrived, and {n_counted} have a fate")
    if len(given) != n_processed + n_rejected:
        found.append(f"{len(given)} were given to the stage, and {n_processed + n_rejected} counted")
    if given != sorted(set(given)):
        found.append("the stage was given something out of order or twice")
    if not set(given) <= arrivals.keys():
        found.append("the stage was given what never arrived")
    if n_turned_away == 0:
        n_missing, n_before = _n_missing(arrivals, given)
        n_distinct = sum(block >= given[0] for block in arrivals) if given else len(arrivals)
        if n_gap < n_missing:
            found.append(f"{n_missing} blocks never arrived, and {n_gap} are counted as gaps")
        if n_processed + n_rejected + n_late + n_gap != n_distinct + n_missing + n_before:
            found.append("a block has no fate, or two")
        if n_duplicate > arrivals.total() - n_distinct - n_before + (n_gap - n_missing):
            found.append("more duplicates than copies")
    return found


def _n_missing(arrivals: Counter[tuple[int, int]], given: list[tuple[int, int]]) -> tuple[int, int]:
    """Count the holes in each boot, and what came from before the beginning: of the first boot nobody knows it."""
    boots: defaultdict[int, set[int]] = defaultdict(set)
    for boot, sequence in arrivals:
        boots[boot].add(sequence)
    n_missing = 0
    for boot, sequences in boots.items():
        begin = given[0][1] if given and boot == given[0][0] else 0
        n_missing += len(set(range(begin, max(sequences) + 1)) - sequences)
    n_before = sum(count for block, count in arrivals.items() if given and block < given[0])
    return n_missing, n_before
