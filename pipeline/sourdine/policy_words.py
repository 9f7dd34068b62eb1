"""A policy in words, and what it can carry in bits: for the person who answers for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sourdine.policy import SPEECH_BIT_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dsp_core.records import Policy

    from sourdine.policy import LoadedPolicy

#: The metrics as acousticians write them.
METRIC_NAMES: Final = {"laeq": "LAeq", "la10": "LA10", "la50": "LA50", "la90": "LA90"}


def policy_words(policy: LoadedPolicy) -> list[tuple[str, str]]:
    """Return what a policy says, as pairs of a heading and a sentence.

    Parameters
    ----------
    policy : LoadedPolicy
        A policy that stands.

    Returns
    -------
    list of (str, str)
        In the order in which they should be read.
    """
    core = policy.core
    from_hz, to_hz = core.speech_band_hz
    full_band = f"{_names(core.full_band_classes)}: heard with the speech band, and carrying no level"
    return [
        ("holds", "without an end date" if policy.valid_until is None else f"to the end of {policy.valid_until}"),
        ("may leave", _names(core.sound_classes)),
        ("full band", full_band if core.full_band_classes else "no class is heard with the speech band"),
        ("voices", _names(core.voice_classes)),
        ("events", _budget(core)),
        (
            "repeats",
            f"hits within {core.merge_gap_s} s are one event; what lasts is told again after {core.repeat_s} s",
        ),
        ("speech band", f"{from_hz:g} to {to_hz:g} Hz is dropped before an event is decided, and its level measured"),
        ("trigger", f"about {core.alarms_per_day:g} times a day and sensor something is looked at closely"),
        ("levels", _levels(core)),
        ("sensor state", f"every {core.health_period_s} s"),
    ]


def capacity_rows(policy: LoadedPolicy) -> list[tuple[str, float, float]]:
    """Return what one sensor can carry under a policy: what, bits in a clock hour, bit/s.

    Parameters
    ----------
    policy : LoadedPolicy
        A policy that stands.

    Returns
    -------
    list of (str, float, float)
        One row for each record type and one for all of them.
    """
    bits = policy.capacity
    rows = (
        ("events", bits.event_bits_per_hour),
        ("levels", bits.level_bits_per_hour),
        ("sensor states", bits.health_bits_per_hour),
        ("all together", bits.bits_per_hour),
    )
    return [(what, per_hour, per_hour / 3600) for what, per_hour in rows]


def capacity_words(policy: LoadedPolicy) -> str:
    """Return the sentences under the table of capacity.

    Parameters
    ----------
    policy : LoadedPolicy
        A policy that stands.

    Returns
    -------
    str
        The policy's own bound, its worst minute and hour, and what speech carries.
    """
    bits = policy.capacity
    return (
        f"The policy allows itself {policy.core.max_bit_per_s:g} bit/s. Events carry at most "
        f"{bits.worst_minute_bits:.0f} bits in a clock minute, and all records together at most "
        f"{bits.worst_unaligned_hour_bits:.0f} in an hour that begins at any second. Speech carries "
        f"{SPEECH_BIT_PER_S:g} bit/s: {SPEECH_BIT_PER_S / bits.bit_per_s:.0f} times as much."
    )


def _budget(core: Policy) -> str:
    text = f"at most {core.max_per_minute} in a clock minute and {core.max_per_hour} in a clock hour"
    if core.alert_classes:
        text += f", of which {core.reserved_per_minute} and {core.reserved_per_hour} are kept for "
        text += _names(core.alert_classes)
    return text


def _levels(core: Policy) -> str:
    return ", ".join(f"{METRIC_NAMES[metric]} every {period_s} s" for metric, period_s in core.levels) or "none"


def _names(names: Iterable[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names) or "none"
