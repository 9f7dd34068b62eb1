"""A sink, as its pages show it. What it counts are open records, and none of them by sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sourdine.operations.metrics import Sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sourdine.sinks.counts import Counts


class ShownSink:
    """What /ready and /metrics are asked.

    Parameters
    ----------
    counts : Counts
        Of the sink.
    is_stopping : callable
        Says whether it was told to end.
    """

    def __init__(self, counts: Counts, is_stopping: Callable[[], bool]) -> None:
        self._counts, self._is_stopping = counts, is_stopping

    def unready(self) -> str | None:
        """Return in one word why it is not ready."""
        counts = self._counts
        reasons = {
            "stopping": self._is_stopping(),
            "not_reading": not counts.is_reading,
            "broker_away": not counts.is_broker_up,
            "store_away": not counts.is_store_up,
        }
        return next((reason for reason, is_so in reasons.items() if is_so), None)

    def samples(self) -> Iterator[Sample]:
        """Return the values of its metrics."""
        counts = self._counts
        yield Sample("sourdine_broker_up", float(counts.is_broker_up))
        yield Sample("sourdine_sink_store_up", float(counts.is_store_up))
        yield Sample("sourdine_sink_gone_total", counts.n_gone)
        outcomes = {"kept": counts.n_kept, "duplicate": counts.n_duplicates, "conflict": counts.n_conflicts}
        for outcome, n in outcomes.items():
            yield Sample("sourdine_sink_records_total", n, (outcome,))
        for reason, n in counts.refused.items():
            yield Sample("sourdine_sink_refused_total", n, (reason,))
