"""`sourdine demo`: a synthetic street, or recordings, go through the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from sourdine.cli.arguments import need
from sourdine.cli.run import add_arguments, hear, settings_of
from sourdine.cli.terminal import EXIT_OK, EXIT_WORDS, say
from sourdine.errors import ConfigError

if TYPE_CHECKING:
    import argparse

_WORDS: Final = """\
Hear 90 s of a synthetic street, or recordings of your own. It is `sourdine run`, with more words.

With --kafka three sensors hear it in real time, as in a city: a gateway, two workers and a broker inside this process.
"""


def add(commands: Any) -> None:
    """Add the command.

    Parameters
    ----------
    commands : object
        What argparse adds commands to.
    """
    parser = commands.add_parser(
        "demo", help="hear a synthetic street, or PATHs", description=_WORDS, epilog=EXIT_WORDS
    )
    add_arguments(parser, n_paths="*")
    parser.add_argument("--kafka", action="store_true", help="show the deployed chain; takes nothing else")
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
    if parsed.kafka:
        return _deployed(parsed)
    from sourdine.config import typed
    from sourdine.local import demo

    settings = settings_of(parsed)
    if not parsed.paths:
        settings = replace(settings, paths=(demo.write_scene(settings.out),))
        if not (parsed.json or parsed.quiet):
            say(demo.OPENING_WORDS)
    return hear(settings, parsed, closing_words=demo.closing_words(typed()))


def _deployed(parsed: argparse.Namespace) -> int:
    if parsed.paths:
        raise ConfigError("--kafka takes no PATH: sourdine gateway hears streams of your own")
    need("demonstrations on Kafka", "kafka", "aiokafka", "confluent_kafka", "faust")
    from sourdine.config import typed
    from sourdine.deployed import demo
    from sourdine.local.interrupt import Stop

    with Stop() as stop, demo.demo() as shown:
        say(demo.OPENING_WORDS.format(address=shown.broker.bootstrap))
        shown.start()
        say(demo.STARTED_WORDS)
        demo.watch(shown, lambda event, now: say(demo.event_words(event, now) + "\n"), lambda: stop.requested)
        say(demo.closing_words(shown.counts(), typed()))
    return EXIT_OK
