"""Placement `relay`: a sensor that only seals. Its sound goes to Kafka in sealed blocks, and workers do all the rest.

What cannot be sent waits in memory for as long as it may still count; then whole blocks are dropped, and counted.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson
from dsp_core.zone import BlockError

from sourdine.errors import ConfigError, printable
from sourdine.files import replace_file
from sourdine.gateway.sender import Sender

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dsp_core.zone import AudioBlock, Sealer

    from sourdine.broker import BrokerSettings
    from sourdine.gateway.store import SensorStore, Store
    from sourdine.live.ear import Ear
    from sourdine.live.listener import Input
    from sourdine.outgoing.cloudevents import Record
    from sourdine.pcm import PcmFormat

SOUND: Final = "sourdine.sound.v1"
#: What a sensor says it sent: `sourdine ledger` compares it with what the workers counted.
SENT_NAME: Final = "sent.json"
#: A block of a second costs the workers least; one that a pipe of 64 kB might not hold twice must be shorter.
_BLOCK_S: Final = 1.0
_SHORT_BLOCK_S: Final = 0.25
_HALF_A_PIPE: Final = 32_768
#: What is left when a source pauses is sent as a shorter block.
_PATIENCE_S: Final = 2.0
_NS_PER_S: Final = 1_000_000_000


def block_s_of(pcm: PcmFormat) -> float:
    """Return how long a stream's blocks are.

    Parameters
    ----------
    pcm : PcmFormat
        Layout of the sound.

    Returns
    -------
    float
        Seconds.
    """
    return _BLOCK_S if pcm.sample_rate * pcm.frame_bytes <= _HALF_A_PIPE else _SHORT_BLOCK_S


def encoding_of(pcm: PcmFormat, channel: str) -> str:
    """Return how a stream's samples are sealed: by its layout, so that no block's size tells of the sound.

    Parameters
    ----------
    pcm : PcmFormat
        Layout of the sound.
    channel : str
        Number of the channel, or ``mix`` for the mean of all.

    Returns
    -------
    str
        One that holds its samples exactly.
    """
    return pcm.encoding if pcm.encoding in ("s16le", "s24le") and channel != "mix" else "f32le"


class InBlocks:
    """An input whose sound is left where it waits until a whole block is there.

    Parameters
    ----------
    inner : Input
        Where the sound comes from.
    block_s : float
        Length of a block in seconds.
    clock : callable
        Seconds.
    """

    def __init__(self, inner: Input, block_s: float, clock: Callable[[], float]) -> None:
        self._inner, self._n_block, self._clock = inner, round(block_s * inner.sample_rate), clock
        self._since: float | None = None

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self._inner.sample_rate

    @property
    def bits_per_sample(self) -> int:
        """Of one sample as it comes."""
        return self._inner.bits_per_sample

    def n_ready(self) -> int | None:
        """Return how many samples can be read without waiting, 0 if they are too few; None if the source has gone."""
        n_ready = self._inner.n_ready()
        if not n_ready:
            self._since = None
        elif n_ready < self._n_block:
            now = self._clock()
            self._since = now if self._since is None else self._since
            return n_ready if now - self._since > _PATIENCE_S else 0
        return n_ready

    def begin(self) -> None:
        """Count positions from the sample on that is read next."""
        self._inner.begin()

    def read(self, n_samples: int) -> AudioBlock | None:
        """Read samples that are ready.

        Parameters
        ----------
        n_samples : int
            At most so many.

        Returns
        -------
        AudioBlock or None
            None if there are none.
        """
        self._since = None
        return self._inner.read(n_samples)

    def reopen(self) -> bool:
        """Wait for whoever comes after a source that has gone; False where there can be none."""
        return self._inner.reopen()


class NoStates:
    """What a `Listener` seals its state with, where there is none: the workers know everything that lasts."""

    def seal(self, state: Any, /) -> bytes:
        """Return nothing.

        Parameters
        ----------
        state : None
            There is none.
        """
        del state
        return b""

    def unseal(self, *, sensor_id: int, sealed: bytes) -> None:
        """Return nothing.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        sealed : bytes
            Nothing.
        """


class Sealing:
    """One stretch of a sensor's sound, sealed block by block.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.
    sealer : Sealer
        With the zone's key.
    encoding : str
        How samples are sealed.
    send : callable
        Takes the sensor's number and a sealed block.
    start_slot : int
        Second of the first sample: the boot of the sensor, for the workers.
    """

    def __init__(
        self, sensor_id: int, sealer: Sealer, encoding: str, send: Callable[[int, bytes], None], start_slot: int
    ) -> None:
        self._sensor_id, self._sealer, self._encoding, self._hand_over = sensor_id, sealer, encoding, send
        self._start_slot, self._sequence = start_slot, 0
        self.next_slot = start_slot

    def push(self, block: AudioBlock) -> list[Record]:
        """Seal and send one block.

        Parameters
        ----------
        block : AudioBlock
            The next samples of this sensor.

        Returns
        -------
        list
            No record leaves here.
        """
        try:
            sealed = self._sealed(block)
        except BlockError:  # a recording that holds more than 16 bits
            self._encoding = "f32le"
            sealed = self._sealed(block)
        self._sequence += 1
        end = block.start_sample + block.n_samples
        self.next_slot = self._start_slot - (-end // block.sample_rate)
        self._hand_over(self._sensor_id, sealed)
        return []

    @property
    def hearing(self) -> None:
        """Nothing is described here."""

    def pass_on(self, *_: object) -> list[Record]:
        """Take nothing: nothing is described here."""
        return []

    def pause(self) -> list[Record]:
        """End the stretch: there is nothing to end."""
        return []

    def miss(self, slot: int) -> list[Record]:
        """Let a second pass that brought no sound.

        Parameters
        ----------
        slot : int
            Second since 1970-01-01T00:00:00Z.
        """
        self.next_slot = max(self.next_slot, slot + 1)
        return []

    def mark_clock(self) -> None:
        """Sound and clock do not go together: the workers see a new boot."""

    def snapshot(self) -> None:
        """Nothing lasts but the next second, which the store keeps."""

    def _sealed(self, block: AudioBlock) -> bytes:
        boot_ns = self._start_slot * _NS_PER_S
        return self._sealer.seal_block(block, encoding=self._encoding, boot_ns=boot_ns, sequence=self._sequence)


class Sealings:
    """Begins a sensor's stretches, each as a boot of its own that is later than any before.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.
    sealer : Sealer
        With the zone's key.
    encoding : str
        How samples are sealed.
    send : callable
        Takes the sensor's number and a sealed block.
    store : SensorStore
        Keeps which seconds were used.
    """

    def __init__(
        self, sensor_id: int, sealer: Sealer, encoding: str, send: Callable[[int, bytes], None], store: SensorStore
    ) -> None:
        self._sensor_id, self._sealer, self._encoding, self._hand_over = sensor_id, sealer, encoding, send
        self._store = store

    def begin(self, start_slot: int) -> tuple[Sealing, str]:
        """Return a first stretch.

        Parameters
        ----------
        start_slot : int
            First second that counts.
        """
        return self._new(start_slot), "no earlier boot is known"

    def resume(self, state: None, start_slot: int) -> Sealing:
        """Return the next stretch; that its second is used is written down before it begins.

        Parameters
        ----------
        state : None
            There is none.
        start_slot : int
            First second that counts.
        """
        del state
        self._store.commit(b"", start_slot + 1, [])
        return self._new(start_slot)

    def _new(self, start_slot: int) -> Sealing:
        return Sealing(self._sensor_id, self._sealer, self._encoding, self._hand_over, start_slot)


@dataclass(slots=True)
class _Sent:
    """Of one sensor: how many blocks were offered, how many the broker took, how many were dropped here."""

    offered: int = 0
    sent: int = 0
    dropped: int = 0


class BlockSender(Sender):
    """Sends sealed blocks, and keeps count of each sensor's.

    Parameters
    ----------
    broker : BrokerSettings
        Where to.
    store : Store
        Of the gateway; nothing waits in it here.
    ear : Ear
        Told when the broker is away and when it is back.
    max_blocks : int
        Sealed blocks that wait in memory at most; the oldest are dropped for newer ones.
    folder : pathlib.Path
        Where the counts are kept.

    Raises
    ------
    ConfigError
        If what is kept there are no counts.
    """

    topic = SOUND
    away = "blocks wait in memory, and are dropped as they grow old"

    def __init__(self, broker: BrokerSettings, store: Store, ear: Ear, *, max_blocks: int, folder: Path) -> None:
        super().__init__(broker, store, ear, max_windows=max_blocks, n_sensors=0)
        self._path, self._is_changed = folder / SENT_NAME, False
        self._counts: defaultdict[int, _Sent] = defaultdict(_Sent)
        self._counts |= _kept(self._path)

    def take_block(self, sensor_id: int, sealed: bytes) -> None:
        """Take a sealed block, to be sent at once.

        Parameters
        ----------
        sensor_id : int
            Number of the sensor.
        sealed : bytes
            The block.
        """
        self._counts[sensor_id].offered += 1
        self._is_changed = True
        self.take_window(sensor_id, sealed)

    def write_counts(self) -> None:
        """Write the counts down, if they have changed."""
        if self._is_changed:
            self._is_changed = False
            replace_file(self._path, orjson.dumps(self._counts, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_INDENT_2))

    def _is_lost(self, sensor_id: int) -> None:
        super()._is_lost(sensor_id)
        self._counts[sensor_id].dropped += 1
        self._is_changed = True

    def _is_delivered(self, sensor_id: int) -> None:
        self._counts[sensor_id].sent += 1
        self._is_changed = True


def _kept(path: Path) -> dict[int, _Sent]:
    """Read what an earlier process counted."""
    try:
        return {int(sensor): _sent(counts) for sensor, counts in orjson.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{printable(str(path))}: {error.strerror}") from None
    except (ValueError, AttributeError, TypeError):
        words = f"{printable(str(path))}: expected counts of blocks: move it away to begin anew"
        raise ConfigError(words) from None


def _sent(counts: dict[str, Any]) -> _Sent:
    if counts.keys() != set(_Sent.__slots__) or any(type(n) is not int or n < 0 for n in counts.values()):
        raise TypeError
    return _Sent(**counts)
