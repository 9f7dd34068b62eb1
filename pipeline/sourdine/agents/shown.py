"""A worker, as its pages show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sourdine.operations.metrics import Sample

if TYPE_CHECKING:
    from sourdine.agents.progress import Progress
    from sourdine.agents.worker_app import WorkerApp


class ShownWorker:
    """What /ready and /metrics are asked.

    Parameters
    ----------
    app : WorkerApp
        Of the worker.
    progress : Progress
        Of the worker.
    """

    def __init__(self, app: WorkerApp, progress: Progress) -> None:
        self._app, self._progress = app, progress

    def unready(self) -> str | None:
        """Return in one word why it is not ready; a worker that waits in reserve, without partitions, is."""
        reasons = {
            "stopping": self._app.is_stopping,
            "broker_away": not self._progress.broker_answers,
            "not_assigned": self._app.assignments.n == 0 or self._app.rebalancing,
            "restoring_states": self._app.is_restoring(),
            "stalled": self._progress.is_stale,
        }
        return next((reason for reason, is_so in reasons.items() if is_so), None)

    def samples(self) -> list[Sample]:
        """Return the values of its metrics."""
        return [
            Sample("sourdine_worker_partitions", len(self._app.own_partitions())),
            Sample("sourdine_worker_assignments_total", self._app.assignments.n),
            *self._progress.samples(),
        ]
