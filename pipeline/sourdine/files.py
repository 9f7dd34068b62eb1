"""How files are written: in place of what had their name, never through a link or into what another name shares."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from sourdine.errors import ConfigError, OutputError, printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import FileIO
    from pathlib import Path

#: Held by the one process that writes into an output folder.
LOCK_NAME: Final = ".sourdine.lock"
#: Of a file that shows a recording, or that only its owner needs.
PRIVATE: Final = 0o600
#: Of a file that shows what left: as the machine has it for new files.
ORDINARY: Final = 0o666


def make_folder(folder: Path) -> None:
    """Make a folder if it is not there.

    Parameters
    ----------
    folder : pathlib.Path
        Those above it are made too.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = "it is a file, not a folder" if isinstance(error, FileExistsError) else error.strerror
        raise OutputError(f"cannot write into {printable(str(folder))}: {why}") from None


def lock_folder(folder: Path, names: Iterable[str]) -> FileIO:
    """Keep an output folder to this process, as long as what is returned stays open.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    names : iterable of str
        Of the files that will be written into it.

    Returns
    -------
    io.FileIO
        The lock.

    Raises
    ------
    ConfigError
        If another process has it, or a file of such a name is there and was not written under a lock like this: it may
        be anyone's.
    OutputError
        If it cannot be written into.
    """
    make_folder(folder)
    shown = printable(str(folder))
    if not (folder / LOCK_NAME).exists():
        for name in names:
            if _would_be_lost(folder / name):
                raise ConfigError(f"{shown} holds a file {name} that no run has written: choose another --out")
    try:
        lock = kept_file(folder / LOCK_NAME)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise
    except BlockingIOError:
        raise ConfigError(f"another sourdine writes into {shown}: wait for it, or choose another --out") from None
    except OSError as error:
        raise OutputError(f"cannot write into {shown}: {error.strerror}") from None
    return lock


def replace_file(path: Path, content: bytes, mode: int = ORDINARY) -> None:
    """Write a whole file, in place of what has its name: a process that is killed leaves the old one or the new one.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made if it is not there. A link of that name is replaced, and what it leads to stays as it is.
    content : bytes
        All of it.
    mode : int, default=ORDINARY
        Who may read it: `PRIVATE` or `ORDINARY`.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there stays.
    """
    half = path.with_name(f"{path.name}.{os.getpid()}.part")
    make_folder(path.parent)
    try:
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except OSError as error:
        with suppress(OSError):
            half.unlink()
        raise OutputError(f"cannot write {printable(str(path))}: {error.strerror}") from None


def new_file(path: Path) -> FileIO:
    """Open a new, empty file in place of a file or link of that name; a character device is written to as it is.

    Parameters
    ----------
    path : pathlib.Path
        Its name; the folder is there.

    Returns
    -------
    io.FileIO
        Unbuffered, for reading and writing.

    Raises
    ------
    OSError
        If it cannot be made, or something else has its name.
    """
    with suppress(OSError):  # a link may lead nowhere, or to a device that is not ours to write to
        if stat.S_ISCHR(path.stat().st_mode):
            return path.open("wb", buffering=0)
    with suppress(FileNotFoundError):
        if stat.S_IFMT(path.lstat().st_mode) in (stat.S_IFREG, stat.S_IFLNK):
            path.unlink()
    return path.open("x+b", buffering=0)


def kept_file(path: Path) -> FileIO:
    """Open a file to go on with; it is made if it is not there.

    Parameters
    ----------
    path : pathlib.Path
        Its name; the folder is there.

    Returns
    -------
    io.FileIO
        Unbuffered, for reading and writing, at its start.

    Raises
    ------
    ConfigError
        If it is a link or has another name too: what stands under that name would change with it. If it is no file.
    OSError
        If it cannot be opened.
    """
    with suppress(FileNotFoundError):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or (stat.S_ISREG(status.st_mode) and status.st_nlink > 1):
            raise ConfigError(f"{printable(str(path))} is a link: give its folder a copy of its own, or another --out")
    refuse_other_than_file(path)
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644), "r+b", buffering=0)


def refuse_other_than_file(path: Path) -> None:
    """Look at what will be opened: opening or reading a pipe, socket or device may never end.

    Parameters
    ----------
    path : pathlib.Path
        What need not be there.

    Raises
    ------
    ConfigError
        If it is something else than a file.
    """
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.stat().st_mode):
            raise ConfigError(f"{printable(str(path))}: expected a file, got a folder, pipe, socket or device")


def _would_be_lost(path: Path) -> bool:
    """Tell whether something would be gone for good if a new file took its name."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_size > 0
