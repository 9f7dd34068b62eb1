"""The worker that the environment describes: `faust -A sourdine.agents.app worker`, or `sourdine worker`."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import sourdine
from sourdine.agents import classify, describe, gate
from sourdine.agents.exits import leave
from sourdine.agents.outbox import Outbox
from sourdine.agents.preflight import check_clock, require
from sourdine.agents.progress import Progress
from sourdine.agents.rejects import Rejects
from sourdine.agents.settings import WorkerSettings, from_environment
from sourdine.agents.shown import ShownWorker
from sourdine.agents.worker_app import WorkerApp, make_app
from sourdine.crash import leave_no_core
from sourdine.errors import ConfigError, SourdineError
from sourdine.operations.foreign import take_over
from sourdine.operations.lines import Name, tell
from sourdine.operations.told import Told
from sourdine.operations.watchdog import Watchdog
from sourdine.topics import layout

if TYPE_CHECKING:
    import socket

_STAGES = {"describe": describe.add, "classify": classify.add, "gate": gate.add}


def make_worker(settings: WorkerSettings, taken: socket.socket | None = None) -> WorkerApp:
    """Return the app of a worker.

    Parameters
    ----------
    settings : WorkerSettings
        What it is set to.
    taken : socket.socket or None, default=None
        Where its pages are shown.

    Returns
    -------
    WorkerApp
        Not connected yet.
    """
    made = make_app(settings.broker, group=settings.group, instance=settings.instance)
    outbox, progress = Outbox(settings.broker), Progress()
    rejects = Rejects(outbox, settings.stage, progress)
    made.last_words.append(outbox.settle)
    _STAGES[settings.stage](made, settings, outbox, rejects)
    progress.is_waiting = lambda: made.is_restoring() or made.rebalancing
    progress.n_delivered = lambda: outbox.n_delivered
    made.task(rejects.tell_on)
    made.alongside += [
        Watchdog().turn_on,
        partial(progress.look_on, settings.broker, settings.group, made.own_partitions),
    ]
    made.last_words += [rejects.tell, outbox.settle, made.commit_all, outbox.stop]
    if taken is not None:
        from sourdine.operations.page import Pages

        shown, version = ShownWorker(made, progress), sourdine.__version__
        made.alongside.append(Pages(taken, shown, kind="worker", service=settings.stage, version=version).start)
    return made


@cache
def _from_environment() -> WorkerApp:
    """Check everything before anything is started; what is wrong costs one line."""
    leave_no_core()
    try:
        settings = from_environment()
        taken = _taken(settings)
        require(settings.broker, layout(), settings.stage)
        check_clock(settings.broker)
        made = make_worker(settings, taken)
    except SourdineError as error:
        leave(error.exit_code, str(error))
    take_over()
    tell(Told.STARTED, stage=Name(settings.stage), instance=Name(settings.instance))
    return made


def _taken(settings: WorkerSettings) -> socket.socket | None:
    if settings.metrics is None:
        return None
    try:
        from sourdine.operations.page import listen
    except ImportError:
        raise ConfigError("metrics need prometheus_client: pip install 'sourdine[metrics]'") from None
    return listen(settings.metrics)


def __getattr__(name: str) -> WorkerApp:
    """Make `app` when it is asked for: the module can be imported where no worker is set up."""
    if name == "app":
        return _from_environment()
    raise AttributeError(name)
