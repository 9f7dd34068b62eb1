"""What a sink has read and what became of it, and the lines of the log that say so: none shows a refused message."""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from sourdine.operations.lines import Name
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable

    from sourdine.sinks.store import Identity, Outcome

#: However many messages are refused, there is one line in this time.
_SAY_S: Final = 10.0


class Counts:
    """Every message that was read is in exactly one of: kept, duplicate, conflict, refused by reason.

    Parameters
    ----------
    say : callable
        Takes an event and its facts, as `tell` does.
    """

    def __init__(self, say: Callable[..., None]) -> None:
        self.say = say
        self.n_kept = 0
        self.n_duplicates = 0
        self.n_conflicts = 0
        self.refused: Counter[str] = Counter()
        #: Deleted at the broker before they were read.
        self.n_gone = 0
        #: How things stand: whether it reads, whether the store takes records, whether the broker answers.
        self.is_reading, self.is_store_up, self.is_broker_up = False, True, True
        self._conflict: Identity | None = None
        self._said: tuple[Counter[str], int] = (Counter(), 0)
        self._said_at = -_SAY_S

    def add(self, outcome: Outcome, refused: Counter[str]) -> None:
        """Count what became of a batch, once it is written down, and say what someone should look at.

        Parameters
        ----------
        outcome : Outcome
            Of its records.
        refused : Counter
            Of what was none, by reason.
        """
        self.n_kept += outcome.n_kept
        self.n_duplicates += outcome.n_duplicates
        self.n_conflicts += outcome.n_conflicts
        self.refused += refused
        self._conflict = outcome.conflict or self._conflict
        self.tell()

    def tell(self, *, at_once: bool = False) -> None:
        """Say what was refused and what differed since the last line, if there is something and it is time.

        Parameters
        ----------
        at_once : bool, default=False
            Whatever the time.
        """
        refused, n_conflicts = self.refused - self._said[0], self.n_conflicts - self._said[1]
        now = monotonic()
        if not (refused or n_conflicts) or (now - self._said_at < _SAY_S and not at_once):
            return
        self._said, self._said_at = (self.refused.copy(), self.n_conflicts), now
        for reason, count in sorted(refused.items()):
            self.say(Told.REFUSED, reason=Name(reason), n=count)
        if n_conflicts and self._conflict is not None:
            _, sensor_id, slot, what = self._conflict
            self.say(Told.CONFLICT, n=n_conflicts, sensor=sensor_id, slot=slot, what=Name(what))

    def facts(self) -> dict[str, Any]:
        """Return the counts, by name."""
        return {
            "n_kept": self.n_kept,
            "n_duplicates": self.n_duplicates,
            "n_conflicts": self.n_conflicts,
            "n_refused": self.refused.total(),
            "refused": dict(sorted(self.refused.items())),
            "n_gone": self.n_gone,
        }
