"""The picture as a page: one file that loads nothing, with everything that left in tables."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING, Final

from sourdine.evidence.picture import WARNING
from sourdine.evidence.words import (
    class_words,
    confidence_words,
    count_words,
    headline,
    level_words,
    metric_words,
    span_words,
)
from sourdine.local.view import clock
from sourdine.policy import SPEECH_BIT_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sourdine.evidence.picture import Evidence

_STYLE: Final = """\
:root { color-scheme: light dark; --paper: #fff; --ink: #1f1f1f; --left: #b83b08; --soft: #5f5f5f; --line: #d0d0d0; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181a; --ink: #e8e8e8; --left: #ff9466; --soft: #a9a9a9; --line: #44484c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: clamp(1.4rem, 4vw, 2.2rem); line-height: 1.2; margin: 0 0 .5rem; }
h1 .in { color: var(--soft); }
h1 .out, h2.out { color: var(--left); }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.3rem; }
.warning { border-left: .35rem solid var(--left); padding: .5rem 1rem; font-weight: 600; }
figure { margin: 1.5rem 0; }
img { width: 100%; height: auto; display: block; background: #fff; border: 1px solid var(--line); }
figcaption { color: var(--soft); margin-top: .5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; }
caption { position: absolute; clip-path: inset(50%); }
th, td { text-align: left; padding: .25rem 1.5rem .25rem 0; border-bottom: 1px solid var(--line);
  font-variant-numeric: tabular-nums; white-space: nowrap; }
summary { cursor: pointer; font-weight: 600; }
"""


def write_page(evidence: Evidence, png: bytes) -> bytes:
    """Write the page.

    Parameters
    ----------
    evidence : Evidence
        What went in and what left.
    png : bytes
        The picture.

    Returns
    -------
    bytes
        HTML in UTF-8.
    """
    title = headline(evidence)
    into, out = title.split(", ", 1)
    parts = (
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{escape(evidence.name)}: {escape(title)}</title>",
        f"<style>\n{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f'<h1><span class="in">{escape(into)},</span> <span class="out">{escape(out)}</span></h1>',
        f'<p class="warning" role="note">{escape(WARNING)}</p>',
        *_figure(evidence, png),
        *_left(evidence),
        *_stayed(evidence),
        "</main>",
        "</body>",
        "</html>",
    )
    return "".join(f"{part}\n" for part in parts).encode()


def _figure(evidence: Evidence, png: bytes) -> Iterable[str]:
    seen = (
        f"Spectrogram of {evidence.name} in grey and hatched, marked as what did not leave. Over and under it, in "
        f"colour, what left: {', '.join(count_words(evidence.released))}. They stand in the tables below."
    )
    caption = (
        "Grey and hatched: the power of the sound over time and frequency, none of which left. In colour: the records "
        "that left. A flag is an event, with its class, its level where the policy gives one, and its confidence in "
        "one to four dots; its line stands at the second that the event tells. Steps are noise levels over a whole "
        "period, and the strip is what the sensor said of itself."
    )
    yield "<figure>"
    yield f'<img src="data:image/png;base64,{b64encode(png).decode()}" width="1800" height="1200" alt="{escape(seen)}">'
    yield f"<figcaption>{escape(caption)}</figcaption>"
    yield "</figure>"


def _left(evidence: Evidence) -> Iterable[str]:
    released = evidence.released
    events = [
        (
            clock(event.slot),
            class_words(event.sound_class),
            level_words(event, "none"),
            confidence_words(event.confidence),
        )
        for event in released.events
    ]
    levels = [
        (clock(level.slot), metric_words(level.metric, level.period_s), level_words(level, "missing"))
        for level in released.levels
    ]
    states = [(clock(state.slot), f"{state.period_s} s", state.state) for state in released.states]
    yield '<h2 class="out">What left</h2>'
    yield "<p>Everything, to the last bit: times are hours, minutes and seconds from the first sample.</p>"
    yield from _table("Events", ("second", "class", "level without the speech band", "confidence"), events)
    yield from _table("Noise levels", ("from", "metric", "level"), levels)
    yield from _table("Sensor states", ("from", "period", "state"), states)


def _table(caption: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    yield f"<details open><summary>{caption}: {len(rows) or 'none'}</summary>"
    if rows:
        yield f'<div class="wide" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>'
        yield "<thead><tr>" + "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>"
        for first, *rest in rows:
            cells = "".join(f"<td>{escape(cell)}</td>" for cell in rest)
            yield f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>'
        yield "</tbody></table></div>"
    yield "</details>"


def _stayed(evidence: Evidence) -> Iterable[str]:
    policy = evidence.policy
    bit_per_s = policy.capacity.bit_per_s
    sentences = (
        f"The recording is {evidence.name}, {span_words(evidence)}, at {evidence.sample_rate} Hz. It went through the "
        "same chain as in sourdine run, and the marks are the records that the chain wrote.",
        "Bits in are the samples that went in, each as large as in the file. Bits out are what the records can tell, "
        "an event's second within its hour counted in; which sensor it was is not.",
        f"Policy {policy.core.name} lets one sensor out with at most {bit_per_s:.3f} bit/s over a clock hour. Speech "
        f"carries {SPEECH_BIT_PER_S:g} bit/s, {SPEECH_BIT_PER_S / bit_per_s:.0f} times as much.",
        "The greys were not taken out of the chain, which shows its spectra to nobody: they were computed from the "
        "recording once more, for this page.",
    )
    yield "<h2>How to read this</h2>"
    yield from (f"<p>{escape(sentence)}</p>" for sentence in sentences)
