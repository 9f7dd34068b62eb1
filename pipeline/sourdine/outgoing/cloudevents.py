"""The three open records as CloudEvents 1.0, structured JSON.

A record's `data` is the closed record itself; everything around it follows from who and when. The schemas beside this
file are closed: every member is a constant, a member of a list, a bounded integer or a time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import orjson
from dsp_core.records import Event, LevelRecord, SensorHealth

Record: TypeAlias = Event | LevelRecord | SensorHealth
_Data: TypeAlias = dict[str, int | str | None]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def slot_time(slot: int) -> str:
    """Return a slot as a time.

    Parameters
    ----------
    slot : int
        Seconds since 1970-01-01T00:00:00Z.

    Returns
    -------
    str
        RFC 3339 in UTC, on the whole second.
    """
    return (_EPOCH + timedelta(seconds=slot)).strftime("%Y-%m-%dT%H:%M:%SZ")


def encode(record: Record) -> bytes:
    """Return a record as one CloudEvent in JSON.

    Parameters
    ----------
    record : Event, LevelRecord or SensorHealth
        A record that a gate of the core has minted.

    Returns
    -------
    bytes
        One line of JSON without the line end; equal records give equal bytes.

    Raises
    ------
    TypeError
        If it is anything else: only minted records leave.
    """
    kind, what, data = _parts(record)
    time = slot_time(record.slot)
    envelope = {
        "specversion": "1.0",
        "id": f"{record.sensor_id}/{time}/{what}",
        "source": f"/sensors/{record.sensor_id}",
        "type": f"org.sourdine.{kind}.v1",
        "time": time,
        "datacontenttype": "application/json",
        "dataschema": f"urn:sourdine:{kind}:v1#data",
        "data": {"sensor_id": record.sensor_id, "slot": record.slot, **data},
    }
    return orjson.dumps(envelope)


def _parts(record: Record) -> tuple[str, str, _Data]:
    if isinstance(record, Event):
        event: _Data = {
            "sound_class": record.sound_class,
            "level_db": record.level_db,
            "scale": record.scale,
            "confidence": record.confidence,
        }
        return "event", record.sound_class, event
    if isinstance(record, LevelRecord):
        level: _Data = {"metric": record.metric, "level_db": record.level_db, "scale": record.scale}
        return "level", record.metric, level
    if isinstance(record, SensorHealth):
        return "health", "health", {"state": record.state}
    raise TypeError(f"only a released record can leave, not {type(record).__name__}")
