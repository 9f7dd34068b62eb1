"""Weightings, time weightings, equivalent and percentile levels against the standard, scipy and slow references."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import dsp_core.arrays as arrays
import numpy as np
import pytest
from dsp_core.arrays import a_weighting, c_weighting, leq, percentile_level, time_weighting, z_weighting
from dsp_core.zone import ParameterError
from numpy.typing import NDArray
from scipy import signal
from tests.unit.dsp_core.arrays.oracle import analogue_gain_db, leq_db, noise, tone, weighted_by_fft

WEIGHTINGS = {"A": a_weighting, "C": c_weighting}


@pytest.mark.parametrize("kind", WEIGHTINGS)
@pytest.mark.parametrize(("sample_rate", "top_hz"), [(16_000, 6_400), (32_000, 13_000), (44_100, 20e3), (48_000, 20e3)])
def test_sines_come_out_with_the_analogue_gain(kind: str, sample_rate: int, top_hz: float) -> None:
    for hz in (1_000 * 10 ** (k / 10) for k in range(-20, 14)):
        if hz > top_hz:
            continue
        settle = sample_rate  # one second
        periods = np.ceil(0.3 * hz) / hz
        y = tone(hz, 1 + periods, sample_rate)
        weighted = WEIGHTINGS[kind](y, sample_rate=sample_rate)
        gain_db = leq_db(weighted[settle:]) - leq_db(y[settle:])
        assert abs(gain_db - float(analogue_gain_db(hz, kind))) < 0.25, hz


@pytest.mark.parametrize("kind", WEIGHTINGS)
def test_noise_is_as_loud_as_by_fft(kind: str) -> None:
    y = noise(480_000)
    weighted = WEIGHTINGS[kind](y, sample_rate=48_000)
    assert abs(leq_db(weighted) - leq_db(weighted_by_fft(y, 48_000, kind))) < 0.05


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 44_100, 192_000])
def test_z_is_flat_without_a_constant(sample_rate: int) -> None:
    for hz in (10, 12.5, 16, 31.5, 1_000, 0.45 * sample_rate):
        periods = np.ceil(0.3 * hz) / hz
        y = tone(hz, 3 + periods, sample_rate) + np.float32(0.5)
        gain_db = leq_db(z_weighting(y, sample_rate=sample_rate)[3 * sample_rate :]) - 10 * np.log10(0.5)
        expected = -10 * np.log10(1 + (1 / hz) ** 2)  # a pole at 1 Hz
        assert abs(gain_db - expected) < 0.005, hz
        assert abs(gain_db) < 0.05


@pytest.mark.parametrize("sample_rate", [7_999, 192_001, np.nan, "48000", None, True, 44_100.5])
def test_no_sample_rate_has_no_top(sample_rate: Any) -> None:
    with pytest.raises(ParameterError, match=r"^sample_rate: expected a whole number from 8000 to 192000 Hz, got "):
        arrays.weighting_top_hz(sample_rate=sample_rate)


def test_low_sounds_are_weighted_as_by_scipy() -> None:
    # An independent design, bilinear from the analogue poles: it agrees where the rate is high against the frequency.
    radians = 2 * np.pi * np.array([20.598997, 20.598997, 107.65265, 737.86223, 12194.217, 12194.217])
    zeros, poles, gain = signal.bilinear_zpk(np.zeros(4), -radians, (2 * np.pi * 12194.217) ** 2, 192_000)
    sos = signal.zpk2sos(zeros, poles, gain * 10 ** (2.0 / 20))
    y = signal.sosfilt(signal.butter(4, 800, fs=192_000, output="sos"), noise(192_000).astype(np.float64))
    y = y.astype(np.float32)
    expected = signal.sosfilt(sos, y.astype(np.float64))
    got, by_scipy = (
        time_weighting(weighted, sample_rate=192_000)[20_000:]
        for weighted in (a_weighting(y, sample_rate=192_000), expected.astype(np.float32))
    )
    assert np.abs(got - by_scipy).max() < 0.02


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 48_000])
@pytest.mark.parametrize("seconds", [0.125, 1.0, 0.003])
def test_running_level_is_the_exponential_mean(sample_rate: int, seconds: float) -> None:
    y = noise(3 * sample_rate)
    decay = np.exp(-1 / (seconds * sample_rate))
    mean = signal.lfilter([1 - decay], [1, -decay], y.astype(np.float64) ** 2)
    got = time_weighting(y, sample_rate=sample_rate, time_constant_s=seconds, reference=20e-6)
    assert np.abs(got - 10 * np.log10(mean / 20e-6**2)).max() < 1e-5


def test_names_are_time_constants() -> None:
    y = noise(20_000)
    for name, seconds in (("fast", 0.125), ("slow", 1.0)):
        by_name = time_weighting(y, sample_rate=16_000, time_constant_s=name)  # type: ignore[arg-type]
        assert np.array_equal(by_name, time_weighting(y, sample_rate=16_000, time_constant_s=seconds))


def test_impulse_is_a_mean_of_35_ms_with_a_peak_detector() -> None:
    y = np.concatenate([noise(8_000), np.zeros(8_000, np.float32), 3 * noise(4_000, seed=2)])
    d, p = np.exp(-1 / (0.035 * 16_000)), np.exp(-1 / (1.5 * 16_000))
    mean = peak = 0.0
    expected = []
    for square in y.astype(np.float64) ** 2:
        mean = d * mean + (1 - d) * square
        peak = max(mean, peak * p)
        expected.append(peak)
    got = time_weighting(y, sample_rate=16_000, time_constant_s="impulse")
    assert np.abs(got - 10 * np.log10(expected)).max() < 1e-5


# Duration in ms, LAFmax - LA, LASmax - LA in dB: IEC 61672-1:2013, Table 4.
TONEBURSTS = [
    (1_000, 0.0, -2.0),
    (500, -0.1, -4.1),
    (200, -1.0, -7.4),
    (100, -2.6, -10.2),
    (50, -4.8, -13.1),
    (20, -8.3, -17.0),
    (10, -11.1, -20.0),
    (5, -14.1, -23.0),
    (2, -18.0, -27.0),
    (1, -21.0, None),
    (0.5, -24.0, None),
    (0.25, -27.0, None),
]


@pytest.mark.parametrize(("milliseconds", "fast", "slow"), TONEBURSTS)
@pytest.mark.parametrize("sample_rate", [16_000, 32_000, 48_000])
def test_tonebursts(milliseconds: float, fast: float, slow: float | None, sample_rate: int) -> None:
    y = np.zeros(2 * sample_rate, np.float32)
    burst = tone(4_000, milliseconds / 1_000, sample_rate)
    y[1_000 : 1_000 + len(burst)] = burst
    steady = leq_db(a_weighting(tone(4_000, 1, sample_rate), sample_rate=sample_rate)[sample_rate // 2 :])
    weighted = a_weighting(y, sample_rate=sample_rate)
    for seconds, expected in ((0.125, fast), (1.0, slow)):
        if expected is None:
            continue
        level = time_weighting(weighted, sample_rate=sample_rate, time_constant_s=seconds).max() - steady
        # The table is the formula, rounded. A burst of a period or two loses a little to its edges; class 1 leaves
        # there 1.0 dB above, 2.5 and 3.0 dB below.
        assert abs(10 * np.log10(1 - np.exp(-milliseconds / 1_000 / seconds)) - expected) < 0.051
        assert abs(level - expected) < (0.1 if milliseconds >= 1 else 0.5)


def test_levels_of_known_tones() -> None:
    y = tone(1_000, 1, 48_000)
    assert abs(leq(y, sample_rate=48_000) - -3.0103) < 1e-4
    pascals = tone(1_000, 2, 48_000, amplitude=20e-6 * 10 ** (94 / 20) * 2**0.5)
    weighted = a_weighting(pascals, sample_rate=48_000)[48_000:]
    assert abs(leq(weighted, sample_rate=48_000, reference=20e-6) - 94.0) < 0.01


@pytest.mark.parametrize("sample_rate", [8_000, 11_025, 44_100])
@pytest.mark.parametrize("period_s", [0.125, 0.3, 1.0, 1.7])
def test_periods_are_those_of_the_samples(sample_rate: int, period_s: float) -> None:
    y = noise(round(3.9 * sample_rate)).reshape(1, -1).repeat(2, axis=0)
    y[1] *= 2
    levels = leq(y, sample_rate=sample_rate, period_s=period_s)
    assert levels.shape == (2, int(3.9 / period_s + 1e-9))
    edges = np.ceil(np.arange(levels.shape[1] + 1) * period_s * sample_rate - 1e-6).astype(int)
    for row, got in zip(y, levels, strict=True):
        expected = [leq_db(row[a:b]) for a, b in pairwise(edges)]
        assert np.allclose(got, expected, rtol=0, atol=1e-9)


def test_energies_of_periods_sum_up_to_the_whole() -> None:
    y = noise(480_000) * np.linspace(0.1, 1, 480_000, dtype=np.float32)
    whole = leq(y, sample_rate=48_000)
    for period_s in (0.01, 0.1, 1.0, 2.5):
        periods = leq(y, sample_rate=48_000, period_s=period_s)
        assert abs(10 * np.log10(np.mean(10 ** (periods / 10))) - whole) < 0.01


def test_silence_has_a_floor() -> None:
    y = np.zeros(1_000, np.float32)
    assert leq(y, sample_rate=8_000) == -300.0
    assert time_weighting(a_weighting(y, sample_rate=8_000), sample_rate=8_000).max() == -300.0
    assert leq(y, sample_rate=8_000, reference=20e-6) == pytest.approx(-300 + 93.979, abs=1e-3)


@pytest.mark.filterwarnings("error")
def test_minus_infinity_is_the_lowest_level() -> None:
    levels_db = np.array([-np.inf, -np.inf, -40.0, -20.0])
    exceeded = [float(percentile_level(levels_db, percent=percent)) for percent in (0, 34, 50, 90, 100)]
    assert exceeded == sorted(exceeded, reverse=True)
    assert (exceeded[0], exceeded[-1]) == (-20.0, -300.0)
    assert float(percentile_level(np.full(3, -np.inf, np.float32), percent=50)) == -300.0


def test_percentiles_are_exceeded_for_their_share_of_time() -> None:
    levels = np.random.default_rng(3).normal(60, 8, (2, 3, 2_000))
    for percent in (1, 10, 50, 90, 99):
        got = percentile_level(levels, percent=percent)
        share = (levels > got[..., None]).mean(axis=-1) * 100
        assert np.abs(share - percent).max() <= 0.05
    assert percentile_level(levels[0, 0], percent=10) > percentile_level(levels[0, 0], percent=90)
    assert np.array_equal(percentile_level(levels, percent=0, axis=0), levels.max(axis=0))
    assert np.array_equal(percentile_level(levels, percent=100, axis=-3), levels.min(axis=0))


def test_leading_axes_are_kept_and_rows_are_alone() -> None:
    y = noise(6 * 4_000).reshape(2, 3, 4_000)
    functions: list[Callable[..., NDArray[Any]]] = [a_weighting, c_weighting, z_weighting, time_weighting, leq]
    for function in functions:
        whole = function(y, sample_rate=8_000)
        assert whole.shape[:2] == (2, 3)
        for index in np.ndindex(2, 3):
            assert np.array_equal(whole[index], function(y[index], sample_rate=8_000))


@pytest.mark.parametrize("function", [a_weighting, c_weighting, z_weighting, time_weighting])
def test_out_is_written_and_returned(function: Callable[..., NDArray[np.float32]]) -> None:
    y = noise(4_000).reshape(2, 2_000)
    out = np.full_like(y, 7)
    assert function(y, sample_rate=8_000, out=out) is out
    assert np.array_equal(out, function(y, sample_rate=8_000))


Y = noise(1_000)
BAD_Y = {
    "float32, got float64: y.astype(np.float32)": Y.astype(np.float64),
    "a numpy array of float32, got list": Y.tolist(),
    "at least 1 sample, got shape (0,)": Y[:0],
    "a C-contiguous array, got strides (8,)": Y[::2],
    "finite samples, got NaN at sample 3": np.where(np.arange(1_000) == 3, np.float32(np.nan), Y),
    "finite samples, got infinity at sample 5 of row 1": np.where(
        np.arange(1_000).reshape(2, 500) == 505, np.float32(-np.inf), Y.reshape(2, 500)
    ),
}


@pytest.mark.parametrize("function", ["a_weighting", "c_weighting", "z_weighting", "time_weighting", "leq"])
@pytest.mark.parametrize(("words", "y"), BAD_Y.items())
def test_bad_signals_are_refused(function: str, words: str, y: Any) -> None:
    with pytest.raises(ParameterError) as refusal:
        getattr(arrays, function)(y, sample_rate=8_000)
    assert words in str(refusal.value)
    assert str(refusal.value).startswith("y: expected ")


@pytest.mark.parametrize(
    ("function", "options", "name"),
    [
        *(
            (function, {"sample_rate": rate}, "sample_rate")
            for function in ("a_weighting", "c_weighting", "z_weighting", "time_weighting", "leq")
            for rate in (7_999, 192_001, 16_000.5, np.nan, "16000", True, None)
        ),
        *(
            (function, {"reference": reference}, "reference")
            for function in ("time_weighting", "leq")
            for reference in (0, -1.0, np.nan, np.inf, "1", None, True)
        ),
        *(("time_weighting", {"time_constant_s": x}, "time_constant_s") for x in (0, -1, np.nan, "quick", None)),
        *(("leq", {"period_s": x}, "period_s") for x in (0, -1, np.inf, 1e-5, 0.2, "1")),
        *(
            (function, {"out": out}, "out")
            for function in ("a_weighting", "c_weighting", "z_weighting", "time_weighting")
            for out in (np.zeros(1_000), np.zeros(999, np.float32), np.zeros(2_000, np.float32)[::2], Y, [0.0])
        ),
    ],
)
def test_bad_options_are_refused(function: str, options: dict[str, Any], name: str) -> None:
    with pytest.raises(ParameterError, match=f"^{name}: expected .*, got "):
        getattr(arrays, function)(Y, **({"sample_rate": 8_000} | options))


def test_a_read_only_signal_is_heard_and_a_read_only_out_refused() -> None:
    y = Y.copy()
    y.flags.writeable = False
    assert np.array_equal(a_weighting(y, sample_rate=8_000), a_weighting(Y, sample_rate=8_000))
    with pytest.raises(ParameterError, match=r"^out: "):
        a_weighting(Y, sample_rate=8_000, out=y)


@pytest.mark.parametrize(
    ("levels", "options", "name"),
    [
        ([50.0], {}, "levels_db"),
        (np.array([50]), {}, "levels_db"),
        (np.zeros(0), {}, "levels_db"),
        (np.array([50.0, np.nan]), {}, "levels_db"),
        (np.zeros(3), {"percent": 101}, "percent"),
        (np.zeros(3), {"percent": np.nan}, "percent"),
        (np.zeros(3), {"percent": "10"}, "percent"),
        (np.zeros(3), {"axis": 1}, "axis"),
        (np.zeros(3), {"axis": None}, "axis"),
    ],
)
def test_bad_percentiles_are_refused(levels: Any, options: dict[str, Any], name: str) -> None:
    with pytest.raises(ParameterError, match=f"^{name}: expected .*, got "):
        percentile_level(levels, **({"percent": 10} | options))


def test_samples_of_any_scale_have_their_level() -> None:
    tone = np.sin(2 * np.pi * 1_000 * np.arange(96_000) / 48_000).astype(np.float32)
    scale_db = 20 * np.log10(32_768)
    of = {}
    for scale in (1.0, 32_768.0):
        levels = arrays.Levels(sample_rate=48_000)
        levels.push(tone * np.float32(scale))
        of[scale] = levels.summary().laeq_db
    assert of[32_768.0] - of[1.0] == pytest.approx(scale_db, abs=1e-3)
