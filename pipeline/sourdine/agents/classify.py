"""The agent that scores windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sourdine.agents.exits import faultless
from sourdine.agents.shell import ScoringShell
from sourdine.cut import Scoring

if TYPE_CHECKING:
    from sourdine.agents.outbox import Outbox
    from sourdine.agents.rejects import Rejects
    from sourdine.agents.settings import WorkerSettings
    from sourdine.agents.worker_app import WorkerApp

WINDOWS: Final = "sourdine.windows.v1"
CANDIDATES: Final = "sourdine.candidates.v1"


def add(app: WorkerApp, settings: WorkerSettings, outbox: Outbox, rejects: Rejects) -> None:
    """Add the agent to an app.

    Parameters
    ----------
    app : WorkerApp
        Of the worker.
    settings : WorkerSettings
        Of the worker.
    outbox : Outbox
        Sends.
    rejects : Rejects
        Counts what is refused.
    """
    shell = ScoringShell(Scoring(settings.sealer, settings.policy.core), outbox, rejects, CANDIDATES)

    @app.agent(app.topic(WINDOWS, key_type=bytes, value_type=bytes))  # type: ignore[untyped-decorator]
    async def classify(stream: Any) -> None:
        """Score each window."""
        async for event in stream.events():
            await faultless(shell.take(event, app.consumer), settings.stage)
