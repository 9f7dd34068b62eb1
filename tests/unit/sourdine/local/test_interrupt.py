from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from dsp_core.zone import BlockError, Source
from tests.sounds import noise, pcm16

from sourdine.local.interrupt import Interrupt, PatientReader


def pipe() -> tuple[Source, int]:
    """Open a pipe, and give the end that is written to."""
    reading, writing = os.pipe()
    return Source.pcm(reading, sensor_id=1, sample_rate=16_000, encoding="s16le", n_channels=1), writing


def test_ctrl_c_is_noted_and_given_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupt() as interrupt:
        assert not interrupt.requested
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
    assert signal.getsignal(signal.SIGINT) is before


def test_blocks_arrive_in_order_and_end() -> None:
    source, writing = pipe()
    os.write(writing, pcm16(noise(1.5)))
    os.close(writing)
    reader = PatientReader(source, Interrupt())
    sizes = [block.n_samples for _ in range(3) if (block := reader.read(10_000))]
    assert sizes == [10_000, 10_000, 4_000]
    assert reader.read(10_000) is None


def test_refusal_reaches_the_one_who_asked() -> None:
    source, writing = pipe()
    os.write(writing, pcm16(noise(0.1)) + b"\x01")
    os.close(writing)
    reader = PatientReader(source, Interrupt())
    reader.read(10_000)
    with pytest.raises(BlockError) as refusal:
        reader.read(10_000)
    assert refusal.value.reason == "partial_sample"


def test_stalled_pipe_does_not_hold_ctrl_c_up() -> None:
    source, writing = pipe()
    with Interrupt() as interrupt:
        threading.Timer(0.2, signal.raise_signal, (signal.SIGINT,)).start()
        began = time.monotonic()
        assert PatientReader(source, interrupt).read(10_000) is None
        assert interrupt.requested
        assert time.monotonic() - began < 10.0
    os.close(writing)
