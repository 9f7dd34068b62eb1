"""What a message must be to count as a record, against the shipped schemas and an independent validator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dsp_core.records import Event
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.chain import demo_records
from tests.unit.sourdine.outgoing.test_schemas import KINDS, schema

from sourdine.outgoing.admission import REASONS, RefusedError, admit
from sourdine.outgoing.cloudevents import canonical, encode

VALIDATORS = {kind: Draft202012Validator(schema(kind)) for kind in KINDS}
#: What a member may be changed to: near and far from what it may be.
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-200, 200), st.integers(), st.floats(allow_nan=False), st.text(max_size=9),
    st.sampled_from(["db", "dbfs", "horn", "glass_break", "laeq", "ok", "1.0", -96, -6, 30, 120, 0, 3]),
    st.sampled_from([2**32, 2**32 - 1, 253_402_300_799, 253_402_300_800]),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)  # fmt: skip


def verdict(kind: str, value: bytes, key: bytes | None) -> str:
    """Admit a message, or say why not."""
    try:
        admit(kind, key, value)
    except RefusedError as error:
        return REASONS[REASONS.index(error.reason)]
    return "admitted"


@pytest.mark.parametrize("kind", KINDS)
def test_every_released_record_is_admitted(kind: str) -> None:
    records = [record for record in demo_records() if isinstance(record, KINDS[kind])]
    assert records
    for record in records:
        value = encode(record)
        assert admit(kind, b"%d" % record.sensor_id, value) == json.loads(value)["data"]


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first example waits for the demo's records
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_members_are_admitted_exactly_where_the_schema_admits_them(kind: str, data: st.DataObject) -> None:
    sample = next(record for record in demo_records() if isinstance(record, KINDS[kind]))
    members: Any = json.loads(encode(sample))["data"]
    for name in data.draw(st.lists(st.sampled_from(sorted(members)), max_size=3)):
        members[name] = data.draw(VALUES)
    envelope = json.loads(encode(sample)) | {"data": members}
    is_number = type(members["slot"]) is int and 0 <= members["slot"] < 253_402_300_800
    try:
        value = canonical(kind, members) if is_number else b""
    except TypeError:  # nothing writes numbers of over 64 bits
        value = b""
    value = value or json.dumps(envelope, separators=(",", ":")).encode()
    is_whole = all(type(member) is not float for member in members.values())
    is_valid = is_whole and VALIDATORS[kind].is_valid(json.loads(value))
    key = b"%d" % members["sensor_id"] if isinstance(members["sensor_id"], int) else b""
    assert (verdict(kind, value, key) == "admitted") == is_valid


@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_a_changed_byte_is_refused_or_another_record(kind: str, data: st.DataObject) -> None:
    sample = next(record for record in demo_records() if isinstance(record, KINDS[kind]))
    value = bytearray(encode(sample))
    value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    if verdict(kind, bytes(value), b"%d" % sample.sensor_id) == "admitted":
        assert VALIDATORS[kind].is_valid(json.loads(value))
        assert canonical(kind, json.loads(value)["data"]) == bytes(value)


@given(value=st.binary(max_size=2000))
def test_anything_at_all_gets_a_verdict(value: bytes) -> None:
    assert verdict("event", value, b"1") != "admitted"


@pytest.mark.parametrize(
    "value",
    [b'{"a":1,"a":2}', b"1e999", b"NaN", b'"\\ud800"', b"[" * 1024, b'{"data":{"sensor_id":' + b"9" * 500 + b"}}"],
)
def test_unusual_json_gets_a_verdict(value: bytes) -> None:
    assert verdict("health", value, b"1") in {"not_json", "not_a_record"}


def test_a_second_member_of_a_name_is_refused() -> None:
    value = encode(next(record for record in demo_records() if isinstance(record, Event)))
    twice = value.replace(b'"data":{', b'"data":{"sensor_id":2,', 1)
    assert verdict("event", twice, b"1") == "not_canonical"
