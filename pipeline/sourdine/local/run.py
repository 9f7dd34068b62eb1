"""`sourdine run`: hears files or a pipe in stream time and writes down what the gates release."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsp_core.zone import BlockError, Classify, Describe, Source

from sourdine.errors import ConfigError
from sourdine.flow import Flow, learn_background
from sourdine.local.inputs import Input, Refusal, find_inputs, open_source, refusal_of
from sourdine.local.interrupt import Interrupt, PatientReader
from sourdine.local.summary import Outcome, Summary
from sourdine.outgoing.jsonl import JsonlSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dsp_core.zone import AudioBlock, Background

    from sourdine.config import RunSettings


class Watch:
    """Someone who watches a run go on; this one looks away."""

    def begin(self, item: Input, n_inputs: int, total_s: float | None) -> None:
        """Note that an input was opened.

        Parameters
        ----------
        item : Input
            The input.
        n_inputs : int
            How many there are.
        total_s : float or None
            Its length; None for a pipe.
        """

    def heard(self, seconds: float) -> None:
        """Note that so much more of it was heard.

        Parameters
        ----------
        seconds : float
            Length of a block.
        """


@dataclass(frozen=True, slots=True)
class _Desk:
    """What all inputs of a run share."""

    settings: RunSettings
    classify: Classify
    background: Background | None
    sink: JsonlSink
    summary: Summary
    watch: Watch
    interrupt: Interrupt


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
        If there is no input, or the background recording cannot be heard.
    OutputError
        If the records cannot be written down.
    """
    inputs = (Input(1, None),) if settings.pcm else find_inputs(settings.paths, settings.out)
    classify = Classify(policy=settings.policy.core)
    background = _background(settings) if settings.background else None
    summary = Summary(settings)
    summary.ledger.n_inputs = len(inputs)
    with Interrupt() as interrupt, closing(JsonlSink(settings.out)) as sink:
        desk = _Desk(settings, classify, background, sink, summary, watch, interrupt)
        for item in inputs:
            if not interrupt.requested:
                _hear(item, desk)
    summary.interrupted = interrupt.requested
    return summary


def _hear(item: Input, desk: _Desk) -> None:
    outcome = Outcome(item)
    desk.summary.outcomes.append(outcome)
    source = open_source(item, desk.settings.pcm)
    if isinstance(source, Refusal):
        outcome.refusal = source
    else:
        outcome.sample_rate = source.sample_rate
        total_s = None if source.n_samples is None else source.n_samples / source.sample_rate
        desk.watch.begin(item, desk.summary.ledger.n_inputs, total_s)
        try:
            _hear_out(source, outcome, desk)
        except BlockError as error:
            outcome.refusal = refusal_of(error)
    if outcome.refusal:
        desk.summary.ledger.refused[outcome.refusal.reason] += 1
    elif not desk.interrupt.requested:
        desk.summary.ledger.n_heard += 1


def _hear_out(source: Source, outcome: Outcome, desk: _Desk) -> None:
    """Hear a source to its end; a source that is refused on the way keeps what was released before."""
    settings = desk.settings
    flow = Flow(
        sensor_id=outcome.item.sensor_id,
        sample_rate=source.sample_rate,
        start_slot=settings.start_slot,
        policy=settings.policy.core,
        classify=desk.classify,
        background=desk.background,
    )
    outcome.hears_events = flow.hears_events
    life_s = flow.longest_sample_life_s(settings.block_s)
    desk.summary.longest_life_s = max(desk.summary.longest_life_s, life_s)
    reader = source if settings.pcm is None else PatientReader(source, desk.interrupt)
    max_samples = max(1, int(settings.block_s * source.sample_rate))
    while not desk.interrupt.requested and _hear_block(
        reader, max_samples, source.bits_per_sample, flow, outcome, desk
    ):
        pass
    # What an interrupted stream still holds is not released: nobody knows how it would have gone on.
    if not desk.interrupt.requested:
        records = flow.finish()
        desk.sink.write(records)
        desk.summary.add(outcome, records)


def _hear_block(
    reader: Source | PatientReader, max_samples: int, bits_per_sample: int, flow: Flow, outcome: Outcome, desk: _Desk
) -> bool:
    """Hear one block; the handle on its samples ends with this call, before anyone waits for the next one."""
    block = reader.read(max_samples)
    if block is None:
        return False
    records = flow.push(block)
    if records:
        desk.sink.write(records)
        desk.summary.add(outcome, records)
    outcome.n_samples += block.n_samples
    desk.summary.ledger.count_block(block.n_samples, bits_per_sample)
    desk.watch.heard(block.n_samples / block.sample_rate)
    return True


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
