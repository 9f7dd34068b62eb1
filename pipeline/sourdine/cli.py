"""The command line: what a person types, which room it goes to, and how a run ends.

Only what parses is imported at the top, so that help and mistakes answer at once; the chain and the terminal view are
imported by the command that needs them.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sourdine import __version__
from sourdine.config import PCM_ENCODINGS, RunSettings, parse_pcm, parse_start
from sourdine.errors import ConfigError, OutputError, SourdineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sourdine.policy import LoadedPolicy

EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
EXIT_INTERNAL: Final = 5
EXIT_INTERRUPTED: Final = 130

LESSON: Final = """\
Sourdine hears what happens in a street and passes nothing on of what is said there.

  sourdine demo                  hear 90 s of a synthetic street
  sourdine run recording.wav     hear recordings of your own: files or folders of WAV, FLAC, OGG
  arecord -t raw -f S16_LE -r 16000 | sourdine run - --rate 16000
                                 hear raw PCM from a pipe
  sourdine policy show street    what may leave, in words and in bits

Events, levels and sensor states are written into sourdine-out/ as JSON lines.
sourdine COMMAND --help says more.
"""

_RUN_WORDS: Final = """\
Each file is a sensor of its own, numbered from 1 in sorted order. What leaves is written as CloudEvents, one a line,
into events.jsonl, levels.jsonl and health.jsonl of the output folder; files of these names are replaced.
"""

_EXIT_WORDS: Final = """\
exit codes: 0 everything was heard; 1 some inputs were refused, each with a line and a reason; 2 wrong usage; 3 the
policy does not stand; 4 output cannot be written; 5 internal error; 130 interrupted, what was released is written down
"""


def main() -> int:
    """Run the command line of this process and return its exit code."""
    _open_missing_streams()
    code = run_command(sys.argv[1:])
    if code == EXIT_INTERRUPTED:
        # A thread may still wait for a pipe that never says more: leave it behind.
        os._exit(code)
    return code


def run_command(arguments: Sequence[str]) -> int:
    """Run one command; whatever stops it is said in one line that holds no data.

    Parameters
    ----------
    arguments : sequence of str
        What stands after ``sourdine``.

    Returns
    -------
    int
        The exit code.
    """
    try:
        code = _dispatch(_parser().parse_args(arguments))
        sys.stdout.flush()
    except SourdineError as error:
        return _stop(str(error), error.exit_code)
    except BrokenPipeError:
        _leave_stdout()
        return OutputError.exit_code
    except KeyboardInterrupt:
        return _stop("interrupted", EXIT_INTERRUPTED)
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  a panic of the core is no Exception, and its text may not be shown
        return _stop(f"internal error ({type(error).__name__})", EXIT_INTERNAL)
    return code


def _dispatch(parsed: argparse.Namespace) -> int:
    # A file name may hold signs that the terminal's encoding lacks.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    sys.stderr.reconfigure(errors="replace")  # type: ignore[union-attr]
    if parsed.command == "run":
        return _hear(_settings(parsed), as_json=parsed.json)
    if parsed.command == "demo":
        return _demo(parsed)
    if parsed.command == "policy":
        return _policy(parsed)
    _say(LESSON)
    return EXIT_OK


def _settings(parsed: argparse.Namespace) -> RunSettings:
    from_pipe = "-" in parsed.paths
    if from_pipe and len(parsed.paths) > 1:
        raise ConfigError("- stands alone: hear a pipe or recordings, not both")
    if from_pipe and sys.stdin.isatty():
        raise ConfigError("- expects raw PCM from a pipe, and standard input is a terminal")
    raw = (parsed.rate, parsed.format, parsed.channels)
    if not from_pipe and raw != (None, None, None):
        raise ConfigError("--rate, --format and --channels are for raw PCM from a pipe: add - for it")
    return RunSettings(
        paths=() if from_pipe else tuple(Path(path) for path in parsed.paths),
        out=parsed.out,
        policy=_load_policy(parsed.policy),
        start_slot=0 if parsed.start is None else parse_start(parsed.start),
        background=parsed.background,
        pcm=parse_pcm(*raw) if from_pipe else None,
    )


def _load_policy(name_or_path: str) -> LoadedPolicy:
    from sourdine.policy import load

    return load(name_or_path, today=datetime.now(UTC).date())


def _hear(settings: RunSettings, *, as_json: bool, closing_words: str = "") -> int:
    from sourdine.local.run import Watch, run
    from sourdine.local.summary import summary_json
    from sourdine.local.view import ProgressWatch, summary_text

    with ProgressWatch() if sys.stderr.isatty() else nullcontext(Watch()) as watch:
        summary = run(settings, watch)
    _say(summary_json(summary).decode() if as_json else summary_text(summary))
    for outcome in summary.outcomes:
        if outcome.refusal:
            _say_aside(f"refused {outcome.item.name}: {outcome.refusal.reason}: {outcome.refusal.text}")
    if summary.interrupted:
        return EXIT_INTERRUPTED
    if not as_json:
        _say(closing_words)
    return EXIT_REFUSED if summary.ledger.n_refused else EXIT_OK


def _demo(parsed: argparse.Namespace) -> int:
    from sourdine.local import demo

    settings = _settings(parsed)
    if not parsed.paths:
        settings = replace(settings, paths=(demo.write_scene(settings.out),))
        if not parsed.json:
            _say(demo.OPENING_WORDS)
    return _hear(settings, as_json=parsed.json, closing_words=demo.CLOSING_WORDS)


def _policy(parsed: argparse.Namespace) -> int:
    policy = _load_policy(parsed.policy)
    if parsed.action == "check":
        _say(f"{policy.core.name}: stands, at most {policy.capacity.bit_per_s:.3f} bit/s a sensor\n")
    else:
        from sourdine.local.view import policy_text

        _say(policy_text(policy))
    return EXIT_OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sourdine",
        description="Hears what happens in a street and passes nothing on of what is said there.",
        epilog=_EXIT_WORDS,
    )
    parser.add_argument("--version", action="version", version=f"sourdine {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    run = commands.add_parser("run", help="hear recordings or a pipe", description=_RUN_WORDS, epilog=_EXIT_WORDS)
    _add_run_arguments(run, n_paths="+")
    demo = commands.add_parser("demo", help="hear a synthetic street, or PATHs", description=_RUN_WORDS)
    _add_run_arguments(demo, n_paths="*")
    policy = commands.add_parser("policy", help="what may leave, in words and in bits")
    actions = policy.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, what in (("show", "in words and in bits"), ("check", "exit 3 if it does not stand")):
        one = actions.add_parser(action, help=what, description=f"A policy, {what}.")
        one.add_argument("policy", metavar="NAME|FILE", help="street, strict, noise, or a TOML file")
    return parser


def _add_run_arguments(parser: argparse.ArgumentParser, n_paths: str) -> None:
    paths = "files, folders (searched through), or - for raw PCM on standard input"
    parser.add_argument("paths", metavar="PATH", nargs=n_paths, help=paths)
    parser.add_argument("--policy", metavar="NAME|FILE", default="street", help="what may leave (default: street)")
    out = Path("sourdine-out")
    parser.add_argument("--out", metavar="DIR", type=Path, default=out, help=f"output folder (default: {out})")
    parser.add_argument("--start", metavar="TIME", help="UTC time of the first sample, like 2026-05-04T21:00:00Z")
    background = "a recording of the place on a usual day, to learn its background from first"
    parser.add_argument("--background", metavar="PATH", type=Path, help=background)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    raw = parser.add_argument_group("raw PCM (with -)")
    raw.add_argument("--rate", metavar="HZ", type=int, help="sample rate, 8000 to 192000")
    raw.add_argument("--format", choices=PCM_ENCODINGS, help="encoding (default: s16le)")
    raw.add_argument("--channels", metavar="N", type=int, help="interleaved channels; the first is heard (default: 1)")


def _say(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _leave_stdout()
        raise OutputError(f"cannot write to standard output: {error.strerror}") from None


def _say_aside(text: str) -> None:
    line = "".join(sign if sign.isprintable() else " " for sign in text)
    sys.stderr.write(f"sourdine: {line}\n")


def _open_missing_streams() -> None:
    """Point a standard stream that was closed at nothing: no file that is written may take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  as long as the process


def _stop(text: str, code: int) -> int:
    _say_aside(text)
    return code


def _leave_stdout() -> None:
    """Point standard output at nothing, so that Python's last flush does not complain once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
