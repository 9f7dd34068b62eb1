"""`sourdine listen`: hears live sound by the clock and writes down what the gates release.

Slots come from the clock when a stream begins and from its samples after that. Where the two part by more than 2 s, or
sound stops for 5 s, the stream ends and a new one begins. Budgets, open periods and the learnt background go on, over a
restart of the process too, by a sealed state that is written before what it releases.
"""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dsp_core.zone import BlockError, Classify, Source

from sourdine.errors import SourdineError
from sourdine.flow import Flow
from sourdine.keys import do, sealer
from sourdine.ledger import Ledger
from sourdine.local.inputs import channel_of, refusal_of
from sourdine.local.live_input import LiveInput
from sourdine.outgoing.cloudevents import slot_time
from sourdine.outgoing.continued import ContinuedFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dsp_core.zone import Checkpoint, Sealer

    from sourdine.config import ListenSettings
    from sourdine.local.interrupt import Stop
    from sourdine.outgoing.cloudevents import Record

KEY_NAME: Final = "zone.key"

#: Sound and clock may differ by this much before a stream begins anew.
_TOLERANCE_S: Final = 2.0
#: A late source may catch up for this long before what is missing counts as lost.
_CATCH_UP_S: Final = 10.0
#: A pause in the sound that ends a stream.
_PATIENCE_S: Final = 5.0
#: A stream that must be held back so often in a minute is no live one.
_MAX_EARLY: Final = 5
_MINUTE_S: Final = 60.0
_LOOK_S: Final = 0.25
_BLOCK_S: Final = 0.1
_MAX_BLOCK_S: Final = 0.5


class LiveError(SourdineError):
    """Sound that cannot be live."""

    exit_code = 1


class Ear:
    """Someone who is told how it goes; this one does not listen."""

    def note(self, text: str) -> None:
        """Take a line about the stream: transport facts only.

        Parameters
        ----------
        text : str
            One line.
        """

    def left(self, records: list[Record]) -> None:
        """Take records that have just been written down.

        Parameters
        ----------
        records : list of Event, LevelRecord or SensorHealth
            What left.
        """


@dataclass(slots=True)
class _Stream:
    """One stretch of sound without a break.

    Parameters
    ----------
    source : Source
        Its samples.
    start_slot : int
        Second of the first of them that counts.
    n_to_drop : int
        Samples before that one.
    """

    source: Source
    start_slot: int
    n_to_drop: int
    n_heard: int = 0
    lags: deque[tuple[float, float]] = field(default_factory=deque)


class Listener:
    """One sensor's live chain.

    Parameters
    ----------
    settings : ListenSettings
        What to hear, and where to write.
    files : ContinuedFiles
        Where records and state go.
    sealer : Sealer
        Seals the state.
    ear : Ear
        Who is told.
    clock : callable, default=time.time
        Seconds since 1970-01-01T00:00:00Z, with a fraction.
    """

    def __init__(
        self,
        settings: ListenSettings,
        files: ContinuedFiles,
        sealer: Sealer,
        ear: Ear,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._files, self._sealer, self._ear, self._clock = settings, files, sealer, ear, clock
        self._policy = settings.policy.core
        self._classify = Classify(policy=self._policy)
        self._ledger = Ledger()
        self._stream: _Stream | None = None
        self._last_sound = clock()
        self._early: deque[float] = deque()
        now = math.ceil(clock())
        self._not_before = now
        self._flow = self._restored(now) or self._begun(now)

    @property
    def ledger(self) -> Ledger:
        """What was heard and released."""
        return self._ledger

    def listen(self, source: LiveInput, stop: Stop) -> None:
        """Hear until the source ends or someone says stop.

        Parameters
        ----------
        source : LiveInput
            Where the sound comes from.
        stop : Stop
            Looked at between two blocks.
        """
        pcm = self._settings.pcm
        n_least, n_wanted = pcm.frame_bytes, int(_BLOCK_S * pcm.sample_rate) * pcm.frame_bytes
        while not stop.requested:
            n_ready = source.wait(n_wanted, n_least, _LOOK_S)
            now = self._clock()
            if n_ready is None:
                self._end_stream("the source has ended")
                if not source.reopen():
                    break
            elif n_ready >= n_least:
                self._hear(source, n_ready // n_least, now)
            elif self._stream is not None and now - self._last_sound > _PATIENCE_S:
                self._end_stream(f"no sound for {_PATIENCE_S:g} s")
            if self._stream is None:
                self._let_pass(now)
        self._end_stream("stopped")

    def _restored(self, now: int) -> Flow | None:
        kept = self._files.kept
        if kept is None:
            return None
        self._not_before = max(now, kept.next_slot)
        if kept.full_scale_db != self._settings.full_scale_db:
            self._ear.note("the state of an earlier run had another calibration: a new beginning")
            return None
        try:
            checkpoint = self._sealer.unseal(sensor_id=self._settings.sensor_id, sealed=kept.sealed)
            return self._resumed(checkpoint, self._not_before)
        except BlockError as error:
            self._ear.note(f"the state of an earlier run does not fit ({error.reason}): a new beginning")
            return None

    def _begun(self, now: int) -> Flow:
        """Begin without a state: what left earlier in this hour is not known, so the hour's budget counts as used."""
        flow = Flow(
            sensor_id=self._settings.sensor_id,
            sample_rate=self._settings.pcm.sample_rate,
            start_slot=self._not_before,
            policy=self._policy,
            classify=self._classify,
            full_scale_db=self._settings.full_scale_db,
        )
        flow.withhold_hour_of(self._not_before)
        next_hour = slot_time((self._not_before // 3600 + 1) * 3600)
        self._ear.note(f"no earlier state: levels at once, events from {next_hour}")
        return flow

    def _resumed(self, checkpoint: Checkpoint, start_slot: int) -> Flow:
        return Flow.resume(
            checkpoint,
            policy=self._policy,
            classify=self._classify,
            sample_rate=self._settings.pcm.sample_rate,
            start_slot=start_slot,
        )

    def _hear(self, source: LiveInput, n_ready: int, now: float) -> None:
        rate = self._settings.pcm.sample_rate
        self._last_sound = now
        if self._stream is None:
            self._stream = self._anchored(source, now - n_ready / rate)
        stream = self._stream
        n_block = min(n_ready, int(_MAX_BLOCK_S * rate))
        if stream.n_to_drop > 0:
            self._drop(source, stream, min(n_block, stream.n_to_drop))
            return
        try:
            block = stream.source.read(n_block)
        except BlockError as error:
            self._end_stream(f"refused: {refusal_of(error).reason}")
            return
        if block is None:
            return
        stream.n_heard += block.n_samples
        self._ledger.count_block(block.n_samples, stream.source.bits_per_sample)
        records = self._flow.push(block)
        if records:
            self._commit(records)
        self._compare(stream.start_slot + stream.n_heard / rate, now)

    def _anchored(self, source: LiveInput, first_sample: float) -> _Stream:
        """Begin a stream on the next whole second that was not used yet."""
        start_slot = max(math.ceil(first_sample), self._flow.next_slot, self._not_before)
        n_to_drop = round((start_slot - first_sample) * self._settings.pcm.sample_rate)
        self._flow = self._resumed(self._flow.snapshot(), start_slot)
        self._ear.note(f"hearing from {slot_time(start_slot)}")
        return _Stream(self._source(source), start_slot, n_to_drop)

    def _source(self, source: LiveInput) -> Source:
        pcm = self._settings.pcm
        return Source.pcm(
            source.fd,
            sensor_id=self._settings.sensor_id,
            sample_rate=pcm.sample_rate,
            encoding=pcm.encoding,
            n_channels=pcm.n_channels,
            channel=channel_of(self._settings.channel),
        )

    def _drop(self, source: LiveInput, stream: _Stream, n_samples: int) -> None:
        """Let samples go that lie before the first second of the stream."""
        with suppress(BlockError):  # what is dropped may be anything
            stream.source.read(n_samples)
        stream.n_to_drop -= n_samples
        if stream.n_to_drop == 0:
            stream.source = self._source(source)  # positions count from here on

    def _compare(self, heard_until: float, now: float) -> None:
        """End a stream whose samples and the clock have parted."""
        stream = self._stream
        if stream is None:
            return
        lag = now - heard_until
        stream.lags.append((now, lag))
        while stream.lags and now - stream.lags[0][0] > _CATCH_UP_S:
            stream.lags.popleft()
        is_settled = now - stream.start_slot > _CATCH_UP_S
        if lag < -_TOLERANCE_S:
            self._flow.mark_clock()
            self._count_early(now)
            self._end_stream("the sound is ahead of the clock")
        elif is_settled and min(lag for _, lag in stream.lags) > _TOLERANCE_S:
            self._flow.mark_clock()
            self._end_stream("the sound is behind the clock: some is missing")

    def _count_early(self, now: float) -> None:
        self._early.append(now)
        while now - self._early[0] > _MINUTE_S:
            self._early.popleft()
        if len(self._early) > _MAX_EARLY:
            raise LiveError("the sound comes faster than the clock goes: --rate is wrong, or it is a recording")

    def _end_stream(self, why: str) -> None:
        if self._stream is None:
            return
        self._stream = None
        self._ear.note(why)
        self._commit(self._flow.pause())

    def _let_pass(self, now: float) -> None:
        """Let the seconds pass that brought no sound, a second after their end."""
        first, end = max(self._flow.next_slot, self._not_before), math.floor(now) - 1
        records = [record for slot in range(first, end) for record in self._flow.miss(slot)]
        if records:
            self._commit(records)

    def _commit(self, records: list[Record]) -> None:
        sealed = self._sealer.seal(self._flow.snapshot())
        self._files.commit(sealed, self._flow.next_slot, records)
        for record in records:
            self._ledger.count_record(record)
        self._ear.left(records)


def files_of(settings: ListenSettings) -> ContinuedFiles:
    """Return the files that a live run goes on with.

    Parameters
    ----------
    settings : ListenSettings
        Of the run.

    Returns
    -------
    ContinuedFiles
        In its output folder.
    """
    return ContinuedFiles(settings.out, settings.full_scale_db)


def listen(settings: ListenSettings, ear: Ear, stop: Stop) -> Ledger:
    """Hear live sound until it ends or someone says stop.

    Parameters
    ----------
    settings : ListenSettings
        What to hear, under which policy, and where to write.
    ear : Ear
        Who is told.
    stop : Stop
        Says when to end.

    Returns
    -------
    Ledger
        What was heard and released.

    Raises
    ------
    ConfigError
        If the input is no live one, the key cannot be used, or another process writes there.
    OutputError
        If records or state cannot be written.
    LiveError
        If the sound comes faster than the clock goes.
    """
    with closing(LiveInput(settings.path)) as source, closing(files_of(settings)) as files:
        zone_sealer = _sealer(settings.key or settings.out / KEY_NAME, is_given=settings.key is not None, ear=ear)
        listener = Listener(settings, files, zone_sealer, ear)
        listener.listen(source, stop)
        return listener.ledger


def _sealer(path: Path, *, is_given: bool, ear: Ear) -> Sealer:
    if not is_given and not path.exists():
        do("new", path)
        ear.note(f"made {path}: the state opens with it alone")
    return sealer(path)
