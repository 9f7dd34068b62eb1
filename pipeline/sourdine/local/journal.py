"""The journal of a run: which inputs are done, so that an interrupted run goes on where it was."""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson
from dsp_core.records import __version__ as core_version

from sourdine import __version__
from sourdine.errors import ConfigError, OutputError, printable
from sourdine.files import kept_file, lock_folder, new_file
from sourdine.local.find import WRITTEN
from sourdine.local.inputs import Input, Refusal
from sourdine.local.summary import LevelRange, Outcome
from sourdine.policy import policy_id

if TYPE_CHECKING:
    from sourdine.config import RunSettings

FILE_NAME: Final = "journal.jsonl"
_FORMAT: Final = 2
_COUNTS: Final = (
    "n_heard",
    "n_outside",
    "n_blocks",
    "n_blocks_refused",
    "n_blocks_outside",
    "n_samples",
    "bits_in",
    "n_events",
    "n_levels",
    "n_health",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One input that is done.

    Parameters
    ----------
    outcome : Outcome
        What became of it.
    key : str
        Its absolute path, and for one channel of several its number.
    stamp : tuple of int
        Size and time of change of the file.
    sizes : dict of str to int
        Bytes of each record file once its records stood there.
    """

    outcome: Outcome
    key: str
    stamp: tuple[int, int]
    sizes: dict[str, int]

    @property
    def is_refused_whole(self) -> bool:
        """Whether it was refused before anything of it was heard."""
        return self.outcome.refusal is not None and self.outcome.ledger.n_blocks == 0


def identity(settings: RunSettings, model_id: str, background_id: str | None) -> dict[str, Any]:
    """Return everything that the records of a run depend on besides the recordings.

    Parameters
    ----------
    settings : RunSettings
        Of the run.
    model_id : str
        Hash of the classifier's weights.
    background_id : str or None
        Hash of the background recording.

    Returns
    -------
    dict
        Equal for runs that may go on with each other.
    """
    return {
        "format": _FORMAT,
        "sourdine": __version__,
        "dsp_core": core_version,
        "policy": settings.policy.core.name,
        "policy_id": policy_id(settings.policy),
        "model_id": model_id,
        "background": background_id,
        "full_scale_db": settings.full_scale_db,
        "channel": settings.channel,
        "start": settings.start_slot if settings.zone is None else f"auto, {settings.zone}",
        "since": settings.since and settings.since.words,
        "until": settings.until and settings.until.words,
    }


class Journal:
    """A file of one line for the run and one for each input that is done. One process at a time.

    Parameters
    ----------
    folder : pathlib.Path
        Of the output; made if it is not there.
    head : dict
        From `identity`.
    resume : bool
        Go on with what stands there; else begin anew.

    Raises
    ------
    ConfigError
        If another process writes there, or what stands there cannot be gone on with.
    OutputError
        If it cannot be written.
    """

    def __init__(self, folder: Path, head: dict[str, Any], *, resume: bool) -> None:
        self._path = folder / FILE_NAME
        self._entries: dict[str, Entry] = {}
        #: Bytes of each record file when the last input was done.
        self.sizes: dict[str, int] = {}
        with ExitStack() as stack:
            stack.enter_context(lock_folder(folder, WRITTEN))
            try:
                self._file = stack.enter_context(kept_file(self._path) if resume else new_file(self._path))
                if resume:
                    self._go_on(head, folder)
                else:
                    self._append(head)
            except OSError as error:
                raise OutputError(f"cannot write into {folder}: {error.strerror}") from None
            self._open = stack.pop_all()

    @property
    def entries(self) -> list[Entry]:
        """The inputs that are done, in the order of their numbers."""
        return sorted(self._entries.values(), key=lambda entry: entry.outcome.item.sensor_id)

    def write(self, entry: Entry) -> None:
        """Note that an input is done and its records are written.

        Parameters
        ----------
        entry : Entry
            The input.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        try:
            self._append(_as_json(entry))
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror}") from None

    def close(self) -> None:
        """Close the file, once it stands on the disk."""
        with suppress(OSError):
            os.fsync(self._file.fileno())
        self._open.close()

    def _append(self, document: dict[str, Any]) -> None:
        line = memoryview(orjson.dumps(document) + b"\n")
        self._file.seek(0, os.SEEK_END)
        while line:
            line = line[self._file.write(line) :]

    def _go_on(self, head: dict[str, Any], folder: Path) -> None:
        text = self._path.read_bytes()
        # A line that a killed process did not finish counts for nothing.
        lines = text[: text.rfind(b"\n") + 1].splitlines(keepends=True)
        if not lines:
            raise ConfigError(f"--resume: no earlier run in {folder}; leave --resume out to begin one")
        n_good = 0
        try:
            _check_head(orjson.loads(lines[0]), head, folder)
            n_good = len(lines[0])
            for line in lines[1:]:
                entry = _from_json(orjson.loads(line))
                if any(_size(folder / name) < size for name, size in entry.sizes.items()):
                    break  # the records did not reach the disk: it is heard anew
                self._entries[entry.key] = entry
                self.sizes = entry.sizes
                n_good += len(line)
        except (KeyError, TypeError, ValueError):
            raise ConfigError(f"--resume: {self._path} is damaged; leave --resume out to begin anew") from None
        self._file.truncate(n_good)


def _check_head(kept: dict[str, Any], head: dict[str, Any], folder: Path) -> None:
    for key, now in head.items():
        if kept[key] != now:
            was, now = ("none" if value is None else str(value)[:24] for value in (kept[key], now))
            words = f"--resume: the run in {printable(str(folder))} had {key} {was}, now it is {now}"
            raise ConfigError(f"{words}; choose another --out, or leave --resume out to begin anew")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _as_json(entry: Entry) -> dict[str, Any]:
    outcome = entry.outcome
    return {
        "sensor_id": outcome.item.sensor_id,
        "path": os.fsencode(str(outcome.item.path)).decode("latin-1"),
        "channel": [outcome.item.channel, outcome.item.is_one_of_several],
        "key": os.fsencode(entry.key).decode("latin-1"),
        "stamp": entry.stamp,
        "start_slot": outcome.start_slot,
        "sample_rate": outcome.sample_rate,
        "n_stated": outcome.n_stated,
        "hears_events": outcome.hears_events,
        "life_s": outcome.longest_life_s,
        "counts": {name: getattr(outcome.ledger, name) for name in _COUNTS},
        "refusal": None if outcome.refusal is None else [outcome.refusal.reason, outcome.refusal.text],
        "levels": {
            metric: [span.scale, span.lowest_db, span.highest_db, span.n_values, span.n_missing]
            for metric, span in outcome.levels.items()
        },
        "sizes": entry.sizes,
    }


def _from_json(document: dict[str, Any]) -> Entry:
    path, key = (os.fsdecode(document[name].encode("latin-1")) for name in ("path", "key"))
    channel, is_one_of_several = document["channel"]
    outcome = Outcome(Input(int(document["sensor_id"]), Path(path), channel, bool(is_one_of_several)))
    outcome.start_slot, outcome.sample_rate = int(document["start_slot"]), int(document["sample_rate"])
    outcome.n_stated, outcome.hears_events = document["n_stated"], bool(document["hears_events"])
    outcome.longest_life_s = float(document["life_s"])
    for name in _COUNTS:
        setattr(outcome.ledger, name, int(document["counts"][name]))
    if document["refusal"] is not None:
        reason, text = document["refusal"]
        outcome.refusal = Refusal(reason, text)
        outcome.ledger.refused[reason] += 1
    for metric, (scale, lowest, highest, n_values, n_missing) in document["levels"].items():
        span = outcome.levels[metric] = LevelRange(scale=scale)
        span.lowest_db, span.highest_db, span.n_values, span.n_missing = lowest, highest, n_values, n_missing
    size, changed = document["stamp"]
    return Entry(outcome, key, (int(size), int(changed)), {name: int(n) for name, n in document["sizes"].items()})
