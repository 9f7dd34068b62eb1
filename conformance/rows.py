"""One measurement against one limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.limits import Clause


@dataclass(frozen=True)
class Row:
    """What was measured, what was expected, and how far it may be off.

    Parameters
    ----------
    clause : Clause
        Requirement.
    what : str
        Quantity, such as "A".
    sample_rate : int
        In Hz.
    where : str
        Condition, such as "1 kHz" or "200 ms".
    measured : float
        In dB, or as the clause says.
    expected : float
        Goal or reference, in the same unit.
    above : float
        Most that the measured may lie over it.
    below : float
        Least: the same downwards, negative.
    """

    clause: Clause
    what: str
    sample_rate: int
    where: str
    measured: float
    expected: float
    above: float
    below: float

    @property
    def deviation(self) -> float:
        """What is measured, less what is expected."""
        return self.measured - self.expected

    @property
    def margin(self) -> float:
        """Distance to the nearer limit; negative outside."""
        return min(self.above - self.deviation, self.deviation - self.below)

    @property
    def passes(self) -> bool:
        """Whether the row lies within its limits; NaN does not."""
        return self.margin >= 0


def smallest(rows: Iterable[Row]) -> Row:
    """Return the row with the smallest margin; of several within 0.01 dB the first, the same on every machine.

    Parameters
    ----------
    rows : iterable of Row
        At least one.

    Returns
    -------
    Row
        One of them.
    """
    return min(rows, key=lambda row: round(row.margin, 2))
