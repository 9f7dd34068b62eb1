"""How pictures are written down: whole, in place of what had their name, never through a link."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sourdine.errors import OutputError
from sourdine.local.inputs import printable

if TYPE_CHECKING:
    from pathlib import Path

#: Of a file that shows a recording: its owner's alone.
PRIVATE: Final = 0o600
#: Of a file that shows what left: as the machine has it for new files.
ORDINARY: Final = 0o666


def replace_file(path: Path, content: bytes, mode: int) -> None:
    """Write a file, in place of one of that name.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made if it is not there. A link of that name is replaced, and what it leads to stays as it is.
    content : bytes
        All of it.
    mode : int
        Who may read it: `PRIVATE` or `ORDINARY`.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there stays.
    """
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(content)
            half.replace(path)
        except OSError:
            with suppress(OSError):
                half.unlink()
            raise
    except OSError as error:
        raise OutputError(f"cannot write {printable(str(path))}: {error.strerror}") from None
