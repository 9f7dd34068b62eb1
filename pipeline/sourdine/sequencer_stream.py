"""The blocks between two boots of one sensor: whose turn it is, what waits for its turn, and what was given up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

#: Of one stream; what lies in one that is forgotten counts as a duplicate when it comes.
MAX_GAPS: Final = 64

Message = TypeVar("Message")


@dataclass(slots=True)
class Stream(Generic[Message]):
    """The blocks between two boots of a sensor.

    Parameters
    ----------
    boot_ns : int
        When it began, since 1970-01-01T00:00:00Z.
    next : int or None
        Sequence of the block whose turn it is; None as long as it is not known where the stream began.
    first : int, default=0
        What lies before it has no place.
    """

    boot_ns: int
    next: int | None
    first: int = 0
    #: By sequence; None for what is late already, and only keeps its place.
    held: dict[int, Message | None] = field(default_factory=dict, init=False)
    #: When the oldest of what is held came.
    held_since_ms: dict[int, int] = field(default_factory=dict, init=False)
    gaps: list[range] = field(default_factory=list, init=False)

    def skip_to(self, sequence: int) -> int:
        """Give up what is missing before a block, and say how many those are.

        Parameters
        ----------
        sequence : int
            Of the block.
        """
        if self.next is None:
            self.next = self.first = sequence
        missing = range(self.next, sequence)
        if missing:
            self.gaps = [*self.gaps, missing][-MAX_GAPS:]
        self.next = max(self.next, sequence)
        return len(missing)

    def fill(self, sequence: int) -> bool:
        """Say whether a block was given up, and forget that it was.

        Parameters
        ----------
        sequence : int
            Of the block.
        """
        for at, gap in enumerate(self.gaps):
            if sequence in gap:
                parts = (range(gap.start, sequence), range(sequence + 1, gap.stop))
                self.gaps[at : at + 1] = [part for part in parts if part]
                self.gaps = self.gaps[-MAX_GAPS:]
                return True
        return False

    def kept(self, kafka_offset_of: Callable[[Message], int]) -> dict[str, Any]:
        """Return it as plain values; what is held by its time and place at the broker.

        Parameters
        ----------
        kafka_offset_of : callable
            Where a message that is held can be read again.
        """
        held = [
            (sequence, self.held_since_ms[sequence], None if message is None else kafka_offset_of(message))
            for sequence, message in self.held.items()
        ]
        gaps = [(gap.start, gap.stop) for gap in self.gaps]
        return {"boot_ns": self.boot_ns, "next": self.next, "first": self.first, "held": held, "gaps": gaps}

    @classmethod
    def restored(cls, kept: dict[str, Any], at: Callable[[int], Message]) -> Stream[Message]:
        """Return a stream that was kept.

        Parameters
        ----------
        kept : dict
            From `kept`.
        at : callable
            Gives what stands for the message at a place at the broker.
        """
        stream = cls(kept["boot_ns"], kept["next"], kept["first"])
        for sequence, since_ms, kafka_offset in kept["held"]:
            stream.held[sequence] = None if kafka_offset is None else at(kafka_offset)
            stream.held_since_ms[sequence] = since_ms
        stream.gaps = [range(*gap) for gap in kept["gaps"]]
        return stream
