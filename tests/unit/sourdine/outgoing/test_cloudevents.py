from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from dsp_core.records import Event, LevelRecord, SensorHealth
from tests.chain import blocks_of, demo_records
from tests.sounds import noise

from sourdine.outgoing.cloudevents import encode, slot_time


def records_of(kind: type) -> list[Any]:
    """Take the demo scene's records of one kind; there must be some."""
    found = [record for record in demo_records() if isinstance(record, kind)]
    assert found
    return found


@pytest.mark.parametrize("kind", [Event, LevelRecord, SensorHealth])
def test_data_is_the_record_itself(kind: type) -> None:
    for record in records_of(kind):
        data = json.loads(encode(record))["data"]
        assert data == {key: getattr(record, key) for key in data}
        fields = {name for name in dir(record) if not name.startswith("_")}
        assert set(data) == fields


@pytest.mark.parametrize("kind", [Event, LevelRecord, SensorHealth])
def test_envelope_follows_from_who_and_when(kind: type) -> None:
    for record in records_of(kind):
        event = json.loads(encode(record))
        assert event["specversion"] == "1.0"
        assert event["source"] == f"/sensors/{record.sensor_id}"
        assert datetime.fromisoformat(event["time"]) == datetime.fromtimestamp(record.slot, UTC)
        assert event["id"].startswith(f"{record.sensor_id}/{event['time']}/")
        assert event["dataschema"].startswith("urn:sourdine:")


def test_ids_are_unique() -> None:
    envelopes = [json.loads(encode(record)) for record in demo_records()]
    assert len({(event["source"], event["id"]) for event in envelopes}) == len(envelopes)


def test_equal_records_give_equal_bytes() -> None:
    assert [encode(record) for record in demo_records()] == [encode(record) for record in demo_records()]


def test_no_number_has_a_fraction() -> None:
    def refuse(text: str) -> NoReturn:
        raise AssertionError(f"a float left: {text}")

    for record in demo_records():
        json.loads(encode(record), parse_float=refuse, parse_constant=refuse)


def strangers() -> list[Any]:
    """Things that are no released record, some of which look like one."""
    fields = {"sensor_id": 1, "slot": 0, "sound_class": "horn", "level_db": None, "scale": "dbfs", "confidence": 0}
    return [None, b"x", "text", 1.5, fields, SimpleNamespace(**fields), blocks_of(noise(0.5))[0], object()]


@pytest.mark.parametrize("stranger", strangers(), ids=lambda thing: type(thing).__name__)
def test_nothing_but_records_is_encoded(stranger: Any) -> None:
    with pytest.raises((TypeError, AttributeError)):
        encode(stranger)


def test_records_cannot_be_made_or_subclassed_in_python() -> None:
    for kind in (Event, LevelRecord, SensorHealth):
        with pytest.raises(TypeError):
            kind()
        with pytest.raises(TypeError):
            type("Forged", (kind,), {})


def test_slot_time_is_rfc_3339() -> None:
    assert slot_time(0) == "1970-01-01T00:00:00Z"
    assert slot_time(253_402_300_799) == "9999-12-31T23:59:59Z"
