"""A source from Python: which channel, what is skipped, when it was recorded; parts of a day without the day."""

from __future__ import annotations

import os
import resource
import struct
from pathlib import Path

import numpy as np
import pytest
from dsp_core.zone import BlockError, Source
from tests.sounds import pcm16, wav_bytes

DAY_S = 24 * 3_600
COMMENT = b"Recorded at 23:00:00 04/05/2026 (UTC+2) by AudioMoth 24F319055FDF2F5B at medium gain."


def stereo(folder: Path, n_samples: int = 100) -> Path:
    """Write two channels."""
    path = folder / "stereo.wav"
    path.write_bytes(wav_bytes(pcm16(np.zeros(2 * n_samples)), n_channels=2))
    return path


def with_chunk(name: bytes, body: bytes) -> bytes:
    """Make a file that ends in a chunk of this name."""
    return wav_bytes(pcm16(np.zeros(3))) + name + struct.pack("<I", len(body)) + body


GOLDEN = Path(__file__).parents[2] / "golden" / "source"


def n_read(source: Source) -> int:
    """Read to the end."""
    n_samples = 0
    while (block := source.read(1_000)) is not None:
        assert block.start_sample == n_samples
        n_samples += block.n_samples
    return n_samples


def test_a_channel_is_one_of_the_streams_or_the_mean(tmp_path: Path) -> None:
    path = stereo(tmp_path)
    for channel in (1, 2, None):
        assert n_read(Source.open(path, sensor_id=1, channel=channel)) == 100
    for channel in (3, 0, -1, 2**60):
        with pytest.raises(BlockError, match=f"^bad_channels: expected channel 1 to 2, got {channel}$") as refused:
            Source.open(path, sensor_id=1, channel=channel)
        assert refused.value.reason == "bad_channels"


@pytest.mark.parametrize("is_pipe", [False, True])
def test_raw_sound_has_channels_and_can_be_skipped(is_pipe: bool, tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(bytes(600))
    if is_pipe:
        reading, writing = os.pipe()
        os.write(writing, bytes(600))
        os.close(writing)
    else:
        reading = os.open(tmp_path / "raw", os.O_RDONLY)

    def source(channel: int | None) -> Source:
        return Source.pcm(reading, sensor_id=1, sample_rate=8_000, encoding="s24le", n_channels=2, channel=channel)

    with pytest.raises(BlockError, match="expected channel 1 to 2, got 3"):
        source(3)
    heard = source(None)
    assert heard.skip(30) == 30
    assert n_read(heard) == 70
    os.close(reading)


def test_a_skip_moves_the_beginning(tmp_path: Path) -> None:
    source = Source.open(stereo(tmp_path), sensor_id=1)
    assert (source.skip(40), source.skip(10), source.position, source.n_samples) == (40, 10, 0, 100)
    assert n_read(source) == source.position == 50
    with pytest.raises(BlockError, match="out_of_order: expected a stream of which nothing was read"):
        source.skip(1)
    source = Source.open(stereo(tmp_path), sensor_id=1)
    assert (source.skip(1_000), source.read(1), source.skip(1)) == (100, None, 0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (with_chunk(b"bext", bytes(320) + b"2026-05-04" + b"21:00:00" + bytes(264)), "2026-05-04T21:00:00"),
        (with_chunk(b"LIST", b"INFOICMT" + struct.pack("<I", len(COMMENT)) + COMMENT), "2026-05-04T21:00:00Z"),
        (with_chunk(b"LIST", b"INFOICMT" + struct.pack("<I", 14) + b"Anna, at 21:00"), None),
        (wav_bytes(pcm16(np.zeros(3))), None),
    ],
)
def test_the_recorders_stamp_is_digits_or_none(content: bytes, expected: str | None, tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    assert Source.open(tmp_path / "x.wav", sensor_id=1).recorded_at == expected


def test_a_day_of_sound_is_read_in_parts(tmp_path: Path) -> None:
    n_samples = DAY_S * 48_000
    sizes = struct.pack("<QQQI", 2 * n_samples + 72, 2 * n_samples, n_samples, 0)
    head = b"RF64\xff\xff\xff\xffWAVEds64" + struct.pack("<I", len(sizes)) + sizes
    head += b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 48_000, 96_000, 2, 16) + b"data\xff\xff\xff\xff"
    path = tmp_path / "day.wav"
    path.write_bytes(head)
    os.truncate(path, len(head) + 2 * n_samples)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for hour in (0, 12, 23):
        source = Source.open(path, sensor_id=1)
        assert source.n_samples == n_samples
        assert source.skip(hour * 3_600 * 48_000) == hour * 3_600 * 48_000
        for second in range(60):
            block = source.read(48_000)
            assert block is not None
            assert (block.start_sample, block.n_samples) == (second * 48_000, 48_000)
    # Three minutes of samples are 35 MB; a block is 0.2 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb < 16_000


@pytest.mark.parametrize(
    ("name", "n_samples", "n_channels"),
    [
        ("mono_mp3.mp3", 4_000, 1),
        ("stereo_mp3.mp3", 3_360, 2),
        ("stereo_aac.m4a", 3_360, 2),
        ("mono_adts.aac", 5_120, 1),
    ],
)
def test_what_a_file_is_its_bytes_say(name: str, n_samples: int, n_channels: int, tmp_path: Path) -> None:
    path = tmp_path / "recording.wav"
    path.write_bytes((GOLDEN / name).read_bytes())
    source = Source.open(path, sensor_id=1, channel=None)
    assert source.n_channels == n_channels
    assert n_read(source) == n_samples
