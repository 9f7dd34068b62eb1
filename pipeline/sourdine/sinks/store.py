"""What keeps records, as the sink sees it: files or a database."""

from __future__ import annotations

from dataclasses import dataclass
from errno import errorcode
from typing import TYPE_CHECKING, Protocol, TypeAlias

from sourdine.operations.lines import Name, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sourdine.outgoing.cloudevents import Data

#: A topic, and the number of one of its partitions.
Place: TypeAlias = tuple[str, int]
#: Kind, sensor, slot, and the sound class or the metric: what no two records have in common.
Identity: TypeAlias = tuple[str, int, int, str]


class AwayError(Exception):
    """A store cannot be written to for now.

    Parameters
    ----------
    text : str
        What stands in the way.
    cause : BaseException or None, default=None
        What the system says of it.
    """

    def __init__(self, text: str, cause: BaseException | None = None) -> None:
        super().__init__(text)
        code = errorcode.get(cause.errno or 0) if isinstance(cause, OSError) else None
        #: For the log: the system's own name of it, or a type.
        self.reason = type_of(cause or self) if code is None else Name(code)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A record that came in.

    Parameters
    ----------
    kind : str
        ``event``, ``level`` or ``health``.
    data : dict
        Its members.
    value : bytes
        As it came, in its canonical form.
    received_ms : int
        When the broker took it, in milliseconds since 1970-01-01T00:00:00Z.
    """

    kind: str
    data: Data
    value: bytes
    received_ms: int

    @property
    def identity(self) -> Identity:
        """What no other record shares."""
        what = self.data.get("sound_class") or self.data.get("metric") or self.kind
        return self.kind, int(self.data["sensor_id"] or 0), int(self.data["slot"] or 0), str(what)


@dataclass(slots=True)
class Outcome:
    """What became of some records.

    Parameters
    ----------
    n_kept : int, default=0
        Of an id that was not there.
    n_duplicates : int, default=0
        There already, with the same bytes.
    n_conflicts : int, default=0
        There already, with other bytes: the first stays.
    conflict : tuple or None, default=None
        Identity of the last of these.
    """

    n_kept: int = 0
    n_duplicates: int = 0
    n_conflicts: int = 0
    conflict: Identity | None = None

    def note(self, identity: Identity, *, is_same: bool) -> None:
        """Count a record that is there already.

        Parameters
        ----------
        identity : tuple
            Of the record.
        is_same : bool
            Whether the first one has the same bytes.
        """
        if is_same:
            self.n_duplicates += 1
            return
        self.n_conflicts += 1
        self.conflict = identity

    def add(self, other: Outcome) -> None:
        """Add what became of others.

        Parameters
        ----------
        other : Outcome
            Of these.
        """
        self.n_kept += other.n_kept
        self.n_duplicates += other.n_duplicates
        self.n_conflicts += other.n_conflicts
        self.conflict = other.conflict or self.conflict


class Store(Protocol):
    """Keeps the first record of each id, and in the same act how far each partition was read."""

    async def open(self) -> None:
        """Get ready to write, and make what is missing."""

    async def places(self) -> dict[Place, int]:
        """Return the offset to go on from in each partition that was read before."""

    async def keep(self, records: list[Arrived], places: Mapping[Place, int]) -> Outcome:
        """Write records down, and how far was read: both, or nothing of either.

        Parameters
        ----------
        records : list of Arrived
            In the order in which they came.
        places : mapping of tuple to int
            Offset to go on from in each partition that they came from.
        """

    async def close(self) -> None:
        """Let go of everything."""


def firsts(records: Iterable[Arrived], outcome: Outcome) -> dict[Identity, Arrived]:
    """Return the first record of each id.

    Parameters
    ----------
    records : iterable of Arrived
        In the order in which they came.
    outcome : Outcome
        The others are counted there.

    Returns
    -------
    dict
        By id.
    """
    found: dict[Identity, Arrived] = {}
    for record in records:
        first = found.setdefault(record.identity, record)
        if first is not record:
            outcome.note(record.identity, is_same=first.value == record.value)
    return found
