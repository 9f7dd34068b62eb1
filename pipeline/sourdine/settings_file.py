"""Small TOML files that say where something is and who we are to it, and the files of passwords that they name."""

from __future__ import annotations

import ipaddress
import stat
import tomllib
from typing import TYPE_CHECKING, Any, Final

from sourdine.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAX_BYTES: Final = 64_000


def read_keys(path: Path) -> dict[str, str]:
    """Read a file of texts by name.

    Parameters
    ----------
    path : pathlib.Path
        In TOML.

    Returns
    -------
    dict of str to str
        As they stand there.

    Raises
    ------
    ConfigError
        If it cannot be read, is too long, is no TOML or holds anything but texts.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: expected a page of text")
        keys: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ConfigError(f"{path}: expected TOML") from None
    for name, value in keys.items():
        if not isinstance(value, str):
            raise ConfigError(f"{path}: {name}: expected a text in quotes")
    return keys


def check_names(path: Path, keys: Mapping[str, str], wanted: tuple[str, ...], optional: tuple[str, ...] = ()) -> None:
    """Refuse a file in which a name is missing or not known.

    Parameters
    ----------
    path : pathlib.Path
        Of the file, for the line that says it.
    keys : mapping of str to str
        What it holds.
    wanted : tuple of str
        Names that must be there.
    optional : tuple of str, default=()
        Names that may be there.

    Raises
    ------
    ConfigError
        If it does not fit.
    """
    unknown = keys.keys() - {*wanted, *optional}
    if unknown:
        raise ConfigError(f"{path}: unknown key {min(unknown)}; known: {', '.join((*optional, *wanted))}")
    for name in wanted:
        if name not in keys:
            raise ConfigError(f"{path}: {name} is missing")


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine.

    Parameters
    ----------
    host : str
        A name or an address.

    Returns
    -------
    bool
        False where it is not known.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_password(path: Path) -> str:
    """Read a password, if its owner alone may read the file.

    Parameters
    ----------
    path : pathlib.Path
        One line.

    Returns
    -------
    str
        Without the line end.

    Raises
    ------
    ConfigError
        If it is no such file.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ConfigError(f"password_file: {path} is no file")
        if mode & 0o077:
            raise ConfigError(f"password_file: {path} may be read by others than its owner: chmod 600 {path}")
        password = path.read_bytes()[:1026].rstrip(b"\r\n").decode("ascii")
    except OSError as error:
        raise ConfigError(f"password_file: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        password = ""
    if not (8 <= len(password) <= 1024 and password.isprintable()):
        raise ConfigError(f"password_file: {path}: expected one line of 8 to 1024 printable ASCII signs")
    return password
