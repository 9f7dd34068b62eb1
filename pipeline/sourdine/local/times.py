"""When a recording began, read off its name or its header: recorders write it there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

#: 20260504_210000, 2026-05-04T21-00-00Z, 20260504T210000+0200, 2026-05-04 21.00.00 and the like, not within longer
#: numbers. What is no offset that clocks have, such as -0017, is a number that follows.
_STAMP: Final = re.compile(
    r"(?<!\d)(\d{4})([-_.]?)(\d{2})\2(\d{2})[-_T .]?"  # the day, and what parts it from
    r"(\d{2})([-_:.h]?)(\d{2})\6(\d{2})(?!\d)(?:[.,]\d{1,6})?"  # the time
    r"(Z|[+-](?:0[1-9]|1[0-4])[-:.]?(?:00|15|30|45)(?!\d)|[+-]00[-:.]?00(?!\d))?(?![a-z])",  # from UTC
    re.IGNORECASE,
)


def slot_of_name(name: str, zone: str) -> int | None:
    """Return the second that a file's name gives for its first sample.

    Parameters
    ----------
    name : str
        For instance ``garden_20260504_210000.wav`` or ``20260504T210000+0200_REC.wav``.
    zone : str
        IANA name of the zone that a time is in that has no Z and no offset such as +0200 behind it. Of an hour that
        comes twice when clocks go back, the first is taken; an hour that is left out when they go forward is taken as
        the one after it.

    Returns
    -------
    int or None
        Seconds since 1970-01-01T00:00:00Z; None if the name holds no possible time of 1970 to 2999.
    """
    for found in _STAMP.finditer(name):
        year, _, month, day, hour, _, minute, second, offset = found.groups()
        try:
            moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))
        except ValueError:
            continue
        slot = int(moment.replace(tzinfo=_offset(offset) if offset else ZoneInfo(zone)).timestamp())
        if slot >= 0 and moment.year < 3000:
            return slot
    return None


def _offset(text: str) -> tzinfo:
    if text in "Zz":
        return UTC
    minutes = 60 * int(text[1:3]) + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def slot_of_header(recorded_at: str | None, zone: str) -> int | None:
    """Return the second that a recording's header gives for its first sample.

    Parameters
    ----------
    recorded_at : str or None
        From the source: ``2026-05-04T21:00:00``, with a Z if it is UTC.
    zone : str
        IANA name of the zone that a time without a Z is in.

    Returns
    -------
    int or None
        Seconds since 1970-01-01T00:00:00Z; None if the header says none.
    """
    return None if recorded_at is None else slot_of_name(recorded_at, zone)
