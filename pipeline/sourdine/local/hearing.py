"""One recording or pipe through the chain: what leaves, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsp_core.zone import BlockError

from sourdine.flow import Flow
from sourdine.local.inputs import Refusal, open_source, refusal_of
from sourdine.local.interrupt import PatientReader
from sourdine.local.summary import Outcome
from sourdine.local.times import slot_of_header, slot_of_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsp_core.zone import Background, Classify, Source

    from sourdine.config import RunSettings
    from sourdine.local.inputs import Input
    from sourdine.local.interrupt import Interrupt
    from sourdine.local.run import Watch
    from sourdine.outgoing.cloudevents import Record

_NO_TIME = Refusal("no_time", "expected a time in the name, like 20260504_210000, or in the header, got none")


class Hearing:
    """Hears one input. Used once.

    Parameters
    ----------
    item : Input
        What to hear.
    settings : RunSettings
        How.
    classify : Classify
        The classifier.
    background : Background or None
        What the place sounds like.
    watch : Watch
        Who is told how far it got.
    interrupt : Interrupt
        Looked at between two blocks.
    """

    def __init__(
        self,
        item: Input,
        settings: RunSettings,
        classify: Classify,
        background: Background | None,
        watch: Watch,
        interrupt: Interrupt,
    ) -> None:
        self._item, self._settings, self._classify, self._background = item, settings, classify, background
        self._watch, self._interrupt = watch, interrupt
        self.outcome = Outcome(item)
        self.is_complete = False
        #: The span that was asked for, in samples: where it begins, and how long it is at most.
        self._n_before = 0
        self._n_most: int | None = None

    def records(self) -> Iterator[list[Record]]:
        """Give what leaves, as it leaves; then `outcome` is known, and `is_complete` unless it was interrupted."""
        try:
            yield from self._heard()
        except BlockError as error:
            self._refuse(refusal_of(error))
        if self.is_complete and self.outcome.sample_rate:
            self._count_unheard()

    def _count_unheard(self) -> None:
        """Say what became of the blocks that the flow has not taken."""
        outcome, ledger = self.outcome, self.outcome.ledger
        n_block = self._block_length(outcome.sample_rate)
        n_heard = self._n_before + ledger.n_samples
        n_stated = n_heard if outcome.n_stated is None else max(n_heard, outcome.n_stated)
        n_before = min(self._n_before, n_stated)
        n_end = n_stated if self._n_most is None else min(n_stated, self._n_before + self._n_most)
        n_faulty = 0
        if outcome.refusal is not None:
            n_faulty = max(1, n_end - n_heard)  # the block at fault is one even if nothing was to follow it
        elif ledger.n_outside:
            n_before = n_stated
        n_after = n_stated - max(n_before, n_end)
        ledger.n_blocks_refused = -(-n_faulty // n_block)
        ledger.n_blocks_outside = -(-n_before // n_block) + -(-n_after // n_block)

    def _block_length(self, sample_rate: int) -> int:
        return max(1, int(self._settings.block_s * sample_rate))

    def _refuse(self, refusal: Refusal) -> None:
        self.outcome.refusal = refusal
        self.outcome.ledger.refused[refusal.reason] += 1
        self.is_complete = True

    def _heard(self) -> Iterator[list[Record]]:
        source = open_source(self._item, self._settings.pcm)
        if isinstance(source, Refusal):
            self._refuse(source)
            return
        outcome = self.outcome
        outcome.sample_rate, outcome.n_stated = source.sample_rate, source.n_samples
        start_slot = self._start_slot(source.recorded_at)
        if start_slot is None:
            self._refuse(_NO_TIME)
            return
        outcome.start_slot = start_slot
        span = self._span(start_slot)
        if span is None:
            outcome.ledger.n_outside = 1
            self.is_complete = True
            return
        first_s, self._n_most = span
        self._n_before = first_s * source.sample_rate
        source.skip(self._n_before)
        yield from self._through(source, start_slot + first_s)

    def _start_slot(self, recorded_at: str | None) -> int | None:
        settings = self._settings
        if settings.zone is None or self._item.path is None:
            return settings.start_slot
        named = slot_of_name(self._item.path.name, settings.zone)
        return slot_of_header(recorded_at, settings.zone) if named is None else named

    def _span(self, start_slot: int) -> tuple[int, int | None] | None:
        """Return seconds to let go and most samples to hear; None if nothing of it is wanted."""
        settings, outcome = self._settings, self.outcome
        first_s = 0 if settings.since is None else max(0, settings.since.after(start_slot))
        if outcome.n_stated is not None and first_s > 0 and first_s * outcome.sample_rate >= outcome.n_stated:
            return None
        if settings.until is None:
            return first_s, None
        n_seconds = settings.until.after(start_slot) - first_s
        return (first_s, n_seconds * outcome.sample_rate) if n_seconds > 0 else None

    def _through(self, source: Source, start_slot: int) -> Iterator[list[Record]]:
        """Hear a source to its end; one that is refused on the way keeps what was released before."""
        settings, outcome = self._settings, self.outcome
        flow = Flow(
            sensor_id=self._item.sensor_id,
            sample_rate=source.sample_rate,
            start_slot=start_slot,
            policy=settings.policy.core,
            classify=self._classify,
            background=self._background,
            full_scale_db=settings.full_scale_db,
        )
        outcome.hears_events = flow.hears_events
        outcome.longest_life_s = flow.longest_sample_life_s(settings.block_s)
        reader = source if settings.pcm is None else PatientReader(source, self._interrupt)
        while not self._interrupt.requested:
            records = self._block(reader, source, flow)
            if records is None:
                break
            yield records
        # What an interrupted stream still holds is not released: nobody knows how it would have gone on.
        if not self._interrupt.requested:
            yield self._taken(flow.finish())
            if outcome.ledger.n_samples == 0:
                outcome.ledger.n_outside = 1  # it ended before the span began
            else:
                outcome.ledger.n_heard = 1
            self.is_complete = True

    def _block(self, reader: Source | PatientReader, source: Source, flow: Flow) -> list[Record] | None:
        """Hear one block; the handle on its samples ends with this call, before anyone waits for the next one."""
        n_wanted = self._block_length(source.sample_rate)
        if self._n_most is not None:
            n_wanted = min(n_wanted, self._n_most - self.outcome.ledger.n_samples)
        block = reader.read(n_wanted) if n_wanted > 0 else None
        if block is None:
            return None
        records = flow.push(block)
        self.outcome.ledger.count_block(block.n_samples, source.bits_per_sample)
        self._watch.heard(block.n_samples / block.sample_rate)
        return self._taken(records)

    def _taken(self, records: list[Record]) -> list[Record]:
        self.outcome.add(records)
        return records
