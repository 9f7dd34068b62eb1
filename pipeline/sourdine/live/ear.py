"""Who is told how live streams go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sourdine.operations.lines import Fact
    from sourdine.operations.told import Told
    from sourdine.outgoing.cloudevents import Record


class Ear:
    """Someone who is told how it goes; this one does not listen."""

    def note(self, told: Told, text: str, **facts: Fact) -> None:
        """Take a line about the stream: transport facts only.

        Parameters
        ----------
        told : Told
            What happened, for a log.
        text : str
            The same in words, for a person.
        **facts : int or Name
            For a log.
        """

    def left(self, records: list[Record]) -> None:
        """Take records that have just been written down.

        Parameters
        ----------
        records : list of Event, LevelRecord or SensorHealth
            What left.
        """
