"""The picture of one's own recording: in grey what went in and did not leave, in colour what left.

What left is not computed here: the recording goes through the same chain as in `sourdine run`, and the marks are the
records that it wrote.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sourdine.errors import ConfigError, printable
from sourdine.evidence.released import Released, read_released
from sourdine.evidence.spectrogram import Spectrogram, read_spectrogram
from sourdine.local.run import run
from sourdine.pcm import channel_of

if TYPE_CHECKING:
    from sourdine.config import RunSettings
    from sourdine.local.run import Watch
    from sourdine.local.summary import Summary
    from sourdine.policy import LoadedPolicy

#: Said on the terminal, in the picture and on the page.
WARNING = (
    "This picture is made from the recording and can reveal it: words can be rebuilt from a spectrogram. "
    "Treat it like the recording."
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What went into the chain and what came out, of a part of one recording.

    Parameters
    ----------
    name : str
        Name of the file, on one line.
    since_s, until_s : float
        The part that was heard.
    sample_rate : int
        In Hz.
    bits_in : int
        Bits of sound that went in.
    spectrogram : Spectrogram
        What went in, made from the recording.
    released : Released
        What came out, as it was written down.
    policy : LoadedPolicy
        Which says what may leave.
    """

    name: str
    since_s: float
    until_s: float
    sample_rate: int
    bits_in: int
    spectrogram: Spectrogram
    released: Released
    policy: LoadedPolicy


def refuse_other_than_recording(word: str) -> Path:
    """Return the path of a recording; live sound has no picture.

    Parameters
    ----------
    word : str
        What was typed.

    Returns
    -------
    pathlib.Path
        A regular file.

    Raises
    ------
    ConfigError
        If it is standard input, a pipe, a socket, a device, a folder, or not there.
    """
    path = Path(word)
    shown = printable(word)
    if word == "-":
        raise ConfigError("picture: expected a recording, got -: there are no pictures of live sound")
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        raise ConfigError(f"picture: expected a recording, and {shown} is not there") from None
    if stat.S_ISDIR(mode):
        raise ConfigError(f"picture: expected one recording, got the folder {shown}")
    if not stat.S_ISREG(mode):
        words = f"picture: expected a recording, got {shown}, a pipe, socket or device"
        raise ConfigError(f"{words}: there are no pictures of live sound")
    return path


def gather(settings: RunSettings, watch: Watch) -> Evidence | Summary:
    """Send a recording through the chain, and read it once more for its spectrogram.

    Parameters
    ----------
    settings : RunSettings
        One recording, the part of it and the policy; the records are written into a temporary folder, not into `out`.
    watch : Watch
        Who is told how far it got.

    Returns
    -------
    Evidence or Summary
        All that the picture needs; or, if the recording was not heard to its end, what became of it.
    """
    policy = settings.policy
    with TemporaryDirectory(prefix="sourdine-") as folder:
        summary = run(replace(settings, out=Path(folder)), watch)
        if summary.ledger.n_heard != 1:
            return summary
        released = read_released(Path(folder), policy.core)
    (outcome,) = summary.outcomes
    (path,) = settings.paths
    since_s = 0 if settings.since is None else settings.since.after(outcome.start_slot)
    until_s = since_s + outcome.heard_s
    return Evidence(
        name=printable(path.name),
        since_s=since_s,
        until_s=until_s,
        sample_rate=outcome.sample_rate,
        bits_in=summary.ledger.bits_in,
        spectrogram=read_spectrogram(path, channel_of(settings.channel), since_s, until_s),
        released=released,
        policy=policy,
    )


def evidence_facts(evidence: Evidence) -> dict[str, object]:
    """Return the numbers of a picture, for machines.

    Parameters
    ----------
    evidence : Evidence
        What went in and what left.

    Returns
    -------
    dict
        Names, numbers and the warning.
    """
    released = evidence.released
    return {
        "warning": WARNING,
        "policy": evidence.policy.core.name,
        "capacity_bit_per_s": evidence.policy.capacity.bit_per_s,
        "since_s": evidence.since_s,
        "until_s": evidence.until_s,
        "bits_in": evidence.bits_in,
        "bits_out": released.bits,
        "n_events": len(released.events),
        "n_levels": len(released.levels),
        "n_health": len(released.states),
    }
