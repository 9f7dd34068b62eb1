"""A service's log: one JSON object a line on standard error, of listed events and of facts that cannot hold content.

There is no field for text. A fact is a number, or a name: a short word of letters, digits and a few signs that the code
that tells it has called a name. Bytes, arrays, floats and plain texts are refused, also inside a list.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson

from sourdine.operations.told import MEANINGS

if TYPE_CHECKING:
    from sourdine.operations.told import Told

_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_STDERR: Final = 2
_LARGEST: Final = 2**63


class Name(str):
    """A short word that names something: a topic, a reason, a type, a place in the code; never what someone sent.

    Parameters
    ----------
    text : str
        1 to 64 signs.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Name:
        """Refuse what is no name."""
        if not _NAME.fullmatch(text):
            raise ValueError("expected 1 to 64 letters, digits, dots, colons, hyphens and underscores")
        return super().__new__(cls, text)


Fact: TypeAlias = int | Name

#: Every field that a line may have beside time, level and event.
FIELDS: Final = {
    "stage": Name,
    "instance": Name,
    "placement": Name,
    "topic": Name,
    "reason": Name,
    "error": Name,
    "where": Name,
    "what": Name,
    "sensor": int,
    "partition": int,
    "slot": int,
    "seconds": int,
    "n": int,
    "n_events": int,
    "n_levels": int,
    "n_health": int,
}


def line_of(told: Told, now: float, **facts: Fact) -> bytes:
    """Return a line of the log.

    Parameters
    ----------
    told : Told
        What happened.
    now : float
        When, in seconds since 1970-01-01T00:00:00Z.
    **facts : int or Name
        By the names of `FIELDS`.

    Returns
    -------
    bytes
        A JSON object, and the end of the line.

    Raises
    ------
    TypeError
        If a field is not in the list, or is not of its type.
    """
    level, _ = MEANINGS[told]
    for field, fact in facts.items():
        wanted = FIELDS.get(field)
        if wanted is None or type(fact) is not wanted or (isinstance(fact, int) and abs(fact) >= _LARGEST):
            raise TypeError(f"{field}: no such field, or another type; nothing is shown of it")
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    names = {field: str(fact) if isinstance(fact, Name) else fact for field, fact in facts.items()}
    return orjson.dumps({"time": stamp, "level": str(level), "event": str(told), **names}) + b"\n"


def tell(told: Told, **facts: Fact) -> None:
    """Write a line into the log.

    Parameters
    ----------
    told : Told
        What happened.
    **facts : int or Name
        By the names of `FIELDS`.
    """
    line = line_of(told, time.time(), **facts)
    # Past sys.stderr, which a library may have taken over, and in one piece, so that lines of threads do not mix.
    with suppress(OSError):
        os.write(_STDERR, line)


def type_of(error: BaseException) -> Name:
    """Return the name of an exception's type: all that is told of one, as its words may hold what was worked on.

    Parameters
    ----------
    error : BaseException
        Any.

    Returns
    -------
    Name
        Of its type.
    """
    return Name(re.sub(r"[^A-Za-z0-9_]", "_", type(error).__name__)[:64].lstrip("_") or "error")
