"""What may come in again: a message is a record as this application writes it, to the byte, or it is refused.

The members are checked by the shipped schemas, and the message must be the canonical form of what they hold: nothing
can be said in an order, a blank, a second member of the same name or an id that does not fit.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import orjson

from sourdine.outgoing.cloudevents import Data, canonical

KINDS: Final = ("event", "level", "health")
#: Every way a message is refused.
REASONS: Final = ("too_long", "not_json", "not_a_record", "not_canonical", "other_key")

#: The longest record has some 350 bytes.
_MAX_BYTES: Final = 1024
_FOLDER: Final = Path(__file__).with_name("schemas")


class RefusedError(Exception):
    """A message that is no record.

    Parameters
    ----------
    reason : str
        One of `REASONS`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def admit(kind: str, key: bytes | None, value: bytes | None) -> Data:
    """Return the members of a record, if a message is nothing else.

    Parameters
    ----------
    kind : str
        What the topic holds: one of `KINDS`.
    key : bytes or None
        Of the message.
    value : bytes or None
        Of the message.

    Returns
    -------
    dict
        Members by name, in their order.

    Raises
    ------
    RefusedError
        If it is anything else.
    """
    if value is not None and len(value) > _MAX_BYTES:
        raise RefusedError("too_long")
    try:
        envelope = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        raise RefusedError("not_json") from None
    data = envelope.get("data") if isinstance(envelope, dict) else None
    if not (isinstance(data, dict) and _holds(_schema(kind), data)):
        raise RefusedError("not_a_record")
    if canonical(kind, {name: data[name] for name in _schema(kind)["required"]}) != value:
        raise RefusedError("not_canonical")
    if key != b"%d" % data["sensor_id"]:
        raise RefusedError("other_key")
    return data


@cache
def _schema(kind: str) -> dict[str, Any]:
    """Read what the shipped schema asks of `data`; only the words that it uses are understood here."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{kind}.json").read_text("utf-8"))["$defs"]["data"]
    return schema


def _holds(schema: dict[str, Any], data: dict[str, Any]) -> bool:
    """Say whether members are those of a schema, and fit what it says of each and of some together."""
    if data.keys() != schema["properties"].keys() or not _fit(schema, data):
        return False
    return all(_fit(rule["then" if _fit(rule["if"], data) else "else"], data) for rule in _rules(schema))


def _rules(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"else": {"properties": {}}} | rule for rule in schema.get("allOf", ())]


def _fit(part: dict[str, Any], data: dict[str, Any]) -> bool:
    return all(_fits(rule, data[name]) for name, rule in part["properties"].items())


def _fits(rule: dict[str, Any], value: Any) -> bool:
    """Say whether a member is one of a list, or a whole number within bounds: no float, and no truth value."""
    if type(value) not in (int, str, type(None)):
        return False
    if "const" in rule:
        return bool(value == rule["const"])
    if "enum" in rule:
        return value in rule["enum"]
    if value is None:
        return "null" in rule.get("type", "null")
    return isinstance(value, int) and rule["minimum"] <= value <= rule["maximum"]
