"""How a service ends where it may not go on: at once, with one line of its log and a code of its own."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final, NoReturn

from sourdine.operations.lines import tell
from sourdine.operations.told import Told

if TYPE_CHECKING:
    from sourdine.operations.lines import Fact

#: Nothing moves inside the process.
EXIT_HANGS: Final = 10
#: Messages wait and none is taken.
EXIT_STALLED: Final = 11
#: Another worker of the same name is there.
EXIT_NAME: Final = 12
#: Told to end, it could not do so in order within `END_S`.
EXIT_NOT_DRAINED: Final = 13

#: What ends in order has ended after this; supervisors kill what has not after twice as long.
END_S: Final = 5.0


def end(code: int, told: Told, **facts: Fact) -> NoReturn:
    """End the process at once; nothing more is committed.

    Parameters
    ----------
    code : int
        Exit code.
    told : Told
        Why.
    **facts : int or Name
        As `tell` takes them.
    """
    tell(told, **facts)
    os._exit(code)


def end_by(seconds: float = END_S) -> None:
    """See to it that the process is over after some time, whatever it waits for then.

    Parameters
    ----------
    seconds : float, default=END_S
        From now.
    """
    limit = threading.Timer(seconds, end, (EXIT_NOT_DRAINED, Told.NOT_DRAINED), {"seconds": round(seconds)})
    limit.daemon = True
    limit.start()
