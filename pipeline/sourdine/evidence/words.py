"""Numbers and records in the words of the pictures and pages."""

from __future__ import annotations

from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

from sourdine.local.view import CONFIDENCES, SCALE_NAMES, clock, count
from sourdine.policy_words import METRIC_NAMES

if TYPE_CHECKING:
    from sourdine.evidence.picture import Evidence
    from sourdine.evidence.released import EventMark, LevelStep, Released

#: Groups of thousands, so narrow that a number stays one word.
GROUP: Final = "\N{NARROW NO-BREAK SPACE}"
_MINUS: Final = "\N{MINUS SIGN}"


def grouped(number: float) -> str:
    """Return a whole number with its thousands set apart.

    Parameters
    ----------
    number : float
        Rounded to a whole one.

    Returns
    -------
    str
        For instance 23 040 000.
    """
    return f"{number:,.0f}".replace(",", GROUP)


def share_words(part: float, whole: float) -> str:
    """Return a small share in per cent, with one digit that says something.

    Parameters
    ----------
    part, whole : float
        Of what.

    Returns
    -------
    str
        For instance 0.00006 %.
    """
    per_cent = 100.0 * part / whole if whole else 0.0
    rounded = per_cent if per_cent >= 1.0 else float(f"{per_cent:.1g}")
    decimals = -floor(log10(rounded)) if 0.0 < rounded < 1.0 else 0
    return f"{rounded:.{decimals}f}{GROUP}%"


def class_words(sound_class: str) -> str:
    """Return a class as people write it.

    Parameters
    ----------
    sound_class : str
        One of the closed list.

    Returns
    -------
    str
        Without underscores.
    """
    return sound_class.replace("_", " ")


def decibels(level_db: int) -> str:
    """Return a level's number with the sign that stands for minus.

    Parameters
    ----------
    level_db : int
        Whole decibels.

    Returns
    -------
    str
        Without a unit.
    """
    return str(level_db).replace("-", _MINUS)


def level_words(record: EventMark | LevelStep, absent: str) -> str:
    """Return a record's level with its unit.

    Parameters
    ----------
    record : EventMark or LevelStep
        A record.
    absent : str
        What is said where it carries none.

    Returns
    -------
    str
        For instance −30 dBFS.
    """
    return absent if record.level_db is None else f"{decibels(record.level_db)} {SCALE_NAMES[record.scale]}"


def confidence_words(confidence: int) -> str:
    """Return what 0 to 3 mean.

    Parameters
    ----------
    confidence : int
        Of an event.

    Returns
    -------
    str
        From low to very high.
    """
    return CONFIDENCES[confidence]


def confidence_dots(confidence: int) -> str:
    """Return a confidence as one to four full dots.

    Parameters
    ----------
    confidence : int
        Of an event, 0 to 3.

    Returns
    -------
    str
        Four signs.
    """
    n_full = confidence + 1
    return n_full * "\N{BLACK CIRCLE}" + (len(CONFIDENCES) - n_full) * "\N{WHITE CIRCLE}"


def metric_words(metric: str, period_s: int) -> str:
    """Return a metric as acousticians write it.

    Parameters
    ----------
    metric : str
        One of the closed list.
    period_s : int
        What one value is over.

    Returns
    -------
    str
        For instance LAeq, 60 s.
    """
    return f"{METRIC_NAMES[metric]}, {period_s} s"


def count_words(released: Released) -> tuple[str, ...]:
    """Return how many records of each kind there are.

    Parameters
    ----------
    released : Released
        Records.

    Returns
    -------
    tuple of str
        For instance 3 events.
    """
    return (
        count(len(released.events), "event"),
        count(len(released.levels), "level"),
        count(len(released.states), "sensor state"),
    )


def span_words(evidence: Evidence) -> str:
    """Return the part of the recording that was heard, up to the second in which it ends.

    Parameters
    ----------
    evidence : Evidence
        What went in.

    Returns
    -------
    str
        For instance ``00:00:15 to 00:01:02``.
    """
    return f"{clock(evidence.since_s)} to {clock(ceil(evidence.until_s))}"


def headline(evidence: Evidence) -> str:
    """Return the two numbers that the picture is about, as a sentence.

    Parameters
    ----------
    evidence : Evidence
        What went in and what left.

    Returns
    -------
    str
        Without a full stop.
    """
    bits_in, bits_out = evidence.bits_in, evidence.released.bits
    return f"{grouped(bits_in)} bits in, {grouped(bits_out)} bits out: {share_words(bits_out, bits_in)}"
