"""One sensor's live sound by the clock: what is heard when, where a stream ends, and what is kept before it leaves.

Slots come from the clock when a stream begins and from its samples after that. Where the two part by more than 2 s, or
sound stops for 5 s, the stream ends and a new one begins. Budgets, open periods and the learnt background go on, over a
restart of the process too, by a sealed state that is written before what it releases.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from dsp_core.zone import BlockError

from sourdine.errors import SourdineError
from sourdine.ledger import Ledger
from sourdine.operations.lines import Name
from sourdine.operations.told import Told
from sourdine.outgoing.cloudevents import slot_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from dsp_core.zone import AudioBlock

    from sourdine.live.chain import Chain, Chains, States
    from sourdine.live.ear import Ear
    from sourdine.outgoing.cloudevents import Record
    from sourdine.outgoing.continued import Kept

#: Sound and clock may differ by this much before a stream begins anew.
_TOLERANCE_S: Final = 2.0
#: A late source may catch up for this long before what is missing counts as lost.
_CATCH_UP_S: Final = 10.0
#: A pause in the sound that ends a stream.
_PATIENCE_S: Final = 5.0
#: A sensor of which nothing came for so long since the start is told of, once.
_NOT_HEARD_S: Final = 60.0
#: A stream that must be held back so often in a minute is no live one.
_MAX_EARLY: Final = 5
_MINUTE_S: Final = 60.0
#: Sound that comes on the second is looked at a little later, and counts from that second all the same.
_LATE_LOOK_S: Final = 0.02
_MAX_BLOCK_S: Final = 0.5


class LiveError(SourdineError):
    """Sound that cannot be live."""

    exit_code = 1


class Input(Protocol):
    """Where live sound comes from."""

    @property
    def sample_rate(self) -> int:
        """In Hz."""

    @property
    def bits_per_sample(self) -> int:
        """Of one sample as it comes."""

    def n_ready(self) -> int | None:
        """Return how many samples can be read without waiting; None once the source has gone."""

    def begin(self) -> None:
        """Count positions from the sample on that is read next."""

    def read(self, n_samples: int) -> AudioBlock | None:
        """Read samples that are ready.

        Parameters
        ----------
        n_samples : int
            At most so many.
        """

    def reopen(self) -> bool:
        """Wait for whoever comes after a source that has gone; False where there can be none."""


class Store(Protocol):
    """Where a sensor's state and records go, together."""

    @property
    def kept(self) -> Kept | None:
        """What an earlier process left."""

    def commit(self, sealed: bytes, next_slot: int, records: list[Record]) -> None:
        """Write records down together with the state after them.

        Parameters
        ----------
        sealed : bytes
            State of the stages, sealed.
        next_slot : int
            First second that was not used yet.
        records : list of Event, LevelRecord or SensorHealth
            What has just left the gates.
        """


@dataclass(slots=True)
class _Stream:
    """One stretch of sound without a break.

    Parameters
    ----------
    start_slot : int
        Second of the first sample that counts.
    n_to_drop : int
        Samples before that one.
    """

    start_slot: int
    n_to_drop: int
    n_heard: int = 0
    lags: deque[tuple[float, float]] = field(default_factory=deque)


class Listener:
    """One sensor's live chain.

    Parameters
    ----------
    sensor_id : int
        Number that the records carry.
    source : Input
        Where the sound comes from.
    chains : Chains
        Makes what it goes through.
    store : Store
        Where records and state go.
    sealer : States
        Seals the state.
    full_scale_db : float or None
        Calibration; a state of another one is not gone on with.
    ear : Ear
        Who is told.
    clock : callable
        Seconds since 1970-01-01T00:00:00Z, with a fraction.
    block_s : float, default=0.5
        Seconds of sound that are heard at a time, at most.
    """

    def __init__(
        self,
        *,
        sensor_id: int,
        source: Input,
        chains: Chains,
        store: Store,
        sealer: States,
        full_scale_db: float | None,
        ear: Ear,
        clock: Callable[[], float],
        block_s: float = _MAX_BLOCK_S,
    ) -> None:
        self._sensor_id, self._source, self._chains = sensor_id, source, chains
        self._block_s = block_s
        self._store, self._sealer, self._full_scale_db = store, sealer, full_scale_db
        self._ear, self._clock = ear, clock
        self._ledger = Ledger()
        #: Stretches of sound that are over, by reason.
        self.n_breaks: Counter[str] = Counter()
        self._stream: _Stream | None = None
        #: When the last look was, and whether the source can still bring something.
        self._now, self._goes_on = clock(), True
        self._last_sound = clock()
        self._began_s: float | None = clock()
        self._early: deque[float] = deque()
        self._not_before = math.ceil(clock())
        self._chain = self._restored() or self._begun()

    @property
    def ledger(self) -> Ledger:
        """What was heard and released."""
        return self._ledger

    def step(self) -> bool:
        """Hear what is there; False once the source has gone and none can come after it.

        Raises
        ------
        LiveError
            If the sound comes faster than the clock goes.
        OutputError
            If records or state cannot be written.
        """
        block = self.look()
        if block is not None:
            self.take(self._chain.push(block))
        return self._goes_on

    def look(self) -> AudioBlock | None:
        """Return the next block, if one is there: what `chain` makes of it is to be given to `take`.

        Raises
        ------
        OutputError
            If records or state cannot be written.
        """
        n_ready, self._now, self._goes_on = self._source.n_ready(), self._clock(), True
        block = None
        if n_ready is None:
            self.end("source_ended", "the source has ended")
            self._goes_on = self._source.reopen()
        elif n_ready > 0:
            block = self._read(n_ready, self._now)
        elif self._stream is not None and self._now - self._last_sound > _PATIENCE_S:
            self.end("no_sound", f"no sound for {_PATIENCE_S:g} s")
        if block is None and self._stream is None:
            self._tell_not_heard(self._now)
            self._let_pass(self._now)
        return block

    def take(self, records: list[Record]) -> None:
        """Take what left the chain with the block of the last look.

        Parameters
        ----------
        records : list of Event, LevelRecord or SensorHealth
            What the gates released.

        Raises
        ------
        LiveError
            If the sound comes faster than the clock goes.
        OutputError
            If records or state cannot be written.
        """
        if records:
            self._commit(records)
        if self._stream is not None:
            heard_until = self._stream.start_slot + self._stream.n_heard / self._source.sample_rate
            self._compare(self._stream, heard_until, self._now)
        if self._stream is None:
            self._let_pass(self._now)

    @property
    def chain(self) -> Chain:
        """What the sound goes through now."""
        return self._chain

    @property
    def sample_rate(self) -> int:
        """Of its sound, in Hz."""
        return self._source.sample_rate

    @property
    def is_hearing(self) -> bool:
        """Whether sound comes now."""
        return self._stream is not None

    def end(self, reason: str, words: str) -> None:
        """End the stream, if there is one; the next sound begins another.

        Parameters
        ----------
        reason : str
            A transport fact, as a name.
        words : str
            The same for a person.
        """
        if self._stream is None:
            return
        self._stream = None
        self.n_breaks[reason] += 1
        self._ear.note(Told.STREAM_ENDED, words, reason=Name(reason))
        self._commit(self._chain.pause())

    def _restored(self) -> Chain | None:
        kept = self._store.kept
        if kept is None:
            return None
        self._not_before = max(self._not_before, kept.next_slot)
        if kept.full_scale_db != self._full_scale_db:
            words = "the state of an earlier run had another calibration: a new beginning"
            self._ear.note(Told.BEGUN_ANEW, words)
            return None
        try:
            checkpoint = self._sealer.unseal(sensor_id=self._sensor_id, sealed=kept.sealed)
            return self._chains.resume(checkpoint, self._not_before)
        except BlockError as error:
            words = f"the state of an earlier run does not fit ({error.reason}): a new beginning"
            self._ear.note(Told.STATE_REFUSED, words, reason=Name(error.reason))
            return None

    def _begun(self) -> Chain:
        chain, words = self._chains.begin(self._not_before)
        self._ear.note(Told.BEGUN_ANEW, words)
        return chain

    def _read(self, n_ready: int, now: float) -> AudioBlock | None:
        rate = self._source.sample_rate
        self._last_sound = now
        if self._stream is None:
            self._stream = self._anchored(now - n_ready / rate)
        stream = self._stream
        n_block = min(n_ready, int(self._block_s * rate))
        if stream.n_to_drop > 0:
            self._drop(stream, min(n_block, stream.n_to_drop))
            return None
        try:
            block = self._source.read(n_block)
        except BlockError as error:
            self.end(error.reason, f"refused: {error.reason}")
            return None
        if block is None:
            return None
        stream.n_heard += block.n_samples
        self._ledger.count_block(block.n_samples, self._source.bits_per_sample)
        return block

    def _tell_not_heard(self, now: float) -> None:
        """Say once that nothing has ever come: whoever runs it may have set up the wrong pipe, or started no sender."""
        if self._began_s is not None and now - self._began_s > _NOT_HEARD_S:
            seconds, self._began_s = round(now - self._began_s), None
            self._ear.note(Told.NOT_HEARD, f"no sound has come in {seconds} s", seconds=seconds)

    def _anchored(self, first_sample: float) -> _Stream:
        """Begin a stream on the next whole second that was not used yet."""
        self._began_s = None
        start_slot = max(math.ceil(first_sample - _LATE_LOOK_S), self._chain.next_slot, self._not_before)
        n_to_drop = max(0, round((start_slot - first_sample) * self._source.sample_rate))
        self._chain = self._chains.resume(self._chain.snapshot(), start_slot)
        self._source.begin()
        self._ear.note(Told.HEARING, f"hearing from {slot_time(start_slot)}", slot=start_slot)
        return _Stream(start_slot, n_to_drop)

    def _drop(self, stream: _Stream, n_samples: int) -> None:
        """Let samples go that lie before the first second of the stream."""
        try:
            block = self._source.read(n_samples)
            stream.n_to_drop -= n_samples if block is None else block.n_samples
        except BlockError:  # what is dropped may be anything
            stream.n_to_drop -= n_samples
        if stream.n_to_drop == 0:
            self._source.begin()

    def _compare(self, stream: _Stream, heard_until: float, now: float) -> None:
        """End a stream whose samples and the clock have parted."""
        lag = now - heard_until
        stream.lags.append((now, lag))
        while stream.lags and now - stream.lags[0][0] > _CATCH_UP_S:
            stream.lags.popleft()
        is_settled = now - stream.start_slot > _CATCH_UP_S
        if lag < -_TOLERANCE_S:
            self._chain.mark_clock()
            self._count_early(now)
            self.end("ahead_of_clock", "the sound is ahead of the clock")
        elif is_settled and min(lag for _, lag in stream.lags) > _TOLERANCE_S:
            self._chain.mark_clock()
            self.end("behind_clock", "the sound is behind the clock: some is missing")

    def _count_early(self, now: float) -> None:
        self._early.append(now)
        while now - self._early[0] > _MINUTE_S:
            self._early.popleft()
        if len(self._early) > _MAX_EARLY:
            raise LiveError("the sound comes faster than the clock goes: --rate is wrong, or it is a recording")

    def _let_pass(self, now: float) -> None:
        """Let the seconds pass that brought no sound, a second after their end."""
        first, end = max(self._chain.next_slot, self._not_before), math.floor(now) - 1
        records = [record for slot in range(first, end) for record in self._chain.miss(slot)]
        if records:
            self._commit(records)

    def _commit(self, records: list[Record]) -> None:
        sealed = self._sealer.seal(self._chain.snapshot())
        self._store.commit(sealed, self._chain.next_slot, records)
        for record in records:
            self._ledger.count_record(record)
        self._ear.left(records)
