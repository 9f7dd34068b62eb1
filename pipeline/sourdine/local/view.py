"""What a person sees of a run: progress on the terminal, then tables and plain sentences."""

from __future__ import annotations

import sys
from io import StringIO
from typing import TYPE_CHECKING, Final

from dsp_core.records import Event
from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from sourdine.local.report import MARKDOWN_NAME, calibration_words
from sourdine.local.summary import GUARANTEE, Summary
from sourdine.outgoing.cloudevents import slot_time
from sourdine.outgoing.jsonl import FILE_NAMES
from sourdine.policy import SPEECH_BIT_PER_S
from sourdine.policy_words import METRIC_NAMES, capacity_rows, capacity_words, policy_words

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sourdine.local.inputs import Input
    from sourdine.policy import LoadedPolicy

CONFIDENCES: Final = ("low", "fair", "high", "very high")
SCALE_NAMES: Final = {"dbfs": "dBFS", "db": "dB"}

#: Rows of the table of levels; the files hold all of them.
N_SHOWN_LEVELS: Final = 40
_WIDTH_IN_PIPES: Final = 100


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it takes one.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        Of what, in the singular.

    Returns
    -------
    str
        For instance ``2 events``.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def clock(seconds: float) -> str:
    """Return a length of sound as hours, minutes and seconds.

    Parameters
    ----------
    seconds : float
        The length.

    Returns
    -------
    str
        For instance ``00:01:30``.
    """
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def summary_text(summary: Summary) -> str:
    """Return a run's tables and what it guarantees, laid out for standard output.

    Parameters
    ----------
    summary : Summary
        Of a finished run.

    Returns
    -------
    str
        With colours if standard output is a terminal.
    """
    parts: list[RenderableType] = [_headline(summary), Text(), _events(summary), Text(), _levels(summary), Text()]
    parts += [_account(summary), Text()]
    parts += [Text(line, style="dim") for line in GUARANTEE]
    return _laid_out(Group(*parts))


def policy_text(policy: LoadedPolicy) -> str:
    """Return a policy in words and its capacity in a table, laid out for standard output.

    Parameters
    ----------
    policy : LoadedPolicy
        A policy that stands.

    Returns
    -------
    str
        With colours if standard output is a terminal.
    """
    words = _pairs()
    for heading, sentence in policy_words(policy):
        words.add_row(heading, sentence)
    table = _table("What one sensor can carry at most")
    table.add_column("record")
    table.add_column("bits in a clock hour", justify="right")
    table.add_column("bit/s", justify="right")
    for what, per_hour, per_s in capacity_rows(policy):
        table.add_row(what, f"{per_hour:,.1f}", f"{per_s:.3f}", style="bold" if what == "all together" else None)
    title = Text.assemble("Policy ", (policy.core.name, "bold"))
    return _laid_out(Group(title, Text(), words, Text(), table, Text(), Text(capacity_words(policy))))


def _laid_out(view: RenderableType) -> str:
    """Return a view as wide as the terminal, or of a fixed width and without colour for a pipe."""
    is_terminal = sys.stdout.isatty()
    text = StringIO()
    width = None if is_terminal else _WIDTH_IN_PIPES
    console = Console(file=text, force_terminal=is_terminal, width=width, highlight=False, markup=False, emoji=False)
    console.print(view)
    return "".join(f"{line.rstrip()}\n" for line in text.getvalue().splitlines())


def _headline(summary: Summary) -> Text:
    ledger = summary.ledger
    what = "standard input" if summary.settings.pcm else count(ledger.n_heard, "recording")
    line = Text.assemble(("Sourdine", "bold"), f" heard {what}, {clock(summary.heard_s)} of sound")
    if ledger.n_refused:
        line.append(f", and refused {count(ledger.n_refused, 'input')}", style="yellow")
    line.append(".")
    if summary.interrupted:
        line.append(f" Interrupted: {_interrupted_words(summary)}", style="yellow")
    n_slow = sum(not outcome.hears_events for outcome in summary.outcomes)
    if n_slow:
        line.append(f"\nBelow 16 kHz there are levels but no events: {count(n_slow, 'input')}.", style="yellow")
    return line


def _interrupted_words(summary: Summary) -> str:
    if summary.settings.pcm:
        return "what was released until then is written down."
    left = count(summary.ledger.n_not_reached, "input")
    return f"{left} not heard to the end; the same command with --resume goes on."


def _events(summary: Summary) -> RenderableType:
    n_events = summary.ledger.n_events
    if not n_events:
        return Text("No events.", style="bold")
    captions = ["level: without the speech band, in steps of 3 dB"]
    n_more = n_events - len(summary.first_events)
    if n_more:
        captions.append(f"and {n_more:,} {'earlier or ' * summary.settings.resume}more in {FILE_NAMES[Event]}")
    if not summary.first_events:
        return Text(f"No events in what was heard now; {n_events:,} earlier ones stand in {FILE_NAMES[Event]}.")
    names = {outcome.item.sensor_id: _short_name(outcome.item) for outcome in summary.outcomes}
    is_clock = summary.settings.zone is not None or summary.settings.start_slot > 0
    table = _table("Events")
    table.add_column("time (UTC)" if is_clock else "at", no_wrap=True)
    table.add_column("sensor", justify="right", no_wrap=True)
    table.add_column("file", max_width=24)
    table.add_column("class", style="bold", no_wrap=True, min_width=12)
    table.add_column("level", justify="right", no_wrap=True)
    table.add_column("confidence", no_wrap=True, min_width=10)
    for event in summary.first_events:
        moment, sensor, *rest = _event_row(event, is_clock=is_clock)
        table.add_row(moment, sensor, names[event.sensor_id], *rest)
    table.caption = "; ".join(captions)
    return table


def _event_row(event: Event, *, is_clock: bool) -> tuple[str, str, str, str, str]:
    moment = slot_time(event.slot).replace("T", " ").rstrip("Z") if is_clock else clock(event.slot)
    level = "-" if event.level_db is None else f"{event.level_db} {SCALE_NAMES[event.scale]}"
    sound_class = event.sound_class.replace("_", " ")
    return moment, str(event.sensor_id), sound_class, level, CONFIDENCES[event.confidence]


def event_words(event: Event) -> str:
    """Return an event in one line, for a live run.

    Parameters
    ----------
    event : Event
        What left.

    Returns
    -------
    str
        When, which sensor, what, about how loud, how sure.
    """
    moment, sensor, sound_class, level, confidence = _event_row(event, is_clock=True)
    about = "" if event.level_db is None else f", about {level} without the speech band"
    return f"{moment} UTC  sensor {sensor}  {sound_class}{about}, confidence {confidence}"


def _levels(summary: Summary) -> RenderableType:
    periods_s = dict(summary.settings.policy.core.levels)
    spans = [(outcome, metric, span) for outcome in summary.outcomes for metric, span in outcome.levels.items()]
    rows = [row for row in spans if row[2].n_values]
    if not rows:
        too_short = " The recordings are shorter than a period." if spans else ""
        return Text.assemble(("No levels.", "bold"), too_short)
    table = _table("Levels")
    table.add_column("sensor", justify="right", no_wrap=True)
    table.add_column("file")
    table.add_column("metric", style="bold", no_wrap=True)
    for head in ("lowest", "highest", "values", "missing"):
        table.add_column(head, justify="right", no_wrap=True)
    for outcome, metric, span in rows[:N_SHOWN_LEVELS]:
        edges = ["-" if db is None else f"{db} {SCALE_NAMES[span.scale]}" for db in (span.lowest_db, span.highest_db)]
        counts = (str(span.n_values), str(span.n_missing))
        table.add_row(
            str(outcome.item.sensor_id),
            _short_name(outcome.item),
            f"{METRIC_NAMES[metric]}, {periods_s[metric]} s",
            *edges,
            *counts,
        )
    captions = ["missing: less than 95 % of the period was heard"] if any(span.n_missing for _, _, span in rows) else []
    if len(rows) > N_SHOWN_LEVELS:
        captions.append(f"and {len(rows) - N_SHOWN_LEVELS:,} more rows")
    table.caption = "; ".join(captions) or None
    return table


def _account(summary: Summary) -> Table:
    settings, ledger = summary.settings, summary.ledger
    capacity = settings.policy.capacity
    records = ", ".join(
        (count(ledger.n_events, "event"), count(ledger.n_levels, "level"), count(ledger.n_health, "sensor state"))
    )
    life = f"at most {summary.longest_life_s:.2f} s in memory" if ledger.n_samples else "none was heard"
    if settings.pcm is None:
        life += "; the recording itself exists anyway"
    share = SPEECH_BIT_PER_S / capacity.bit_per_s
    table = _pairs()
    most = f"never more than {capacity.bit_per_s:.3f} bit/s a sensor over a clock hour"
    table.add_row("policy", f"{settings.policy.core.name}: {most}, {share:,.0f} times less than speech")
    table.add_row("bits in", f"{ledger.bits_in:,}")
    bits_out = Text.assemble(
        (f"{ledger.bits_out:,.0f}", "bold green"), f" ({records}); an event's second within its hour counted in"
    )
    table.add_row("bits out", bits_out)
    table.add_row("life of a sample", life)
    table.add_row("calibration", calibration_words(summary))
    if summary.aside_words:
        table.add_row("left aside", Text(summary.aside_words))
    names = ", ".join((*FILE_NAMES.values(), MARKDOWN_NAME))
    table.add_row("written to", Text(f"{settings.out}: {names}"))
    return table


def _pairs() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        header_style="dim",
    )


def _short_name(item: Input) -> Text:
    """Return a name as a cell: the one that gives way where the terminal is narrow, on one line all the same."""
    return Text(item.name.rsplit("/", 1)[-1], no_wrap=True, overflow="ellipsis")
