"""How far float32 spectra lie from float64, by how far a band lies below its frame's strongest bin.

Every number of the table in docs/from-librosa.md is an upper bound, is no more than three times what is measured, and
is bold where it exceeds what was wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from dsp_core import log_mel, mel_filterbank, power_spectrum, resample
from numpy.typing import NDArray
from tests.unit.dsp_core.arrays.test_spectra import RATE, htk64, spectra64

Float64Array = NDArray[np.float64]

PAGE = Path(__file__).resolve().parents[4] / "docs" / "from-librosa.md"
#: dB below the frame's strongest bin, and the error in dB that is wanted down to there.
WANTED_DB = {40: 1e-4, 80: 2e-3, 100: 0.03}
SIZES = {"400/160": (512, 400, 160), "1024/512": (1_024, 1_024, 512)}
N_RECORDINGS = 20


def synthetic() -> Iterator[NDArray[np.float64]]:
    """Give tones, pure and in noise 90 dB down, mixtures over 80 dB, a rumble, noise, clicks, a constant in noise."""
    t = np.arange(3 * RATE) / RATE
    noise = np.random.default_rng(3).normal(0, 1, len(t))
    for hz in (130.0, 1_000.0, 1_015.6, 3_333.0, 7_400.0):
        tone = 0.9 * np.sin(2 * np.pi * hz * t)
        yield tone
        yield tone + 3e-5 * noise
    for falling in ((200, 900, 2_000, 3_800, 6_500), (7_200, 5_000, 3_000, 1_200, 300)):
        yield np.sum([0.8 * 10.0**-k * np.sin(2 * np.pi * hz * t + k) for k, hz in enumerate(falling)], axis=0)
    rumble = np.cumsum(noise - noise.mean())
    yield 0.5 * rumble / np.abs(rumble).max()
    yield 0.2 * noise
    yield 1e-4 * noise
    yield np.where(np.arange(len(t)) % 4_000 == 0, 1.0, 0.0) + 1e-6 * noise
    yield 0.9 + 1e-4 * noise


def recordings(folder: Path) -> Iterator[NDArray[np.float32]]:
    """Give the first seconds of some recordings at 16 kHz."""
    paths = sorted((folder / "free").rglob("*.flac"))
    for path in paths[:: len(paths) // N_RECORDINGS][:N_RECORDINGS]:
        y, sample_rate = soundfile.read(path, dtype="float32", always_2d=True, frames=160_000)
        yield resample(np.ascontiguousarray(y[:, 0]), sample_rate=sample_rate)[: 5 * RATE]


def errors_db(y: NDArray[np.float32], sizes: tuple[int, int, int]) -> Iterator[tuple[str, Float64Array, Float64Array]]:
    """Give, by what is computed, each band's distance in dB from the frame's strongest bin, and its error in dB."""
    n_fft, win_length, hop = sizes
    magnitudes = np.abs(spectra64(y, n_fft, win_length, hop))
    bank = htk64(RATE, n_fft, 64, 125.0, 7_500.0).T
    bands, top = magnitudes @ bank + 0.001, magnitudes.max(axis=1, keepdims=True) + 0.001
    found = 20 / np.log(10) * log_mel(y, sample_rate=RATE, n_fft=n_fft, win_length=win_length, hop=hop)
    yield "`log_mel`", 20 * np.log10(top / bands), np.abs(found - 20 * np.log10(bands))
    is_sounding = top[:, 0] > 0.01  # of silence, no power is to be found
    bands, top = (magnitudes[is_sounding] ** 2) @ bank, magnitudes[is_sounding].max(axis=1, keepdims=True) ** 2
    powers = power_spectrum(y, n_fft=n_fft, win_length=win_length, hop=hop)[is_sounding]
    powers = powers @ mel_filterbank(sample_rate=RATE, n_fft=n_fft).T
    with np.errstate(divide="ignore", invalid="ignore"):
        yield "mel bands of `power_spectrum`", 10 * np.log10(top / bands), np.abs(10 * np.log10(powers / bands))


@cache
def worst(folder: Path) -> dict[tuple[str, int], float]:
    """Measure the largest error of each row and range, over all sounds."""
    found: dict[tuple[str, int], float] = {}
    for sound in (*synthetic(), *recordings(folder)):
        y = np.ascontiguousarray(sound, np.float32)
        for name, sizes in SIZES.items():
            for what, below_db, error_db in errors_db(y, sizes):
                for depth in WANTED_DB:
                    row = f"{what}, {name}", depth
                    found[row] = max(found.get(row, 0.0), float(np.max(error_db[below_db <= depth], initial=0.0)))
    return found


def stated() -> dict[tuple[str, int], str]:
    """Read the table of the page."""
    lines = re.findall(r"^\| ((?:`log_mel`|mel bands)[^|]*) \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {
        (what, depth): cell for what, cells in lines for depth, cell in zip(WANTED_DB, cells.split(" | "), strict=True)
    }


def test_the_page_states_what_is_measured(city_sounds: Path) -> None:
    measured, page = worst(city_sounds), stated()
    assert measured.keys() == page.keys()
    for row, cell in page.items():
        bound = float(cell.strip("*"))
        assert measured[row] <= bound <= 3 * measured[row], (row, measured[row], cell)
        assert cell.startswith("**") == (bound > WANTED_DB[row[1]]), (row, cell)


@pytest.mark.parametrize("name", SIZES)
def test_bands_within_40_db_of_the_strongest_bin_are_as_wanted_everywhere(city_sounds: Path, name: str) -> None:
    found = {row: error for row, error in worst(city_sounds).items() if row[0].endswith(name)}
    assert max(error for (_, depth), error in found.items() if depth == 40) <= WANTED_DB[40]
    power = f"mel bands of `power_spectrum`, {name}"
    if name == "1024/512":
        assert all(found[power, depth] <= wanted for depth, wanted in WANTED_DB.items())
