"""The report of a run, for machines and for persons: inputs and fates, policy, model, versions, bits in and out."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import orjson
from dsp_core.records import __version__ as core_version

from sourdine import __version__
from sourdine.files import replace_file
from sourdine.local.summary import GUARANTEE
from sourdine.outgoing.cloudevents import slot_time
from sourdine.policy import policy_id
from sourdine.policy_words import capacity_rows, capacity_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sourdine.local.summary import Outcome, Summary

JSON_NAME: Final = "report.json"
MARKDOWN_NAME: Final = "report.md"

_FATES: Final = {
    "heard": "heard to the end",
    "refused": "refused, whole or from some point on",
    "outside": "outside the span that was asked for",
    "not_reached": "not reached: the run was interrupted",
}


def write_report(summary: Summary) -> None:
    """Write both forms into the output folder.

    Parameters
    ----------
    summary : Summary
        Of a run that has ended.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    folder = summary.settings.out
    replace_file(folder / JSON_NAME, report_json(summary))
    replace_file(folder / MARKDOWN_NAME, "".join(f"{line}\n" for line in _markdown(summary)).encode())


def report_json(summary: Summary) -> bytes:
    """Return the report for machines.

    Parameters
    ----------
    summary : Summary
        Of a run that has ended.

    Returns
    -------
    bytes
        One JSON document, indented, with a line end.
    """
    ledger, settings = summary.ledger, summary.settings
    document = {
        "placement": "local",
        "guarantee": list(GUARANTEE),
        "versions": {"sourdine": __version__, "dsp_core": core_version},
        "model_id": summary.model_id,
        "policy": settings.policy.core.name,
        "policy_id": policy_id(settings.policy),
        "capacity_bit_per_s": settings.policy.capacity.bit_per_s,
        "calibration": None if settings.calibration is None else asdict(settings.calibration),
        "start": slot_time(settings.start_slot) if settings.zone is None else f"auto, {settings.zone}",
        "began": _moment(summary.began),
        "ended": _moment(summary.ended),
        "interrupted": summary.interrupted,
        "longest_sample_life_s": summary.longest_life_s,
        "recording_exists_anyway": settings.pcm is None,
        "bits_in": ledger.bits_in,
        "bits_out": ledger.bits_out,
        "n_inputs": ledger.n_inputs,
        "n_heard": ledger.n_heard,
        "n_refused": ledger.n_refused,
        "n_outside": ledger.n_outside,
        "n_not_reached": ledger.n_not_reached,
        "left_aside": summary.aside_words,
        "refused_by_reason": dict(sorted(ledger.refused.items())),
        "n_blocks_offered": ledger.n_blocks_offered,
        "n_blocks": ledger.n_blocks,
        "n_blocks_refused": ledger.n_blocks_refused,
        "n_blocks_outside": ledger.n_blocks_outside,
        "n_events": ledger.n_events,
        "n_levels": ledger.n_levels,
        "n_health": ledger.n_health,
        "inputs": [_input(outcome) for outcome in summary.outcomes],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _input(outcome: Outcome) -> dict[str, Any]:
    refusal, ledger = outcome.refusal, outcome.ledger
    return {
        "sensor_id": outcome.item.sensor_id,
        "name": outcome.item.name,
        "fate": outcome.fate,
        "start": slot_time(outcome.start_slot),
        "sample_rate": outcome.sample_rate,
        "n_samples": ledger.n_samples,
        "n_samples_stated": outcome.n_stated,
        "n_blocks_offered": ledger.n_blocks_offered,
        "n_blocks": ledger.n_blocks,
        "n_blocks_refused": ledger.n_blocks_refused,
        "n_blocks_outside": ledger.n_blocks_outside,
        "hears_events": outcome.hears_events,
        "n_events": ledger.n_events,
        "n_levels": ledger.n_levels,
        "n_health": ledger.n_health,
        "refused": None if refusal is None else {"reason": refusal.reason, "text": refusal.text},
    }


def calibration_words(summary: Summary) -> str:
    """Say by what levels are calibrated.

    Parameters
    ----------
    summary : Summary
        Of a run.

    Returns
    -------
    str
        Without a stop.
    """
    calibration = summary.settings.calibration
    if calibration is None:
        return "none, levels are dBFS"
    return f"that of sensor {calibration.sensor_id}, {calibration.date}, for every input"


def _code(name: str) -> str:
    """Put a name, which may hold anything, into a cell of a table so that nothing in it is markup."""
    fence = "`" * (1 + max(map(len, re.findall("`+", name)), default=0))
    edge = " " if {"`", " "} & {name[:1], name[-1:]} else ""
    return f"{fence}{edge}{name}{edge}{fence}".replace("|", "\\|")


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _markdown(summary: Summary) -> Iterator[str]:
    ledger, settings = summary.ledger, summary.settings
    policy = settings.policy
    yield "# Report of a run"
    yield ""
    yield f"Begun {_moment(summary.began)}, ended {_moment(summary.ended)}{', interrupted' * summary.interrupted}."
    yield f"sourdine {__version__}, dsp_core {core_version}, model `{summary.model_id[:12]}`."
    yield ""
    yield "## What went in and what came out"
    yield ""
    yield f"- {summary.heard_s:,.0f} s of sound in {ledger.n_blocks:,} blocks: {ledger.bits_in:,} bits in."
    yield f"- {ledger.n_events:,} events, {ledger.n_levels:,} levels, {ledger.n_health:,} sensor states: "
    yield f"  {ledger.bits_out:,.0f} bits out."
    yield f"- A sample lived at most {summary.longest_life_s:.2f} s in memory."
    yield f"- Calibration: {calibration_words(summary)}."
    if summary.aside_words:
        yield f"- Left aside in folders, by their names: {summary.aside_words}."
    yield ""
    yield f"## Policy `{policy.core.name}`"
    yield ""
    yield f"Its id is `{policy_id(policy)[:12]}`. {capacity_words(policy)}"
    yield ""
    yield "| record | bits in a clock hour | bit/s |"
    yield "|---|---:|---:|"
    for what, per_hour, per_s in capacity_rows(policy):
        yield f"| {what} | {per_hour:,.1f} | {per_s:.3f} |"
    yield ""
    yield from (f"- {line}" for line in GUARANTEE)
    yield ""
    yield from _fates(summary)
    yield "## Inputs"
    yield ""
    yield "| sensor | name | fate | Hz | seconds heard | events | levels | states |"
    yield "|---:|---|---|---:|---:|---:|---:|---:|"
    yield from map(_row, summary.outcomes)


def _fates(summary: Summary) -> Iterator[str]:
    ledger = summary.ledger
    yield "## Fates"
    yield ""
    yield "| fate | inputs | their blocks |"
    yield "|---|---:|---:|"
    counts = (
        (ledger.n_heard, f"{ledger.n_blocks:,}"),
        (ledger.n_refused, f"{ledger.n_blocks_refused:,}"),
        (ledger.n_outside, f"{ledger.n_blocks_outside:,}"),
        (ledger.n_not_reached, "unknown" if ledger.n_not_reached else "0"),
    )
    for words, (n_inputs, n_blocks) in zip(_FATES.values(), counts, strict=True):
        yield f"| {words} | {n_inputs:,} | {n_blocks} |"
    yield f"| all | {ledger.n_inputs:,} | {ledger.n_blocks_offered:,} |"
    for reason, n in sorted(ledger.refused.items()):
        yield f"| of those refused: `{reason}` | {n:,} | |"
    yield ""
    yield "An input that is refused at some point was heard up to there, and one that is cut by the span that was asked"
    yield "for was heard within it: their blocks have the fates that they met."
    yield ""


def _row(outcome: Outcome) -> str:
    ledger = outcome.ledger
    name = _code(outcome.item.name)
    fate = outcome.fate if outcome.refusal is None else f"refused: {outcome.refusal.reason}"
    cells = (
        outcome.item.sensor_id,
        name,
        fate,
        outcome.sample_rate,
        f"{outcome.heard_s:,.1f}",
        ledger.n_events,
        ledger.n_levels,
        ledger.n_health,
    )
    return f"| {' | '.join(map(str, cells))} |"
