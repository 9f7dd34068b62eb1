"""Key files: made, turned over and named. Python sees ids, never a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dsp_core.zone import BlockError, Sealer, create_key, key_ids, rotate_key

from sourdine.errors import ConfigError, words_of
from sourdine.files import refuse_other_than_file

if TYPE_CHECKING:
    from pathlib import Path

#: What can be done with a key file; each gives the ids of the keys that it then holds, the current key's first.
ACTIONS: Final = {"new": create_key, "rotate": rotate_key, "id": key_ids}


def do(action: str, path: Path) -> list[str]:
    """Do something with a key file.

    Parameters
    ----------
    action : str
        One of `ACTIONS`.
    path : pathlib.Path
        The file.

    Returns
    -------
    list of str
        Ids of its keys.

    Raises
    ------
    ConfigError
        If it cannot be read or written, is no key, or others may read it.
    """
    refuse_other_than_file(path)
    if action == "new" and path.exists():
        raise ConfigError(f"{path} is there already: sourdine key rotate gives it a new key, and keeps the old one")
    try:
        return ACTIONS[action](path)
    except BlockError as error:
        raise _refusal(path, error) from None


def sealer(path: Path) -> Sealer:
    """Return a sealer with the keys of a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    Sealer
        With a nonce of its own for each seal.

    Raises
    ------
    ConfigError
        If it cannot be read, is no key, or others may read it.
    """
    refuse_other_than_file(path)
    try:
        return Sealer(path)
    except BlockError as error:
        raise _refusal(path, error) from None


def _refusal(path: Path, error: BlockError) -> ConfigError:
    return ConfigError(f"{path}: {words_of(str(error), error.reason)}")
