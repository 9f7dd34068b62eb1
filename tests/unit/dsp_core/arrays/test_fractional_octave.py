"""Octave and third-octave levels against the mask of the standard, scipy at full rate, and the energy of the whole."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from dsp_core.arrays import leq, octave_levels, third_octave_levels
from dsp_core.zone import ParameterError
from scipy import signal
from tests.unit.dsp_core.arrays.oracle import Float64Array, leq_db, noise, tone

G = 10**0.3
# Exponent x of the octave mask, least and most attenuation of class 1 in dB: IEC 61260-1:2014, Table 1.
INSIDE = [(0, 0.4), (1 / 8, 0.5), (1 / 4, 0.7), (3 / 8, 1.4), (1 / 2, 5.3)]
OUTSIDE = [(1 / 2, 1.2), (1, 16.6), (2, 40.5), (3, 60.0), (4, 70.0)]


def omega(x: Float64Array | float) -> Float64Array:
    """Frequency of a breakpoint of the third-octave mask, re the midband: IEC 61260-1:2014, 5.10."""
    ratio: Float64Array = 1 + (G ** (1 / 6) - 1) / (G**0.5 - 1) * (G ** np.asarray(x, np.float64) - 1)
    return ratio


def limits(ratio: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Least and most attenuation of class 1 at a frequency re the midband; linear in its logarithm between them."""
    place = np.abs(np.log10(ratio))
    edge = np.log10(omega(0.5))
    inner, most = np.log10(omega(np.array([x for x, _ in INSIDE]))), [db for _, db in INSIDE]
    outer, least = np.log10(omega(np.array([x for x, _ in OUTSIDE]))), [db for _, db in OUTSIDE]
    is_inside = place < edge
    return (
        np.where(is_inside, -0.4, np.interp(place, outer, least)),
        np.where(is_inside, np.interp(place, inner, most), np.inf),
    )


def test_breakpoints_are_those_of_the_standard() -> None:
    expected = [1, 1.02667, 1.05575, 1.08746, 1.12202, 1.29437, 1.88173, 3.05365, 5.39195]
    assert np.allclose(omega(np.array([0, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 1, 2, 3, 4])), expected, atol=5e-6)


@cache
def attenuations(sample_rate: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Midbands, frequencies of sines, and what each band takes from each sine in dB, by the running function."""
    x = np.array([0, 1 / 8, 1 / 4, 3 / 8, 0.49, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5])
    midband_hz, _ = third_octave_levels(noise(sample_rate), sample_rate=sample_rate)
    hz = np.unique((midband_hz[:, None] * np.concatenate([omega(x), 1 / omega(x)])).round(9))
    hz = hz[hz < 0.499 * sample_rate]
    taken = []
    for one in hz:
        y = tone(one, 4, sample_rate)
        _, levels_db = third_octave_levels(y, sample_rate=sample_rate, period_s=1.0)
        taken.append(leq_db(y[-sample_rate:]) - levels_db[-1])
    return midband_hz, hz, np.array(taken)


@pytest.mark.parametrize(("sample_rate", "n_bands"), [(16_000, 25), (32_000, 28), (44_100, 29), (48_000, 30)])
def test_every_band_is_class_1(sample_rate: int, n_bands: int) -> None:
    midband_hz, hz, taken = attenuations(sample_rate)
    assert len(midband_hz) == n_bands
    assert np.allclose(midband_hz, 1_000 * 10 ** (np.arange(-16, n_bands - 16) / 10), rtol=1e-14)
    least, most = limits(hz[:, None] / midband_hz)
    assert (taken >= least).all(), [(hz[i], midband_hz[j]) for i, j in np.argwhere(taken < least)]
    assert (taken <= most).all(), [(hz[i], midband_hz[j]) for i, j in np.argwhere(taken > most)]


@pytest.mark.parametrize("sample_rate", [16_000, 48_000])
def test_a_sine_at_the_midband_is_measured_as_it_is(sample_rate: int) -> None:
    midband_hz, hz, taken = attenuations(sample_rate)
    at_midband = np.abs(hz[:, None] / midband_hz - 1) < 1e-9
    assert at_midband.sum() == len(midband_hz)
    assert np.abs(taken[at_midband]).max() < 0.02


@pytest.mark.parametrize("sample_rate", [8_000, 22_050, 47_700, 192_000])
def test_bands_of_other_rates_are_class_1_near_the_top(sample_rate: int) -> None:
    midband_hz, _ = third_octave_levels(noise(sample_rate), sample_rate=sample_rate)
    for midband in midband_hz[-4:]:
        ratios = np.concatenate([omega(np.linspace(0, 4, 33)), 1 / omega(np.linspace(0, 4, 33))])
        for ratio in ratios[ratios * midband < 0.499 * sample_rate]:
            y = tone(midband * ratio, 0.4, sample_rate)
            _, levels = third_octave_levels(y, sample_rate=sample_rate, fmin=midband, fmax=midband, period_s=0.2)
            least, most = limits(np.array([ratio]))
            taken = leq_db(y[-(sample_rate // 5) :]) - levels[-1, 0]
            assert least[0] <= taken <= most[0], (midband, ratio)


@cache
def octave_attenuations(sample_rate: int) -> tuple[Float64Array, Float64Array, Float64Array]:
    """The same of octaves, at the corners of their mask and between."""
    x = np.array([0, 1 / 8, 1 / 4, 3 / 8, 0.49, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5])
    midband_hz, _ = octave_levels(noise(sample_rate), sample_rate=sample_rate)
    hz = np.unique((midband_hz[:, None] * np.concatenate([G**x, G**-x])).round(9))
    hz = hz[hz < 0.499 * sample_rate]
    taken = []
    for one in hz:
        _, levels_db = octave_levels(tone(one, 3, sample_rate), sample_rate=sample_rate, period_s=1.0)
        taken.append(10 * np.log10(0.5) - levels_db[-1])
    return midband_hz, hz, np.array(taken)


@pytest.mark.parametrize(("sample_rate", "n_bands"), [(16_000, 8), (32_000, 9), (44_100, 9), (48_000, 10)])
def test_every_octave_is_class_1(sample_rate: int, n_bands: int) -> None:
    midband_hz, hz, taken = octave_attenuations(sample_rate)
    assert np.allclose(midband_hz, 1_000 * G ** np.arange(-5, n_bands - 5), rtol=1e-14)
    # An octave's own mask is the same table, without the scale of narrower bands (5.10).
    place = np.abs(np.log10(hz[:, None] / midband_hz)) / np.log10(G)
    inner, outer = (np.array(mask).T for mask in (INSIDE, OUTSIDE))
    least = np.where(place < 0.5, -0.4, np.interp(place, outer[0], outer[1]))
    most = np.where(place < 0.5, np.interp(place, inner[0], inner[1]), np.inf)
    assert (taken >= least).all(), [(hz[i], midband_hz[j]) for i, j in np.argwhere(taken < least)]
    assert (taken <= most).all(), [(hz[i], midband_hz[j]) for i, j in np.argwhere(taken > most)]
    at_midband = np.abs(hz[:, None] / midband_hz - 1) < 1e-9
    assert np.abs(taken[at_midband]).max() < 0.02


def test_levels_are_those_of_scipy_at_full_rate() -> None:
    # Its corners lie at the edges: it passes 0.11 dB more of noise than an ideal band, an octave 0.08 dB.
    y = noise(30 * 48_000)
    for levels, half, wider_db in ((third_octave_levels, 10**0.05, 0.11), (octave_levels, 10**0.15, 0.08)):
        midband_hz, levels_db = levels(y, sample_rate=48_000, fmin=100)
        for midband, level_db in zip(midband_hz, levels_db, strict=True):
            sos = signal.butter(4, (midband / half, midband * half), "bandpass", fs=48_000, output="sos")
            expected = leq_db(signal.sosfilt(sos, y.astype(np.float64)))
            assert abs(expected - level_db - wider_db) < 0.05, midband


@pytest.mark.parametrize("sample_rate", [16_000, 48_000])
def test_noise_reads_what_it_reads_in_ideal_bands(sample_rate: int) -> None:
    y = noise(120 * sample_rate)
    for levels, half in ((third_octave_levels, 10**0.05), (octave_levels, 10**0.15)):
        midband_hz, levels_db = levels(y, sample_rate=sample_rate, fmin=200)
        # Noise of equal power in each Hz, in bands that are flat over lg f: as wide as their effective bandwidth says.
        width = midband_hz * (half - 1 / half)
        off_db = levels_db - leq_db(y) - 10 * np.log10(width / (sample_rate / 2))
        assert np.abs(off_db).max() < 0.15
        assert abs(np.mean(off_db)) < 0.04


def test_octaves_and_third_octaves_hold_the_same_noise() -> None:
    y = noise(60 * 48_000)
    _, octaves_db = octave_levels(y, sample_rate=48_000, fmin=250, fmax=8_000)
    _, thirds_db = third_octave_levels(y, sample_rate=48_000, fmin=200, fmax=10_000)
    sums_db = 10 * np.log10((10 ** (thirds_db.reshape(-1, 3) / 10)).sum(axis=1))
    assert np.abs(sums_db - octaves_db).max() < 0.05


def test_levels_of_known_tones() -> None:
    y = tone(1_000, 3, 44_100, amplitude=20e-6 * 10 ** (94 / 20) * 2**0.5)
    midband_hz, levels_db = third_octave_levels(y, sample_rate=44_100, period_s=1.0, reference=20e-6)
    assert midband_hz[levels_db[2].argmax()] == pytest.approx(1_000)
    assert abs(levels_db[2].max() - 94.0) < 0.01
    assert abs(10 * np.log10((10 ** (levels_db[2] / 10)).sum()) - leq(y, sample_rate=44_100, reference=20e-6)) < 0.05


@pytest.mark.parametrize("period_s", [0.05, 0.3, 1.0])
def test_energies_of_periods_sum_up_to_the_whole(period_s: float) -> None:
    y = noise(6 * 44_100)
    _, whole = third_octave_levels(y, sample_rate=44_100)
    _, periods = third_octave_levels(y, sample_rate=44_100, period_s=period_s)
    assert periods.shape == (round(6 / period_s), len(whole))
    assert np.abs(10 * np.log10(np.mean(10 ** (periods / 10), axis=0)) - whole).max() < 0.05
    assert np.abs(10 * np.log10(np.mean(10 ** (periods / 10), axis=0)) - whole)[10:].max() < 0.01


def test_what_is_asked_for_does_not_depend_on_what_else_is() -> None:
    y = noise(3 * 32_000).reshape(3, 1, -1)
    midband_hz, all_db = third_octave_levels(y, sample_rate=32_000, period_s=0.25)
    assert all_db.shape == (3, 1, 4, len(midband_hz))
    some_hz, some_db = third_octave_levels(y[1, 0], sample_rate=32_000, fmin=100, fmax=2_000, period_s=0.25)
    assert some_hz.round().tolist() == [100, 126, 158, 200, 251, 316, 398, 501, 631, 794, 1000, 1259, 1585, 1995]
    place = np.searchsorted(midband_hz, some_hz[0])
    assert np.array_equal(some_db, all_db[1, 0, :, place : place + len(some_hz)])


def test_silence_has_a_floor() -> None:
    _, levels_db = third_octave_levels(np.zeros((2, 100), np.float32), sample_rate=48_000)
    assert levels_db.shape == (2, 30)
    assert (levels_db == -300.0).all()


Y = noise(16_000)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fmax": 20_000}, "fmax: expected 25 to 6300 Hz at this sample rate, got 20000 Hz"),
        ({"fmin": 5}, "fmin: expected 10 to 6300 Hz at this sample rate, got 5 Hz"),
        ({"fmin": 1_000, "fmax": 500}, "fmax: expected 1000 to 6300 Hz"),
        ({"fmin": 0}, "fmin: expected a finite number over 0, got 0"),
        ({"fmax": np.nan}, "fmax: expected a finite number over 0, got nan"),
        ({"fmin": "25"}, "fmin: expected a finite number over 0, got '25'"),
        ({"period_s": 0.001}, "period_s: expected at least 0.00400 s for bands down to 25 Hz, got 0.001 s"),
        ({"period_s": 1.1}, "period_s: expected at least 1 sample and at most the 1 s of y, got 1.1 s"),
        ({"reference": -1}, "reference: expected a finite number over 0, got -1"),
        ({"sample_rate": 4_000}, "sample_rate: expected a whole number from 8000 to 192000 Hz, got 4000"),
        ({"y": Y.astype(np.float64)}, "y: expected float32, got float64"),
        ({"y": Y[:0]}, "y: expected at least 1 sample"),
        ({"y": Y[::2]}, "y: expected a C-contiguous array"),
        ({"y": np.full(9, np.nan, np.float32)}, "y: expected finite samples, got NaN at sample 0"),
        ({"y": [1.0]}, "y: expected a numpy array of float32, got list"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"y": Y, "sample_rate": 16_000}
    with pytest.raises(ParameterError) as refusal:
        third_octave_levels(**(arguments | options))
    assert str(refusal.value).startswith(words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fmax": 8_000}, "fmax: expected 31.5 to 4000 Hz at this sample rate, got 8000 Hz"),
        ({"fmin": 10}, "fmin: expected 16 to 4000 Hz at this sample rate, got 10 Hz"),
        ({"fmin": 2_000, "fmax": 500}, "fmax: expected 2000 to 4000 Hz"),
        ({"period_s": 0.001}, "period_s: expected at least 0.00400 s for bands down to 31.5 Hz, got 0.001 s"),
        ({"reference": 0}, "reference: expected a finite number over 0, got 0"),
        ({"sample_rate": 7_999}, "sample_rate: expected a whole number from 8000 to 192000 Hz, got 7999"),
        ({"y": Y.astype(np.int16)}, "y: expected float32, got int16"),
        ({"y": Y[:0]}, "y: expected at least 1 sample"),
        ({"y": Y[::2]}, "y: expected a C-contiguous array"),
        ({"y": np.float32(1)}, "y: expected a numpy array of float32, got float32"),
        ({"y": np.full(9, np.nan, np.float32)}, "y: expected finite samples, got NaN at sample 0"),
    ],
)
def test_bad_arguments_of_octaves_are_refused(options: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"y": Y, "sample_rate": 16_000}
    with pytest.raises(ParameterError) as refusal:
        octave_levels(**(arguments | options))
    assert str(refusal.value).startswith(words)
