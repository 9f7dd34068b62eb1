"""The agent that decides what leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dsp_core.records import Event

from sourdine.agents.classify import CANDIDATES
from sourdine.agents.exits import faultless
from sourdine.agents.keeping import KeepingShell
from sourdine.agents.states import States
from sourdine.cut import Gates

if TYPE_CHECKING:
    from sourdine.agents.outbox import Outbox
    from sourdine.agents.rejects import Rejects
    from sourdine.agents.settings import WorkerSettings
    from sourdine.agents.worker_app import WorkerApp

EVENTS: Final = "sourdine.events.v1"


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
    states = States(settings.broker, outbox, rejects, settings.stage)
    shell = KeepingShell(
        app,
        lambda: Gates(settings.sealer, settings.policy.core, settings.full_scale_of),
        outbox,
        rejects,
        states,
        {Event: EVENTS},
    )

    @app.agent(app.topic(CANDIDATES, key_type=bytes, value_type=bytes))  # type: ignore[untyped-decorator]
    async def gate(stream: Any) -> None:
        """Judge each candidate."""
        async for event in stream.events():
            await faultless(shell.take(event), settings.stage)

    shell.attach()
