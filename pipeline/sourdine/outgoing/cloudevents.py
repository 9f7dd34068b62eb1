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
#: Members of a record, by name.
Data: TypeAlias = dict[str, int | str | None]

#: The member that tells records of one sensor and second apart, and stands in their id.
_WHAT: Final = {"event": "sound_class", "level": "metric"}

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
    kind, data = _parts(record)
    return canonical(kind, {"sensor_id": record.sensor_id, "slot": record.slot, **data})


def canonical(kind: str, data: Data) -> bytes:
    """Return the one form in which a record stands on the wire and in files: everything around it follows from it.

    Parameters
    ----------
    kind : str
        ``event``, ``level`` or ``health``.
    data : dict
        Members of the record, in their order.

    Returns
    -------
    bytes
        One line of JSON without the line end.
    """
    sensor_id, time = data["sensor_id"], slot_time(int(data["slot"] or 0))
    envelope = {
        "specversion": "1.0",
        "id": f"{sensor_id}/{time}/{data[_WHAT[kind]] if kind in _WHAT else kind}",
        "source": f"/sensors/{sensor_id}",
        "type": f"org.sourdine.{kind}.v1",
        "time": time,
        "datacontenttype": "application/json",
        "dataschema": f"urn:sourdine:{kind}:v1#data",
        "data": data,
    }
    return orjson.dumps(envelope)


def _parts(record: Record) -> tuple[str, Data]:
    if isinstance(record, Event):
        event: Data = {
            "sound_class": record.sound_class,
            "level_db": record.level_db,
            "scale": record.scale,
            "confidence": record.confidence,
        }
        return "event", event
    if isinstance(record, LevelRecord):
        level: Data = {"metric": record.metric, "level_db": record.level_db, "scale": record.scale}
        return "level", level
    if isinstance(record, SensorHealth):
        return "health", {"state": record.state}
    raise TypeError(f"only a released record can leave, not {type(record).__name__}")
