"""What one run amounts to: for a person's tables and for `--json`, in constant memory however long the sound was."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dsp_core.records import Event, LevelRecord

from sourdine.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sourdine.config import RunSettings
    from sourdine.local.inputs import Input, Refusal
    from sourdine.outgoing.cloudevents import Record

#: Events that are shown as a table; all of them stand in the file.
N_SHOWN_EVENTS: Final = 40

GUARANTEE: Final = (
    "Placement local: one process on this machine, no network, no broker.",
    "Guaranteed: only the three closed record types leave the chain, at the bit rate stated above.",
    "Not guaranteed: it does not hold against other code in this process, against whoever administers this machine, "
    "or against a microphone that runs other software.",
)


@dataclass(slots=True)
class LevelRange:
    """Lowest and highest value of one metric at one sensor.

    Parameters
    ----------
    scale : str
        What the values are relative to.
    """

    scale: str
    lowest_db: int | None = field(default=None, init=False)
    highest_db: int | None = field(default=None, init=False)
    n_values: int = field(default=0, init=False)
    n_missing: int = field(default=0, init=False)

    def add(self, level_db: int | None) -> None:
        """Take one more value in.

        Parameters
        ----------
        level_db : int or None
            None if it is missing.
        """
        if level_db is None:
            self.n_missing += 1
            return
        self.n_values += 1
        self.lowest_db = level_db if self.lowest_db is None else min(self.lowest_db, level_db)
        self.highest_db = level_db if self.highest_db is None else max(self.highest_db, level_db)


@dataclass(slots=True)
class Outcome:
    """What became of one input.

    Parameters
    ----------
    item : Input
        The input.
    """

    item: Input
    start_slot: int = field(default=0, init=False)
    sample_rate: int = field(default=0, init=False)
    n_stated: int | None = field(default=None, init=False)
    hears_events: bool = field(default=True, init=False)
    longest_life_s: float = field(default=0.0, init=False)
    ledger: Ledger = field(default_factory=Ledger, init=False)
    first_events: list[Event] = field(default_factory=list, init=False)
    levels: dict[str, LevelRange] = field(default_factory=dict, init=False)
    refusal: Refusal | None = field(default=None, init=False)

    def add(self, records: Iterable[Record]) -> None:
        """Take records in that have left.

        Parameters
        ----------
        records : iterable of Event, LevelRecord or SensorHealth
            The records.
        """
        for record in records:
            self.ledger.count_record(record)
            if isinstance(record, Event):
                if len(self.first_events) < N_SHOWN_EVENTS:
                    self.first_events.append(record)
            elif isinstance(record, LevelRecord):
                span = self.levels.setdefault(record.metric, LevelRange(scale=record.scale))
                span.add(record.level_db)

    @property
    def fate(self) -> str:
        """What became of it, in one word."""
        if self.refusal is not None:
            return "refused"
        return "outside" if self.ledger.n_outside else "heard"

    @property
    def heard_s(self) -> float:
        """Seconds of sound that were heard."""
        return self.ledger.n_samples / self.sample_rate if self.sample_rate else 0.0


@dataclass(slots=True)
class Summary:
    """A whole run.

    Parameters
    ----------
    settings : RunSettings
        What was asked for.
    model_id : str
        Hash of the classifier's weights.
    """

    settings: RunSettings
    model_id: str
    outcomes: list[Outcome] = field(default_factory=list, init=False)
    ledger: Ledger = field(default_factory=Ledger, init=False)
    first_events: list[Event] = field(default_factory=list, init=False)
    longest_life_s: float = field(default=0.0, init=False)
    interrupted: bool = field(default=False, init=False)
    #: What the folders hold that was not heard, in words.
    aside_words: str = field(default="", init=False)
    began: datetime = field(default_factory=lambda: datetime.now(UTC), init=False)
    ended: datetime | None = field(default=None, init=False)

    def take(self, outcome: Outcome) -> None:
        """Take an input in whose fate is known and whose records are written down.

        Parameters
        ----------
        outcome : Outcome
            What became of it.
        """
        self.outcomes.append(outcome)
        self.ledger.add(outcome.ledger)
        self.first_events += outcome.first_events[: N_SHOWN_EVENTS - len(self.first_events)]
        self.longest_life_s = max(self.longest_life_s, outcome.longest_life_s)

    @property
    def heard_s(self) -> float:
        """Seconds of sound that were heard, over all inputs."""
        return sum(outcome.heard_s for outcome in self.outcomes)
