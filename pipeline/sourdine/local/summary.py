"""What one run amounts to: for a person's tables and for `--json`, in constant memory however long the sound was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import orjson
from dsp_core.records import Event, LevelRecord

from sourdine.ledger import Ledger
from sourdine.outgoing.cloudevents import Record, slot_time

if TYPE_CHECKING:
    from sourdine.config import RunSettings
    from sourdine.local.inputs import Input, Refusal

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
    sample_rate: int = field(default=0, init=False)
    n_samples: int = field(default=0, init=False)
    hears_events: bool = field(default=True, init=False)
    n_events: int = field(default=0, init=False)
    levels: dict[str, LevelRange] = field(default_factory=dict, init=False)
    refusal: Refusal | None = field(default=None, init=False)

    @property
    def heard_s(self) -> float:
        """Seconds of sound that were heard."""
        return self.n_samples / self.sample_rate if self.sample_rate else 0.0


@dataclass(slots=True)
class Summary:
    """A whole run.

    Parameters
    ----------
    settings : RunSettings
        What was asked for.
    """

    settings: RunSettings
    outcomes: list[Outcome] = field(default_factory=list, init=False)
    ledger: Ledger = field(default_factory=Ledger, init=False)
    first_events: list[Event] = field(default_factory=list, init=False)
    longest_life_s: float = field(default=0.0, init=False)
    interrupted: bool = field(default=False, init=False)

    def add(self, outcome: Outcome, records: list[Record]) -> None:
        """Take records in that have just been written down.

        Parameters
        ----------
        outcome : Outcome
            Of the input that they are from.
        records : list of Event, LevelRecord or SensorHealth
            The records.
        """
        for record in records:
            self.ledger.count_record(record)
            if isinstance(record, Event):
                outcome.n_events += 1
                if len(self.first_events) < N_SHOWN_EVENTS:
                    self.first_events.append(record)
            elif isinstance(record, LevelRecord):
                span = outcome.levels.setdefault(record.metric, LevelRange(scale=record.scale))
                span.add(record.level_db)

    @property
    def heard_s(self) -> float:
        """Seconds of sound that were heard, over all inputs."""
        return sum(outcome.heard_s for outcome in self.outcomes)


def summary_json(summary: Summary) -> bytes:
    """Return a summary for machines, as one JSON document.

    Parameters
    ----------
    summary : Summary
        Of a finished run.

    Returns
    -------
    bytes
        UTF-8, indented, with a line end.
    """
    ledger, policy = summary.ledger, summary.settings.policy
    document = {
        "placement": "local",
        "guarantee": list(GUARANTEE),
        "policy": policy.core.name,
        "capacity_bit_per_s": policy.capacity.bit_per_s,
        "start": slot_time(summary.settings.start_slot),
        "interrupted": summary.interrupted,
        "longest_sample_life_s": summary.longest_life_s,
        "recording_exists_anyway": summary.settings.pcm is None,
        "bits_in": ledger.bits_in,
        "bits_out": ledger.bits_out,
        "n_inputs": ledger.n_inputs,
        "n_heard": ledger.n_heard,
        "n_refused": ledger.n_refused,
        "n_events": ledger.n_events,
        "n_levels": ledger.n_levels,
        "n_health": ledger.n_health,
        "inputs": [_outcome_json(outcome) for outcome in summary.outcomes],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _outcome_json(outcome: Outcome) -> dict[str, object]:
    refusal = outcome.refusal
    return {
        "sensor_id": outcome.item.sensor_id,
        "name": outcome.item.name.encode("utf-8", "replace").decode(),
        "sample_rate": outcome.sample_rate,
        "n_samples": outcome.n_samples,
        "hears_events": outcome.hears_events,
        "n_events": outcome.n_events,
        "refused": None if refusal is None else {"reason": refusal.reason, "text": refusal.text},
    }
