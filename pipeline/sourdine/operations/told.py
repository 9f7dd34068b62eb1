"""Every event that a service's log may name, how bad it is, and what it means."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """How much an event asks of whoever reads it."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Told(StrEnum):
    """What may be told. Nothing else can be."""

    STARTED = "started"
    ASSIGNED = "assigned"
    READS = "reads"
    STOPPING = "stopping"
    STOPPED = "stopped"
    LIBRARY = "library"
    FAULT = "fault"
    SEND_FAILED = "send_failed"
    HANGS = "hangs"
    STALLED = "stalled"
    NAME_TAKEN = "name_taken"
    NOT_DRAINED = "not_drained"
    DELETED = "deleted"
    BROKER_AWAY = "broker_away"
    BROKER_BACK = "broker_back"
    SENDER_FAULT = "sender_fault"
    RECORDS_GIVEN_UP = "records_given_up"
    WINDOWS_LOST = "windows_lost"
    BEGUN_ANEW = "begun_anew"
    STATE_REFUSED = "state_refused"
    HEARING = "hearing"
    STREAM_ENDED = "stream_ended"
    NOT_HEARD = "not_heard"
    NO_SOURCE = "no_source"
    RESTING = "resting"
    STREAM_OUT = "stream_out"
    REFUSED = "refused"
    CONFLICT = "conflict"
    MADE_ANEW = "made_anew"
    GONE = "gone"
    STORE_AWAY = "store_away"
    STORE_BACK = "store_back"


#: The docs hold the same list, and a test compares them.
MEANINGS: Final = {
    Told.STARTED: (Level.INFO, "it begins; settings, topics and rights are as they should be"),
    Told.ASSIGNED: (Level.INFO, "a worker was given partitions: `n` of them"),
    Told.READS: (Level.INFO, "a sink reads"),
    Told.STOPPING: (Level.INFO, "it was told to end, and finishes what it has begun"),
    Told.STOPPED: (Level.INFO, "it has ended in order; a gateway counts the records that left"),
    Told.LIBRARY: (
        Level.WARNING,
        "a library complained, `n` times; its words may hold anything, and stay out",
    ),
    Told.FAULT: (Level.ERROR, "a fault of ours, of the type `error`: it ends, and reads its input again"),
    Told.SEND_FAILED: (Level.ERROR, "a message to `topic` was not sent: it ends before it commits"),
    Told.HANGS: (Level.ERROR, "nothing moved inside the process for `seconds`: it ends"),
    Told.STALLED: (Level.ERROR, "messages wait, and none was taken for `seconds`: it ends"),
    Told.NAME_TAKEN: (Level.ERROR, "another worker of this stage has the same name: it ends; names must differ"),
    Told.NOT_DRAINED: (Level.ERROR, "it could not end in order within `seconds`, and ends: its input is read again"),
    Told.DELETED: (Level.ERROR, "the broker deleted messages before they were read: workers are too few, or were away"),
    Told.BROKER_AWAY: (Level.WARNING, "the broker does not answer; a gateway's records wait on the disk"),
    Told.BROKER_BACK: (Level.INFO, "it answers again, after `seconds`; `n` records waited"),
    Told.SENDER_FAULT: (Level.WARNING, "the broker refused with `error`: tried again each second"),
    Told.RECORDS_GIVEN_UP: (Level.ERROR, "`n` records waited for a day and are given up"),
    Told.WINDOWS_LOST: (
        Level.WARNING,
        "windows were lost; `n` is given for ten sensors or more, once an hour at most",
    ),
    Told.BEGUN_ANEW: (Level.INFO, "the sensor had no state, or one of another calibration: it begins anew"),
    Told.STATE_REFUSED: (Level.WARNING, "the sensor's state was refused for `reason`: it begins anew"),
    Told.HEARING: (Level.INFO, "the sensor is heard, from the second `slot` of 1970 on"),
    Told.STREAM_ENDED: (Level.INFO, "a stretch of the sensor's sound is over, for `reason`"),
    Told.NOT_HEARD: (Level.WARNING, "no sound of the sensor has come since the start, `seconds` ago"),
    Told.NO_SOURCE: (Level.WARNING, "the sensor's pipe, port or file cannot be opened"),
    Told.RESTING: (Level.WARNING, "the sensor's source broke, or is not live: left alone for `seconds`"),
    Told.STREAM_OUT: (Level.ERROR, "a fault of ours, of the type `error`: the sensor is out until the next start"),
    Told.REFUSED: (Level.WARNING, "`n` messages were refused by a sink for `reason`"),
    Told.CONFLICT: (Level.ERROR, "`n` records came again with other contents; the last is `sensor`, `slot`, `what`"),
    Told.MADE_ANEW: (Level.WARNING, "`topic` was made anew: `partition` is read from its beginning"),
    Told.GONE: (Level.ERROR, "the broker deleted `n` messages of `topic` before a sink read them"),
    Told.STORE_AWAY: (Level.WARNING, "database or disk take nothing: the sink waits"),
    Told.STORE_BACK: (Level.INFO, "they take records again"),
}
