"""The agent that decides what leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sourdine.agents.classify import CANDIDATES
from sourdine.agents.shell import GatesShell
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
    states = States(settings.broker, outbox, settings.stage)
    app.is_restoring = lambda: states.is_reading
    shell = GatesShell(
        lambda: Gates(settings.sealer, settings.policy.core, settings.full_scale_of),
        lambda: {place.partition for place in app.consumer.assignment()},
        outbox,
        rejects,
        states,
        EVENTS,
    )

    @app.agent(app.topic(CANDIDATES, key_type=bytes, value_type=bytes))  # type: ignore[untyped-decorator]
    async def gate(stream: Any) -> None:
        """Judge each candidate."""
        async for event in stream.events():
            await shell.take(event)

    @app.task  # type: ignore[untyped-decorator]
    async def keep_states() -> None:
        await shell.keep_on(app.consumer)

    # Sent before every assignment, the first and those that change nothing included; one at the assignment itself could
    # come after the first messages.
    @app.on_partitions_revoked.connect  # type: ignore[untyped-decorator]
    async def forget(*_: Any, **__: Any) -> None:
        shell.forget()

    app.last_words += [lambda: shell.keep(app.consumer), states.stop]
