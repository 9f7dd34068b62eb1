from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from tests.sounds import noise

from sourdine.evidence import spectrogram
from sourdine.evidence.spectrogram import N_COLUMNS, N_ROWS, Spectrogram, read_spectrogram


def read(folder: Path, samples: NDArray[np.float64], rate: int = 16_000, since_s: float = 0.0) -> Spectrogram:
    """Write a sound and read its spectrogram."""
    soundfile.write(folder / "x.wav", samples, rate, subtype="FLOAT")
    return read_spectrogram(folder / "x.wav", 1, since_s, len(samples) / rate)


def hz_of(row: int, image: Spectrogram) -> float:
    """Give the middle of a row."""
    edges = np.geomspace(*image.edges_hz, N_ROWS + 1)
    return float(np.sqrt(edges[row] * edges[row + 1]))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("hz", [200.0, 1_000.0, 3_000.0])
def test_tone_stands_at_its_frequency(hz: float, rate: int, tmp_path: Path) -> None:
    image = read(tmp_path, 0.5 * np.sin(2 * np.pi * hz * np.arange(rate) / rate), rate)
    assert image.power_db.max() == 0.0
    loudest = hz_of(int(image.power_db.mean(axis=1).argmax()), image)
    assert loudest == pytest.approx(hz, abs=0.6 * rate / 2 ** round(np.log2(0.05 * rate)) + 0.02 * hz)


def test_white_noise_is_as_grey_in_low_rows_as_in_high_ones(tmp_path: Path) -> None:
    image = read(tmp_path, noise(60.0))
    rows = 10 * np.log10((10 ** (image.power_db / 10)).mean(axis=1))
    # Rows far narrower than a bin hold a share of few values; the mean over a minute still differs by little.
    assert np.ptp(rows) < 1.5


@pytest.mark.parametrize("duration_s", [0.5, 7.0, 400.0])
def test_click_stands_at_its_second(duration_s: float, tmp_path: Path) -> None:
    samples = np.zeros(int(duration_s * 16_000))
    samples[int(0.7 * len(samples))] = 1.0
    image = read(tmp_path, samples)
    begin_s, end_s = image.edges_s
    column_s = (end_s - begin_s) / image.power_db.shape[1]
    loudest = begin_s + (int(image.power_db.max(axis=0).argmax()) + 0.5) * column_s
    assert loudest == pytest.approx(0.7 * duration_s, abs=column_s + 0.032)
    assert -0.001 <= begin_s < 0.07
    assert duration_s - 0.6 < end_s <= duration_s + 0.001


@pytest.mark.parametrize("channel", [1, 2, None])
def test_the_channel_that_was_heard_is_drawn(channel: int | None, tmp_path: Path) -> None:
    both = np.stack([noise(2.0, seed=1), noise(2.0, seed=2)], axis=1)
    soundfile.write(tmp_path / "both.wav", both, 16_000, subtype="FLOAT")
    image = read_spectrogram(tmp_path / "both.wav", channel, 0.0, 2.0)
    alone = both.mean(axis=1) if channel is None else both[:, channel - 1]
    assert np.abs(image.power_db - read(tmp_path, alone).power_db).max() < 1e-3


def test_part_is_the_same_as_the_part_alone(tmp_path: Path) -> None:
    samples = noise(20.0)
    part = read(tmp_path, samples, since_s=5.0)
    alone = read(tmp_path, samples[5 * 16_000 :])
    assert np.array_equal(part.power_db, alone.power_db)
    assert part.edges_s == pytest.approx([edge_s + 5.0 for edge_s in alone.edges_s])


def test_how_much_is_read_at_once_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = noise(20.0)
    whole = read(tmp_path, samples)
    monkeypatch.setattr(spectrogram, "_FRAMES_PER_READ", 3)
    assert read(tmp_path, samples).power_db == pytest.approx(whole.power_db, abs=1e-9)


def test_of_several_channels_the_first_is_drawn_as_it_is_heard(tmp_path: Path) -> None:
    samples = noise(3.0)
    alone = read(tmp_path, samples)
    both = read(tmp_path, np.column_stack([samples, noise(3.0, seed=7, level=0.9)]))
    assert np.array_equal(both.power_db, alone.power_db)


def test_silence_and_less_than_a_frame(tmp_path: Path) -> None:
    assert np.isneginf(read(tmp_path, np.zeros(16_000)).power_db).all()
    assert read(tmp_path, noise(0.001)).power_db.shape == (N_ROWS, 1)


def test_memory_does_not_grow_with_the_recording(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "x.wav", "w", 16_000, 1, "PCM_16") as file:
        for second in range(1_800):
            file.write(noise(1.0, seed=second))
    tracemalloc.start()
    image = read_spectrogram(tmp_path / "x.wav", 1, 0.0, 1_800.0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert image.power_db.shape == (N_ROWS, N_COLUMNS)
    assert peak < 40_000_000
