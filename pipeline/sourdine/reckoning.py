"""What sensors say they sent against what the workers counted: each difference by name.

It knows nothing of how either side counts, and shares no code with them: it would not share a mistake either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    #: Of a sensor: offered, sent, dropped.
    Sent: TypeAlias = Mapping[str, int]
    #: Of a sensor: processed, rejected (by reason), late, duplicate, gap, held.
    Counted: TypeAlias = Mapping[str, int | Mapping[str, int]]

_STATES = ("processed", "late", "held")


def differences(sent: Mapping[int, Sent], counted: Mapping[int, Counted]) -> list[str]:
    """Name what does not add up.

    Parameters
    ----------
    sent : mapping of int to mapping
        By sensor, its own counts.
    counted : mapping of int to mapping
        By sensor, those of the workers.

    Returns
    -------
    list of str
        Empty if every block that was sent has one fate.
    """
    return [
        f"sensor {sensor}: {words}"
        for sensor in sorted(sent.keys() | counted.keys())
        for words in _of_sensor(sent.get(sensor), counted.get(sensor))
    ]


def totals(counted: Mapping[int, Counted]) -> dict[str, int]:
    """Add up the states of all sensors.

    Parameters
    ----------
    counted : mapping of int to mapping
        By sensor, the workers' counts.

    Returns
    -------
    dict of str to int
        By state.
    """
    found = {name: sum(_number(one, name) for one in counted.values()) for name in (*_STATES, "duplicate", "gap")}
    return found | {"rejected": sum(_rejected(one) for one in counted.values())}


def _of_sensor(sent: Sent | None, counted: Counted | None) -> Iterator[str]:
    if sent is None:
        yield "the workers counted it, and no sensor says that it sent"
        return
    if counted is None:
        if sent["sent"]:
            yield f"sent {sent['sent']} blocks, and the workers counted none"
        return
    n_came = sum(_number(counted, name) for name in _STATES) + _rejected(counted)
    n_twice, n_missing = _number(counted, "duplicate"), _number(counted, "gap")
    if n_came > sent["offered"]:
        yield f"{n_came - sent['offered']} more blocks came than it had: it was killed, or someone else sends as it"
    if n_came < sent["sent"]:
        yield f"{sent['sent'] - n_came} of the {sent['sent']} blocks that it sent have no fate"
    if n_missing > sent["offered"] - n_came + _rejected(counted):
        yield f"{n_missing} blocks count as missing, more than can be"
    if n_twice:
        yield f"{n_twice} blocks came again, and it sends each once"


def _rejected(counted: Counted) -> int:
    reasons = counted["rejected"]
    return 0 if isinstance(reasons, int) else sum(reasons.values())


def _number(counted: Counted, name: str) -> int:
    value = counted[name]
    return value if isinstance(value, int) else 0
