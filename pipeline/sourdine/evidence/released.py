"""What a run has released, read back from its three files; whatever else it heard is not in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from dsp_core.records import Event, LevelRecord, SensorHealth, bits_per_record

from sourdine.outgoing.jsonl import FILE_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dsp_core.records import Policy


class EventMark(NamedTuple):
    """An event: something of a class, in a second."""

    sensor_id: int
    slot: int
    sound_class: str
    level_db: int | None
    scale: str
    confidence: int


class LevelStep(NamedTuple):
    """A noise level over a period."""

    sensor_id: int
    slot: int
    period_s: int
    metric: str
    level_db: int | None
    scale: str


class StateSpan(NamedTuple):
    """What a sensor says of itself over a period."""

    sensor_id: int
    slot: int
    period_s: int
    state: str


@dataclass(frozen=True, slots=True)
class Released:
    """Records of one sensor.

    Parameters
    ----------
    events : list of EventMark
        In the order of time, like all of them.
    levels : list of LevelStep
        The levels.
    states : list of StateSpan
        The states.
    """

    events: list[EventMark] = field(default_factory=list)
    levels: list[LevelStep] = field(default_factory=list)
    states: list[StateSpan] = field(default_factory=list)

    @property
    def bits(self) -> float:
        """Bits in the records, besides which sensor and which hour; the same count as a run's ledger."""
        counts = (len(self.events), len(self.levels), len(self.states))
        return sum(n_records * bits for n_records, bits in zip(counts, bits_per_record(), strict=True))


def read_released(folder: Path, policy: Policy) -> Released:
    """Read everything that a run over one recording has released.

    Parameters
    ----------
    folder : pathlib.Path
        Where it wrote.
    policy : Policy
        The policy that it ran under; a record does not repeat the length of its period.

    Returns
    -------
    Released
        Each record once.
    """
    return Released(
        sorted(events_in(folder), key=_by_time),
        sorted(levels_in(folder, policy), key=_by_time),
        sorted(states_in(folder, policy), key=_by_time),
    )


def events_in(folder: Path) -> Iterator[EventMark]:
    """Read the events one by one.

    Parameters
    ----------
    folder : pathlib.Path
        Where a run wrote.

    Yields
    ------
    EventMark
        In the order of the file.
    """
    for data in _data_in(folder, Event):
        yield EventMark(**data)


def levels_in(folder: Path, policy: Policy) -> Iterator[LevelStep]:
    """Read the levels one by one.

    Parameters
    ----------
    folder : pathlib.Path
        Where a run wrote.
    policy : Policy
        The policy that it ran under.

    Yields
    ------
    LevelStep
        In the order of the file.
    """
    periods_s = dict(policy.levels)
    for data in _data_in(folder, LevelRecord):
        yield LevelStep(period_s=periods_s[data["metric"]], **data)


def states_in(folder: Path, policy: Policy) -> Iterator[StateSpan]:
    """Read the sensor states one by one.

    Parameters
    ----------
    folder : pathlib.Path
        Where a run wrote.
    policy : Policy
        The policy that it ran under.

    Yields
    ------
    StateSpan
        In the order of the file.
    """
    for data in _data_in(folder, SensorHealth):
        yield StateSpan(period_s=policy.health_period_s, **data)


def _data_in(folder: Path, kind: type[Event | LevelRecord | SensorHealth]) -> Iterator[dict[str, Any]]:
    with (folder / FILE_NAMES[kind]).open("rb") as lines:
        for line in lines:
            yield orjson.loads(line)["data"]


def _by_time(record: EventMark | LevelStep | StateSpan) -> tuple[int, int]:
    return record.slot, record.sensor_id
