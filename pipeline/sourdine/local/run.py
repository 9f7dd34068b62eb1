"""`sourdine run`: hears recordings or a pipe in stream time and writes down what the gates release.

Recordings are heard side by side and written one after the other: what left one is written at once when it has been
heard, in the order of the inputs, so that the output is the same for any number of jobs and an interrupted run can go
on.
"""

from __future__ import annotations

import hashlib
import queue
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from dsp_core.zone import BlockError, Classify, Describe

from sourdine.errors import ConfigError, OutputError, printable
from sourdine.flow import learn_background
from sourdine.local import journal
from sourdine.local.find import number, search
from sourdine.local.hearing import Hearing
from sourdine.local.inputs import Input, Refusal, open_source, refusal_of
from sourdine.local.interrupt import Interrupt
from sourdine.local.journal import Entry, Journal
from sourdine.local.report import write_report
from sourdine.local.summary import Summary
from sourdine.outgoing.jsonl import JsonlSink, lines_of
from sourdine.pcm import channel_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dsp_core.zone import AudioBlock, Background, Source

    from sourdine.config import RunSettings

#: Bytes of records that wait for an earlier recording; beyond it no new one is begun.
_MAX_WAITING: Final = 32_000_000


class Watch:
    """Someone who watches a run go on; this one looks away. Called from several threads."""

    def start(self, n_inputs: int, n_done: int) -> None:
        """Note how much there is.

        Parameters
        ----------
        n_inputs : int
            How many inputs.
        n_done : int
            How many of them an earlier run has done.
        """

    def heard(self, seconds: float) -> None:
        """Note that so much more was heard.

        Parameters
        ----------
        seconds : float
            Length of a block.
        """

    def done(self) -> None:
        """Note that one more input is done."""


class _Hall:
    """What all inputs of a run share: the classifiers, one for each job, and who may interrupt."""

    def __init__(
        self, settings: RunSettings, background: Background | None, watch: Watch, interrupt: Interrupt
    ) -> None:
        self.settings, self._background, self._watch, self._interrupt = settings, background, watch, interrupt
        self._classifiers: queue.SimpleQueue[Classify] = queue.SimpleQueue()
        for _ in range(settings.jobs):
            self._classifiers.put(Classify(policy=settings.policy.core))

    @property
    def is_interrupted(self) -> bool:
        return self._interrupt.requested

    def hear(self, item: Input) -> tuple[Hearing, dict[str, bytes]]:
        """Hear a recording to its end; its records as lines."""
        classify = self._classifiers.get()
        try:
            hearing = self.hearing(item, classify)
            records = [record for some in hearing.records() for record in some]
        finally:
            self._classifiers.put(classify)
        return hearing, lines_of(records)

    def hearing(self, item: Input, classify: Classify | None = None) -> Hearing:
        return Hearing(
            item,
            self.settings,
            classify or self._classifiers.get(),
            self._background,
            self._watch,
            self._interrupt,
        )


def run(settings: RunSettings, watch: Watch) -> Summary:
    """Hear every input and write its records down.

    Parameters
    ----------
    settings : RunSettings
        What to hear, under which policy, and where to write.
    watch : Watch
        Who is told how far it got.

    Returns
    -------
    Summary
        What was heard, released and refused.

    Raises
    ------
    ConfigError
        If an input is not there, there is none, the background recording cannot be heard, or an earlier run cannot be
        gone on with.
    OutputError
        If the records cannot be written down.
    """
    # Before anything is replaced: a mistyped path leaves earlier results alone.
    found = None if settings.pcm else search(settings.paths, settings.out)
    summary = Summary(settings, model_id=Classify(policy=settings.policy.core).model_id)
    background = _background(settings) if settings.background else None
    head = journal.identity(settings, summary.model_id, _hash(settings.background))
    with Interrupt() as interrupt:
        hall = _Hall(settings, background, watch, interrupt)
        with closing(Journal(settings.out, head, resume=settings.resume)) as book:
            if found is None:
                _hear_pipe(hall, summary)
            else:
                summary.aside_words = found.aside_words
                _hear_recordings(hall, found.files, book, summary, watch)
            summary.interrupted = interrupt.requested
            summary.ended = datetime.now(UTC)
            write_report(summary)
    return summary


def _hear_pipe(hall: _Hall, summary: Summary) -> None:
    """Write what leaves a pipe as it leaves."""
    summary.ledger.n_inputs = 1
    with closing(JsonlSink(hall.settings.out)) as sink:
        hearing = hall.hearing(Input(1, None, channel_of(hall.settings.channel)))
        for records in hearing.records():
            sink.write(records)
        summary.take(hearing.outcome)


def _hear_recordings(hall: _Hall, files: Sequence[Path], book: Journal, summary: Summary, watch: Watch) -> None:
    """Hear recordings side by side, and write down in their order what left them."""
    settings = hall.settings
    entries = book.entries
    numbers = {entry.key: entry.outcome.item.sensor_id for entry in entries}
    inputs = number(files, numbers, settings.channel)
    here = {item.key for item in inputs}
    # What was refused before anything of it was heard may have been mended since: it is tried again.
    known = {entry.key: entry for entry in entries if not (entry.is_refused_whole and entry.key in here)}
    for item in inputs:
        if item.key in known and known[item.key].stamp != item.stamp:
            words = f"--resume: {item.name} has changed since it was heard"
            raise ConfigError(f"{words}; leave --resume out to begin anew")
    for entry in known.values():
        summary.take(entry.outcome)
    left = [item for item in inputs if item.key not in known]
    summary.ledger.n_inputs = len(known) + len(left)
    watch.start(summary.ledger.n_inputs, len(known))
    sizes = book.sizes if settings.resume else None
    with closing(JsonlSink(settings.out, sizes)) as sink:
        for hearing, lines in _in_order(hall, left):
            if not hearing.is_complete:
                break  # what is done behind it waits for it: a run that goes on hears both, in their order
            watch.done()
            outcome = hearing.outcome
            book.write(Entry(outcome, outcome.item.key, outcome.item.stamp, sink.append(lines)))
            summary.take(outcome)
    summary.outcomes.sort(key=lambda outcome: outcome.item.sensor_id)


def _in_order(hall: _Hall, inputs: Sequence[Input]) -> Iterator[tuple[Hearing, dict[str, bytes]]]:
    """Hear inputs side by side, and give them in their order."""
    rest = iter(inputs)
    n_next = n_waiting = 0
    running: dict[Future[tuple[Hearing, dict[str, bytes]]], int] = {}
    done: dict[int, tuple[Hearing, dict[str, bytes]]] = {}
    n_begun = 0
    with ThreadPoolExecutor(hall.settings.jobs) as pool:
        while True:
            while len(running) <= hall.settings.jobs and (n_waiting < _MAX_WAITING or not running):
                item = None if hall.is_interrupted else next(rest, None)
                if item is None:
                    break
                running[pool.submit(hall.hear, item)] = n_begun
                n_begun += 1
            if not running and not done:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                place = running.pop(future)
                done[place] = future.result()
                n_waiting += sum(map(len, done[place][1].values()))
            while n_next in done:
                heard = done.pop(n_next)
                n_next += 1
                n_waiting -= sum(map(len, heard[1].values()))
                yield heard


def _background(settings: RunSettings) -> Background:
    path: Path | None = settings.background
    source = open_source(Input(1, path), None)
    if isinstance(source, Refusal):
        raise ConfigError(f"--background: {source.reason}: {source.text}")
    policy = settings.policy.core
    if not Describe(sensor_id=1, sample_rate=source.sample_rate, start_slot=0, policy=policy).hears_events:
        raise ConfigError(f"--background: expected at least 16000 Hz, got {source.sample_rate} Hz")
    try:
        return learn_background(
            _blocks(source, settings.block_s),
            sensor_id=1,
            sample_rate=source.sample_rate,
            policy=policy,
        )
    except BlockError as error:
        refusal = refusal_of(error)
        raise ConfigError(f"--background: {refusal.reason}: {refusal.text}") from None


def _blocks(source: Source, block_s: float) -> Iterator[AudioBlock]:
    max_samples = max(1, int(block_s * source.sample_rate))
    while (block := source.read(max_samples)) is not None:
        yield block


def _hash(path: Path | None) -> str | None:
    """Hash of a file's contents; they never stay in memory as a whole."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OutputError(f"cannot read {printable(str(path))}: {error.strerror}") from None
