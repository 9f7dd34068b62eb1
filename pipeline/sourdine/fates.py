"""The fate of every block that a sensor sends: each ends in exactly one state, and the counts say so.

Transport facts only: nothing here depends on what was heard.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Fates:
    """Counts of one sensor, or of several.

    A message that came is processed, rejected, late or a duplicate, or is still held; a block that never came, though
    one behind it did, is a gap. So of each boot's blocks, from the first that was expected to the last that came, each
    is processed, rejected, late or a gap once, and what came twice is a duplicate besides.
    """

    n_processed: int = field(default=0, init=False)
    #: Refused by the stage, after they were given to it.
    rejected: Counter[str] = field(default_factory=Counter, init=False)
    #: Refused before: they take no place in the order.
    turned_away: Counter[str] = field(default_factory=Counter, init=False)
    n_late: int = field(default=0, init=False)
    n_duplicate: int = field(default=0, init=False)
    n_gap: int = field(default=0, init=False)
    n_held: int = field(default=0, init=False)
    #: Came before one that was sent before them.
    n_reordered: int = field(default=0, init=False)
    n_reboots: int = field(default=0, init=False)
    #: Times at which the broker's clock went back.
    n_clock_back: int = field(default=0, init=False)

    @property
    def n_messages(self) -> int:
        """Messages that came, whatever became of them."""
        refused = self.rejected.total() + self.turned_away.total()
        return self.n_processed + refused + self.n_late + self.n_duplicate + self.n_held

    @property
    def n_blocks(self) -> int:
        """Blocks whose place in the order is past."""
        return self.n_processed + self.rejected.total() + self.n_late + self.n_gap

    def add(self, other: Fates) -> None:
        """Add the counts of another sensor.

        Parameters
        ----------
        other : Fates
            Its counts.
        """
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @classmethod
    def restored(cls, kept: dict[str, Any]) -> Fates:
        """Return counts that were kept as plain values.

        Parameters
        ----------
        kept : dict
            By the names of the fields.
        """
        fates = cls()
        for name, value in kept.items():
            setattr(fates, name, Counter(value) if isinstance(value, dict) else value)
        return fates

    def facts(self) -> dict[str, Any]:
        """Return the counts, by the names of the states."""
        return {
            "processed": self.n_processed,
            "rejected": dict(sorted((self.rejected + self.turned_away).items())),
            "late": self.n_late,
            "duplicate": self.n_duplicate,
            "gap": self.n_gap,
            "held": self.n_held,
            "reordered": self.n_reordered,
            "reboots": self.n_reboots,
            "clock_back": self.n_clock_back,
        }
