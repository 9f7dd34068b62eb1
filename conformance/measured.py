"""Everything that the report tells of, measured in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance import bands, limits, meter, peers, weightings
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
    attenuations : dict
        Of third octaves, by sample rate.
    """

    rows: Sequence[Row]
    beyond: Sequence[Row]
    peer_weightings: Sequence[tuple[Row, Row]]
    differences: Sequence[Difference]
    attenuations: dict[int, Attenuations]

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
    attenuations = {rate: bands.attenuations(rate) for rate in limits.TOP_HZ}
    for rate, found in attenuations.items():
        rows += [*weightings.measure(rate), *meter.measure(rate), *bands.measure(found, rate)]
        beyond += [*weightings.beyond_the_claim(rate), *meter.beyond_the_claim(rate)]
        beyond += bands.sums(found, rate, are_claimed=False)
    return Measured(
        rows,
        beyond,
        [pair for rate in limits.TOP_HZ for pair in peers.weightings(rate)],
        [one for rate in (16_000, 48_000) for one in peers.differences(rate)],
        attenuations,
    )
