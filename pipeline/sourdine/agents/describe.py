"""The agent that hears sealed sound, in placement `relay`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dsp_core.records import LevelRecord, SensorHealth

from sourdine.agents.classify import WINDOWS
from sourdine.agents.exits import faultless
from sourdine.agents.keeping import KeepingShell
from sourdine.agents.states import States
from sourdine.hearing import SealedWindow
from sourdine.hearings import Hearings, LedgerLine

if TYPE_CHECKING:
    from sourdine.agents.outbox import Outbox
    from sourdine.agents.rejects import Rejects
    from sourdine.agents.settings import WorkerSettings
    from sourdine.agents.worker_app import WorkerApp

SOUND: Final = "sourdine.sound.v1"
TOPICS: Final[dict[type, str]] = {
    SealedWindow: WINDOWS,
    LevelRecord: "sourdine.levels.v1",
    SensorHealth: "sourdine.health.v1",
    LedgerLine: "sourdine.ledger.v1",
}


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
        lambda: Hearings(settings.sealer, settings.policy.core, settings.full_scale_of),
        outbox,
        rejects,
        states,
        TOPICS,
    )

    @app.agent(app.topic(SOUND, key_type=bytes, value_type=bytes))  # type: ignore[untyped-decorator]
    async def describe(stream: Any) -> None:
        """Hear each block."""
        async for event in stream.events():
            await faultless(shell.take(event), settings.stage)

    shell.attach()
