"""Everything that the report tells of, measured in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance import bands, limits, meter, peers, sums, weightings
from conformance.bands import Attenuations
from conformance.peers import Difference
from conformance.rows import Row


@dataclass(frozen=True)
class Measured:
    """What was found.

    Parameters
    ----------
    rows : sequence of Row
        What counts, rate by rate.
    beyond : sequence of Row
        What is not claimed.
    peer_weightings : sequence of tuple
        A by us and by scipy, against the same limits.
    differences : sequence of Difference
        Of all peers.
    attenuations : sequence of tuple
        Sample rate, and what bands of one width take from sines at it.
    """

    rows: Sequence[Row]
    beyond: Sequence[Row]
    peer_weightings: Sequence[tuple[Row, Row]]
    differences: Sequence[Difference]
    attenuations: Sequence[tuple[int, Attenuations]]

    @property
    def passes(self) -> bool:
        """Whether every row that counts lies within its limits."""
        return all(row.passes for row in self.rows)


def everything() -> Measured:
    """Measure at every rate.

    Returns
    -------
    Measured
        All of it.
    """
    rows: list[Row] = []
    beyond: list[Row] = []
    attenuations = []
    for rate in limits.TOP_HZ:
        rows += [*weightings.measure(rate), *meter.measure(rate), *sums.measure(rate)]
        beyond += weightings.beyond_the_claim(rate)
        for kind in (bands.THIRD_OCTAVES, bands.OCTAVES):
            found = bands.attenuations(kind, rate)
            rows += bands.measure(found, rate)
            attenuations.append((rate, found))
    return Measured(
        rows,
        beyond,
        [pair for rate in limits.TOP_HZ for pair in peers.weightings(rate)],
        [one for rate in peers.RATES for one in peers.differences(rate)],
        attenuations,
    )
