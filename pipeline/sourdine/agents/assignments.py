"""How often a worker is given its partitions: two workers of one name never come to rest."""

from __future__ import annotations

import time
from secrets import randbelow
from typing import TYPE_CHECKING, Final

from sourdine.operations.ending import EXIT_NAME, end
from sourdine.operations.lines import Name, tell
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from collections.abc import Callable

#: Each of two workers of a name is thrown out at its next heartbeat (2 s) and joins again.
_SOON_S: Final = 10.0
#: Who has been alone before is the rightful one, and waits for the other to give in.
_CALM_S: Final = 30.0
_MAX_AS_NEWCOMER, _MAX_AS_RESIDENT = 6, 30
#: Of two that begin at the same time one shall stay: their patience differs, in most cases.
_N_PATIENCES: Final = 8


class Assignments:
    """Counts assignments, and ends a worker whose name another one has too.

    A rebalance, whoever caused it, is a new generation of the group. A static member that takes another's place is
    none: the broker hands over the same share, of the same generation, again and again.

    Parameters
    ----------
    instance : str
        Name of the worker.
    clock : callable, default=time.monotonic
        Seconds.
    on_fight : callable or None, default=None
        Called where there are two; None ends the process.
    """

    def __init__(
        self, instance: str, clock: Callable[[], float] = time.monotonic, on_fight: Callable[[], None] | None = None
    ) -> None:
        self._clock = clock
        self._on_fight = on_fight or (lambda: end(EXIT_NAME, Told.NAME_TAKEN, instance=Name(instance)))
        self._last_s, self._generation, self._n_again = self._clock(), -1, 0
        self._is_resident = False
        self._max_as_newcomer = _MAX_AS_NEWCOMER + 2 * randbelow(_N_PATIENCES)
        self.n = 0

    def came(self, n_partitions: int, generation: int) -> None:
        """Take note of an assignment.

        Parameters
        ----------
        n_partitions : int
            That the worker has now.
        generation : int
            Of the group.
        """
        now = self._clock()
        passed_s, self._last_s = now - self._last_s, now
        is_again = generation == self._generation and passed_s < _SOON_S
        self._is_resident = (self._is_resident and is_again) or (self.n > 0 and passed_s > _CALM_S)
        self._n_again = self._n_again + 1 if is_again else 0
        self._generation = generation
        self.n += 1
        tell(Told.ASSIGNED, n=n_partitions)
        if self._n_again >= (_MAX_AS_RESIDENT if self._is_resident else self._max_as_newcomer):
            self._on_fight()
