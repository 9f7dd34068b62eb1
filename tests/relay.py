"""Sensors that only seal, for the tests: their sound as messages of a broker, in order and out of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from dsp_core.records import LevelRecord, SensorHealth
from dsp_core.zone import AudioBlock, Sealer, Source, create_key
from numpy.typing import NDArray
from tests.sounds import RATE, write_wav

from sourdine.cut import Message
from sourdine.hearing import SealedWindow
from sourdine.hearings import Hearings
from sourdine.outgoing.cloudevents import encode

#: A full minute.
START: int = 1_777_900_020
NS_PER_S: int = 1_000_000_000


@cache
def zone() -> Sealer:
    """Make a key and throw its file away."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "zone.key"
        create_key(path)
        return Sealer(path)


def pieces(samples: NDArray[Any], lengths_s: Iterable[float], sensor_id: int, rate: int = RATE) -> list[AudioBlock]:
    """Cut a sound into blocks of these lengths, over and over."""
    lengths, found = [max(1, round(length * rate)) for length in lengths_s], list[AudioBlock]()
    with TemporaryDirectory() as folder:
        source = Source.open(write_wav(Path(folder) / "x.wav", samples, sample_rate=rate), sensor_id=sensor_id)
        while (block := source.read(lengths[len(found) % len(lengths)])) is not None:
            found.append(block)
    return found


def sent(blocks: list[AudioBlock], start: float = START, first: int = 0, delay_s: float = 0.1) -> list[Message]:
    """Send blocks as their sensor does; each is received a little after its end. Offsets come with `logged`."""
    boot_ns = round(start * NS_PER_S)

    def message(n: int, block: AudioBlock) -> Message:
        sealed = zone().seal_block(block, encoding="s16le", boot_ns=boot_ns, sequence=first + n)
        end_s = start + (block.start_sample + block.n_samples) / block.sample_rate
        return Message(block.sensor_id, sealed, round(1000 * (end_s + delay_s)), 0)

    return [message(n, block) for n, block in enumerate(blocks)]


def logged(*sensors: list[Message]) -> list[Message]:
    """Put the messages of sensors into one partition, as they are received."""
    messages = sorted((message for one in sensors for message in one), key=lambda message: message.received_ms)
    return [replace(message, kafka_offset=10 + n) for n, message in enumerate(messages)]


def values(outputs: Iterable[Any]) -> list[bytes]:
    """Give windows and records as they are sent, in their order; refusals are no output."""
    found = []
    for one in outputs:
        if isinstance(one, SealedWindow):
            found.append(one.sealed)
        elif isinstance(one, (LevelRecord, SensorHealth)):
            found.append(encode(one))
    return found


def heard(hearings: Hearings, log: Iterable[Message]) -> list[Any]:
    """Let a stage take a log."""
    return [output for message in log for output in hearings.push(message)]


def received_at(messages: Iterable[Message], *numbers: int, later_ms: int) -> list[Message]:
    """Let some messages be received later."""
    return [
        replace(message, received_ms=message.received_ms + (later_ms if n in numbers else 0))
        for n, message in enumerate(messages)
    ]


def silence(seconds: float, rate: int = RATE) -> NDArray[np.float64]:
    """Give digital silence."""
    return np.zeros(round(seconds * rate))
