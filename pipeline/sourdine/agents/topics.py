"""`sourdine topics`: the broker is compared with topics.toml, and made like it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Protocol

from sourdine.agents.difference import Change, Difference, Found, differences

if TYPE_CHECKING:
    from collections.abc import Callable

    from sourdine.topics import Layout

#: A change is acknowledged by the controller and seen at the brokers a little later.
_SETTLE_S: Final = 10.0
_LOOK_S: Final = 0.1


class Broker(Protocol):
    """What is asked of a broker: `Admin`, or a stand-in of the tests."""

    def read(self) -> Found:
        """Return what it has."""

    def make(self, change: Change) -> None:
        """Change one thing.

        Parameters
        ----------
        change : Change
            As found by comparing.
        """


def plan(broker: Broker, layout: Layout) -> list[Difference]:
    """Return what is not as it should be.

    Parameters
    ----------
    broker : Broker
        To be looked at.
    layout : Layout
        As it should be.

    Returns
    -------
    list of Difference
        Empty if all is well.
    """
    return differences(layout, broker.read())


def apply(broker: Broker, layout: Layout, made: Callable[[Difference], None]) -> list[Difference]:
    """Make a broker as it should be, and look again.

    Parameters
    ----------
    broker : Broker
        To be changed.
    layout : Layout
        As it should be.
    made : callable
        Told of each change once it is acknowledged.

    Returns
    -------
    list of Difference
        What is left: what only a person can do.
    """
    for difference in plan(broker, layout):
        if difference.change is not None:
            broker.make(difference.change)
            made(difference)
    deadline = time.monotonic() + _SETTLE_S
    while True:
        left = plan(broker, layout)
        if all(one.change is None for one in left) or time.monotonic() > deadline:
            return left
        time.sleep(_LOOK_S)
