"""`sourdine sink`: records from the Kafka broker into files or a database."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import add_manners, add_metrics, need, need_metrics, taken_port
from sourdine.cli.terminal import EXIT_OK, say
from sourdine.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    import socket

    from sourdine.sinks.store import Store

_WORDS: Final = """\
Keep what leaves: every event, level and sensor state, once, the first of its id. The database is named by a TOML file:

  host = "db.example.org"
  database = "city"
  user = "sourdine"
  password_file = "db.password"
  ca_file = "ca.pem"

or, on this machine, host = "/run/postgresql" for a socket that knows who we are. Its tables are made where there are
none. A folder gets a file a day and kind, such as events-2026-05-04.jsonl.

The broker is named like for `sourdine topics`; its user `sink` may read.
"""

_EXIT_WORDS: Final = """\
exit codes: 0 told to end; 2 wrong usage; 4 output cannot be written; 6 broker or database cannot be reached; 7 one of
them refuses user, certificate or right; 10 nothing moved for 15 s; 13 told to end, it was not done within 5 s; 5
internal error
"""

_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_STORES: Final = ("file", "postgres")


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    what = "records from Kafka into files or PostgreSQL"
    parser = commands.add_parser("sink", help=what, description=_WORDS, epilog=_EXIT_WORDS)
    to = "file:DIR, or postgres:FILE with the file that names the database"
    parser.add_argument("--to", metavar="STORE", required=True, help=to)
    name = "of this sink: each name reads everything (default: file or postgres)"
    parser.add_argument("--name", metavar="NAME", help=name)
    broker = "file that names the broker (default: the one that the variable SOURDINE_KAFKA names)"
    parser.add_argument("--kafka", metavar="FILE", type=Path, help=broker)
    add_manners(parser)
    add_metrics(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> int:
    """Do it.

    Parameters
    ----------
    parsed : argparse.Namespace
        What was typed.

    Returns
    -------
    int
        The exit code.
    """
    kind, _, where = parsed.to.partition(":")
    if kind not in _STORES or not where:
        raise ConfigError(f"--to: expected file:DIR or postgres:FILE, got {parsed.to}")
    name = parsed.name or kind
    if not _NAME.fullmatch(name):
        raise ConfigError("--name: expected 1 to 64 signs of a-z, A-Z, 0-9, '.', '_' and '-'")
    need("sinks", "postgres" if kind == "postgres" else "kafka", "aiokafka")
    need_metrics(parsed)
    store = _store(kind, Path(where), name)
    from sourdine.broker import load
    from sourdine.operations.foreign import take_over
    from sourdine.operations.lines import tell
    from sourdine.operations.told import Told
    from sourdine.sinks.counts import Counts

    broker, taken = load(parsed.kafka), taken_port(parsed.metrics)
    take_over()
    counts = Counts((lambda *_, **__: None) if parsed.quiet else tell)
    asyncio.run(_drain(broker, name, store, counts, taken))
    counts.say(Told.STOPPED)
    if parsed.json:
        say(json.dumps(counts.facts()) + "\n")
    elif not parsed.quiet:
        facts, words = counts.facts(), ("kept", "duplicates", "conflicts", "refused")
        say(", ".join(f"{word} {facts[f'n_{word}']}" for word in words) + "\n")
    return EXIT_OK


def _store(kind: str, where: Path, name: str) -> Store:
    if kind == "file":
        from sourdine.sinks.files import FileStore

        return FileStore(where)
    need("sinks into PostgreSQL", "postgres", "asyncpg")
    from sourdine.sinks.database import load
    from sourdine.sinks.postgres import PostgresStore

    return PostgresStore(load(where), name)


async def _drain(broker: Any, name: str, store: Store, counts: Any, taken: socket.socket | None) -> None:
    from sourdine.operations.ending import end_by
    from sourdine.operations.told import Told
    from sourdine.operations.watchdog import Watchdog
    from sourdine.sinks.drain import drain

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end() -> None:
        if not stop.is_set():
            counts.say(Told.STOPPING)
            end_by()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    turning = asyncio.create_task(Watchdog().turn_on())
    if taken is not None:
        await _show(taken, name, counts, stop)
    try:
        await drain(broker, name, store, counts, stop)
    finally:
        turning.cancel()


async def _show(taken: socket.socket, name: str, counts: Any, stop: asyncio.Event) -> None:
    import sourdine
    from sourdine.operations.page import Pages
    from sourdine.sinks.shown import ShownSink

    await Pages(taken, ShownSink(counts, stop.is_set), kind="sink", service=name, version=sourdine.__version__).start()
