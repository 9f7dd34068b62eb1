"""The worker that the environment describes: `faust -A sourdine.agents.app worker`, or `sourdine worker`."""

from __future__ import annotations

from functools import cache

from sourdine.agents import classify, describe, gate
from sourdine.agents.exits import leave
from sourdine.agents.outbox import Outbox
from sourdine.agents.preflight import require
from sourdine.agents.rejects import Rejects
from sourdine.agents.settings import WorkerSettings, from_environment
from sourdine.agents.worker_app import WorkerApp, make_app
from sourdine.crash import leave_no_core
from sourdine.errors import SourdineError
from sourdine.topics import layout

_STAGES = {"describe": describe.add, "classify": classify.add, "gate": gate.add}


def make_worker(settings: WorkerSettings) -> WorkerApp:
    """Return the app of a worker.

    Parameters
    ----------
    settings : WorkerSettings
        What it is set to.

    Returns
    -------
    WorkerApp
        Not connected yet.
    """
    made = make_app(settings.broker, group=settings.group, instance=settings.instance)
    outbox = Outbox(settings.broker)
    rejects = Rejects(outbox, settings.stage)
    _STAGES[settings.stage](made, settings, outbox, rejects)
    made.task(rejects.tell_on)
    made.last_words += [rejects.tell, outbox.flush, made.commit_all, outbox.stop]
    return made


@cache
def _from_environment() -> WorkerApp:
    """Check everything before anything is started; what is wrong costs one line."""
    leave_no_core()
    try:
        settings = from_environment()
        require(settings.broker, layout(), settings.stage)
        return make_worker(settings)
    except SourdineError as error:
        leave(error.exit_code, str(error))


def __getattr__(name: str) -> WorkerApp:
    """Make `app` when it is asked for: the module can be imported where no worker is set up."""
    if name == "app":
        return _from_environment()
    raise AttributeError(name)
