"""`sourdine demo`: a synthetic street goes through the real chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sourdine.errors import OutputError
from sourdine.files import make_folder
from sourdine.local.scene import DURATION_S, street_scene, write_wav

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME: Final = "synthetic-street.wav"

OPENING_WORDS: Final = f"""\
A synthetic street, {DURATION_S} s: traffic, rain, steps, voices that say nothing, a horn,
breaking glass, a shot and a siren. It is computed, nobody ever spoke in it, and so
it is kept for you to listen to. What follows is the real chain; what the policy
does not name, such as the shot, does not leave.

"""

_CLOSING_WORDS: Final = """
What next:
  {sourdine} demo recording.wav
      hear recordings of your own: files or folders of WAV, FLAC, OGG, MP3, M4A
  arecord -t raw -f S16_LE -r 16000 | {sourdine} demo - --rate 16000
      hear a microphone
  {sourdine} policy show street
      what may leave, in words and in bits
  {sourdine} run --help
      everything else
"""


def closing_words(sourdine: str) -> str:
    """Return what is said at the end.

    Parameters
    ----------
    sourdine : str
        What is typed for the command here.

    Returns
    -------
    str
        Whole lines.
    """
    return _CLOSING_WORDS.format(sourdine=sourdine)


def write_scene(folder: Path) -> Path:
    """Compute the scene and write it down.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.

    Returns
    -------
    pathlib.Path
        The WAV file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = folder / FILE_NAME
    make_folder(folder)
    try:
        write_wav(path, street_scene())
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from None
    return path
