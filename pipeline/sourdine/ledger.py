"""Every input's and block's fate, and what went in and came out, in counts.

It holds transport facts and released records only: nothing here depends on sound that was withheld.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsp_core.records import Event, LevelRecord, bits_per_record

if TYPE_CHECKING:
    from dsp_core.records import SensorHealth


@dataclass(slots=True)
class Ledger:
    """Counts of one input or of a run: fates of inputs and of their blocks, and what was released.

    `n_blocks` went into the flow, `n_blocks_refused` are those from the fault of their input on, as far as the input
    states its length, and `n_blocks_outside` lie outside the span that was asked for.
    """

    n_inputs: int = field(default=0, init=False)
    n_heard: int = field(default=0, init=False)
    n_outside: int = field(default=0, init=False)
    refused: Counter[str] = field(default_factory=Counter, init=False)
    n_blocks: int = field(default=0, init=False)
    n_blocks_refused: int = field(default=0, init=False)
    n_blocks_outside: int = field(default=0, init=False)
    n_samples: int = field(default=0, init=False)
    bits_in: int = field(default=0, init=False)
    n_events: int = field(default=0, init=False)
    n_levels: int = field(default=0, init=False)
    n_health: int = field(default=0, init=False)

    def count_block(self, n_samples: int, bits_per_sample: int) -> None:
        """Count one block that the flow has taken.

        Parameters
        ----------
        n_samples : int
            Its samples of the channel that is heard.
        bits_per_sample : int
            Size of each in the source.
        """
        self.n_blocks += 1
        self.n_samples += n_samples
        self.bits_in += n_samples * bits_per_sample

    def count_record(self, record: Event | LevelRecord | SensorHealth) -> None:
        """Count one released record.

        Parameters
        ----------
        record : Event, LevelRecord or SensorHealth
            What has left.
        """
        if isinstance(record, Event):
            self.n_events += 1
        elif isinstance(record, LevelRecord):
            self.n_levels += 1
        else:
            self.n_health += 1

    def add(self, other: Ledger) -> None:
        """Add the counts of one input to those of the run; how many inputs there are is the run's to say.

        Parameters
        ----------
        other : Ledger
            Of the input.
        """
        self.n_heard += other.n_heard
        self.n_outside += other.n_outside
        self.refused += other.refused
        self.n_blocks += other.n_blocks
        self.n_blocks_refused += other.n_blocks_refused
        self.n_blocks_outside += other.n_blocks_outside
        self.n_samples += other.n_samples
        self.bits_in += other.bits_in
        self.n_events += other.n_events
        self.n_levels += other.n_levels
        self.n_health += other.n_health

    @property
    def n_refused(self) -> int:
        """Number of inputs that were refused, whole or from some point on."""
        return self.refused.total()

    @property
    def n_blocks_offered(self) -> int:
        """Number of blocks of the inputs whose fate is known."""
        return self.n_blocks + self.n_blocks_refused + self.n_blocks_outside

    @property
    def n_not_reached(self) -> int:
        """Number of inputs whose fate is not known: the run was interrupted before."""
        return self.n_inputs - self.n_heard - self.n_outside - self.n_refused

    @property
    def bits_out(self) -> float:
        """Bits in the released records, besides which sensor and when."""
        counts = (self.n_events, self.n_levels, self.n_health)
        return sum(n_records * bits for n_records, bits in zip(counts, bits_per_record(), strict=True))
