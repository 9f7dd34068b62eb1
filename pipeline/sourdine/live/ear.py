"""Who is told how live streams go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sourdine.outgoing.cloudevents import Record


class Ear:
    """Someone who is told how it goes; this one does not listen."""

    def note(self, text: str) -> None:
        """Take a line about the stream: transport facts only.

        Parameters
        ----------
        text : str
            One line.
        """

    def left(self, records: list[Record]) -> None:
        """Take records that have just been written down.

        Parameters
        ----------
        records : list of Event, LevelRecord or SensorHealth
            What left.
        """
