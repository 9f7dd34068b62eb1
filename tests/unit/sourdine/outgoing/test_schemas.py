"""The shipped schemas are closed: they admit every released record, and nothing that could carry words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dsp_core.records import HEALTH_STATES, METRICS, SOUND_CLASSES, Event, LevelRecord, SensorHealth
from jsonschema import Draft202012Validator, ValidationError
from tests.chain import demo_records

import sourdine.outgoing
from sourdine.outgoing.cloudevents import encode

FOLDER = Path(sourdine.outgoing.__file__).parent / "schemas"
KINDS: dict[str, type] = {"event": Event, "level": LevelRecord, "health": SensorHealth}


def schema(kind: str) -> dict[str, Any]:
    """Read a shipped schema."""
    loaded: dict[str, Any] = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    return loaded


def validator(kind: str) -> Any:
    """Make a validator, after a look at the schema itself."""
    Draft202012Validator.check_schema(schema(kind))
    return Draft202012Validator(schema(kind))


def parts(node: Any) -> Iterator[dict[str, Any]]:
    """Walk every schema inside a schema."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from parts(child)


def example(kind: str) -> dict[str, Any]:
    """Take one released record of a kind."""
    record = next(record for record in demo_records() if isinstance(record, KINDS[kind]))
    loaded: dict[str, Any] = json.loads(encode(record))
    return loaded


def test_the_three_schemas_are_all_there_are() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_released_record_validates(kind: str) -> None:
    for record in demo_records():
        if isinstance(record, KINDS[kind]):
            validator(kind).validate(json.loads(encode(record)))


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_is_closed(kind: str) -> None:
    objects = [part for part in parts(schema(kind)) if part.get("type") == "object"]
    assert len(objects) == 2
    for part in objects:
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])


@pytest.mark.parametrize("kind", KINDS)
def test_no_free_text_no_float_no_list(kind: str) -> None:
    for part in parts(schema(kind)):
        types = part.get("type", [])
        kinds = {types} if isinstance(types, str) else set(types) if isinstance(types, list) else set()
        assert kinds <= {"object", "string", "integer", "null"}
        if "string" in kinds:
            assert part["maxLength"] <= 46
            # Every repetition is counted, and no sign is left open.
            assert part["pattern"].startswith("^")
            assert part["pattern"].endswith("$")
            assert not re.search(r"[*+.]|\\[wWsSdD]|\[\^|\{\d+,\}", part["pattern"])
        if "integer" in kinds:
            assert part["minimum"] < part["maximum"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_member_is_constant_listed_or_bounded(kind: str) -> None:
    properties = [part["properties"] for part in parts(schema(kind)) if part.get("type") == "object"]
    for name, member in ((name, member) for members in properties for name, member in members.items()):
        assert name == "data" or {"const", "enum", "pattern", "maximum"} & set(member), name


def test_lists_are_those_of_the_core() -> None:
    data = {kind: schema(kind)["$defs"]["data"]["properties"] for kind in KINDS}
    assert data["event"]["sound_class"]["enum"] == list(SOUND_CLASSES)
    assert data["level"]["metric"]["enum"] == list(METRICS)
    assert data["health"]["state"]["enum"] == list(HEALTH_STATES)


INTRUSIONS: dict[str, dict[str, Any]] = {
    "extra member": {"comment": "heard two people talk"},
    "id with words": {"id": "1/1970-01-01T00:00:00Z/heard two people talk"},
    "long source": {"source": "/sensors/12345678901"},
    "time with a fraction": {"time": "1970-01-01T00:00:00.123Z"},
    "other type": {"type": "org.sourdine.clip.v1"},
    "text as data": {"data": "heard two people talk"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("changes", INTRUSIONS.values(), ids=INTRUSIONS.keys())
def test_intrusion_into_the_envelope_is_refused(kind: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        validator(kind).validate(example(kind) | changes)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", ["heard two people talk", 0.5, -1, 2**40, True, None, [1], {"a": 1}])
def test_intrusion_into_the_data_is_refused(kind: str, value: Any) -> None:
    good = example(kind)
    for name in good["data"]:
        if value is None and name == "level_db":
            continue
        if (name == "slot" and value == 2**40) or (name == "level_db" and value == -1 and kind == "level"):
            value = 2**60
        with pytest.raises(ValidationError):
            validator(kind).validate(good | {"data": good["data"] | {name: value}})
