"""Bad arguments cost one line that names the parameter, what it may be and what it was."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from dsp_core import (
    AnomalyScorer,
    DspCoreError,
    Levels,
    ParameterError,
    a_weighting,
    frame,
    leq,
    log_mel,
    mel_filterbank,
    power_spectrum,
    resample,
    third_octave_levels,
)

GOOD = np.zeros(16_000, np.float32)


def log_mel_of_a_long_transform(y: Any, *, sample_rate: Any) -> Any:
    """Give bands that hold a bin at 48 kHz."""
    return log_mel(y, sample_rate=sample_rate, n_fft=2048)


def leq_by_second(y: Any, *, sample_rate: Any) -> Any:
    """Give levels of parts."""
    return leq(y, sample_rate=sample_rate, period_s=0.1)


def scored(frames: Any) -> Any:
    """Score frames."""
    return AnomalyScorer().score(frames)


ON_SIGNALS: dict[str, Callable[[Any], Any]] = {
    "frame": lambda y: frame(y, win_length=400, hop=160),
    "power_spectrum": power_spectrum,
    "log_mel": lambda y: log_mel(y, sample_rate=16_000),
    "resample": lambda y: resample(y, sample_rate=48_000),
}

NO_SIGNALS: dict[str, tuple[Any, str]] = {
    "list": ([0.0] * 16_000, "y: expected a numpy array of float32, got list: np.asarray(y, np.float32)"),
    "none": (None, "y: expected a numpy array of float32, got NoneType"),
    "float64": (GOOD.astype(np.float64), "y: expected float32, got float64: y.astype(np.float32)"),
    "int16": (GOOD.astype(np.int16), "y: expected float32, got int16: y.astype(np.float32) / 32768"),
    "uint8": (GOOD.astype(np.uint8), "y: expected float32, got uint8: (y.astype(np.float32) - 128) / 128"),
    "complex": (GOOD.astype(np.complex64), "y: expected float32, got complex64"),
    "truth": (GOOD > 0, "y: expected float32, got bool"),
    "masked": (np.ma.array(GOOD), "y: expected an array without a mask, got MaskedArray: y.filled(0)"),
    "swapped": (GOOD.astype(">f4"), "y: expected float32, got >f4: y.astype(np.float32)"),
    "empty": (GOOD[:0], "y: expected at least 1 sample, got shape (0,)"),
    "scalar": (np.zeros((), np.float32), "y: expected shape (..., n), got shape ()"),
    "strided": (GOOD[::2], "y: expected a C-contiguous array, got strides (8,): np.ascontiguousarray(y)"),
    "transposed": (
        GOOD.reshape(2, -1).T,
        "y: expected a C-contiguous array, got strides (4, 32000): np.ascontiguousarray(y)",
    ),
}


@pytest.mark.parametrize("function", ON_SIGNALS)
@pytest.mark.parametrize("name", NO_SIGNALS)
def test_no_signal(function: str, name: str) -> None:
    y, line = NO_SIGNALS[name]
    with pytest.raises(ParameterError) as caught:
        ON_SIGNALS[function](y)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert ("np." in line) == ("np." in str(caught.value))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.float64])
def test_what_a_refusal_advises_gives_a_signal_between_minus_1_and_1(dtype: Any) -> None:
    low, high = (-1.0, 1.0) if dtype == np.float64 else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    y = np.array([low, high, low, high] * 1_000, dtype)
    with pytest.raises(ParameterError) as caught:
        power_spectrum(y)
    advised = eval(str(caught.value).rpartition(": ")[2], {"y": y, "np": np})  # the advice itself
    assert advised.dtype == np.float32
    assert (advised.min(), advised.max()) == (-1.0, pytest.approx(1.0, abs=0.01))


@pytest.mark.parametrize("function", ["power_spectrum", "log_mel", "resample"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_named_by_its_place(function: str, bad: float) -> None:
    y = np.zeros((3, 16_000), np.float32)
    y[1, 777] = bad
    with pytest.raises(ParameterError, match=r"y: expected finite samples, got (NaN|infinity) at sample 777 of row 1"):
        ON_SIGNALS[function](y)


@pytest.mark.parametrize("function", ["power_spectrum", "log_mel", "resample"])
def test_what_would_overflow_is_refused_and_what_is_large_is_not(function: str) -> None:
    y = np.zeros((3, 16_000), np.float32)
    y[:, ::2] = 1e12
    assert np.isfinite(ON_SIGNALS[function](y)).all()
    y[2, 5] = -1.1e12
    with pytest.raises(ParameterError, match="y: expected samples within ±1e12, got more at sample 5 of row 2"):
        ON_SIGNALS[function](y)


IMPOSSIBLE: dict[str, tuple[Callable[[], Any], str]] = {
    "n_fft": (lambda: power_spectrum(GOOD, n_fft=500), "n_fft: expected a power of two from 64 to 16384, got 500"),
    "large n_fft": (lambda: log_mel(GOOD, sample_rate=16_000, n_fft=32_768), "n_fft: expected a power of two"),
    "n_fft in words": (
        lambda: power_spectrum(GOOD, n_fft="512"),  # type: ignore[arg-type]
        "n_fft: expected a whole number from 1 to 2147483647, got str",
    ),
    "win_length": (lambda: power_spectrum(GOOD, win_length=513), "win_length: expected 1 to n_fft (512), got 513"),
    "hop": (lambda: power_spectrum(GOOD, hop=0), "hop: expected a whole number from 1 to 2147483647, got 0"),
    "frame": (
        lambda: frame(GOOD, win_length=16_001, hop=1),
        "win_length: expected at most the length of y (16000), got 16001",
    ),
    "short": (
        lambda: log_mel(GOOD[:399].copy(), sample_rate=16_000),
        "y: expected at least win_length (400) samples, got 399",
    ),
    "fmax": (
        lambda: log_mel(GOOD, sample_rate=14_000),
        "fmax: expected at most half the sample rate (7000 Hz), got 7500",
    ),
    "fmin": (lambda: log_mel(GOOD, sample_rate=16_000, fmin=-1.0), "fmin: expected at least 0 and below fmax"),
    "nan": (lambda: mel_filterbank(sample_rate=16_000, fmax=float("nan")), "fmin: expected at least 0 and below fmax"),
    "empty band": (lambda: log_mel(GOOD, sample_rate=16_000, n_mels=200), "n_mels: expected few enough bands"),
    "empty band of a bank": (
        lambda: mel_filterbank(sample_rate=16_000, n_mels=200),
        "n_mels: expected few enough bands",
    ),
    "n_mels": (lambda: mel_filterbank(sample_rate=16_000, n_mels=513), "n_mels: expected 1 to 512, got 513"),
    "scale": (
        lambda: mel_filterbank(sample_rate=16_000, mel_scale="bark"),  # type: ignore[arg-type]
        "mel_scale: expected 'htk' or 'slaney', got 'bark'",
    ),
    "norm": (
        lambda: mel_filterbank(sample_rate=16_000, norm="area"),  # type: ignore[arg-type]
        "norm: expected None or 'slaney', got 'area'",
    ),
    "norm of many": (
        lambda: mel_filterbank(sample_rate=16_000, norm=np.ones(2)),  # type: ignore[arg-type]
        "norm: expected None or 'slaney', got array([1., 1.])",
    ),
    "rate": (
        lambda: resample(GOOD, sample_rate=7_999),
        "sample_rate: expected a whole number from 8000 to 192000 Hz, got 7999",
    ),
    "target": (
        lambda: resample(GOOD, sample_rate=8_000, target_rate=1),
        "target_rate: expected a whole number from 8000 to 192000 Hz, got 1",
    ),
    "broken rate": (
        lambda: resample(GOOD, sample_rate=44_100.5),  # type: ignore[arg-type]
        "sample_rate: expected a whole number from 8000 to 192000 Hz, got 44100.5",
    ),
    **{
        f"dial of {dial}": (
            partial(AnomalyScorer, alarms_per_day=dial),  # type: ignore[arg-type]
            f"alarms_per_day: expected a number over 0, at most 4000, got {words}",
        )
        for dial, words in ((0.0, "0"), (-1, "-1"), (4000.5, "4000.5"), (np.inf, "inf"), (np.nan, "NaN"), ("x", "str"))
    },
    "frames": (lambda: scored(np.zeros((5, 40), np.float32)), "frames: expected shape (n_frames, 64)"),
    "frames of one axis": (lambda: scored(np.zeros(64, np.float32)), "frames: expected shape (n_frames, 64)"),
    "frames in float64": (lambda: scored(np.zeros((5, 64))), "frames: expected float32, got float64"),
    "frames with NaN": (
        lambda: scored(np.where(np.arange(320).reshape(5, 64) == 200, np.nan, 0).astype(np.float32)),
        "frames: expected finite values, got NaN at band 8 of frame 3",
    ),
    "no frames": (lambda: scored(np.zeros((0, 64), np.float32)), "frames: expected shape (n_frames, 64)"),
    "large hop": (
        lambda: power_spectrum(GOOD, hop=2**31),
        "hop: expected a whole number from 1 to 2147483647, got 2147483648",
    ),
    "no fmax": (
        lambda: log_mel(GOOD, sample_rate=16_000, fmax=None),  # type: ignore[arg-type]
        "fmax: expected a frequency in Hz, at most half the sample rate, got NoneType",
    ),
}


@pytest.mark.parametrize(("call", "line"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_impossible_settings(call: Callable[[], Any], line: str) -> None:
    with pytest.raises(ParameterError) as caught:
        call()
    assert str(caught.value).startswith(line)


@pytest.mark.parametrize("sample_rate", [32_000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize("function", [partial(log_mel, GOOD), partial(mel_filterbank, mel_scale="slaney")])
def test_the_way_out_of_too_many_bands_is_one(function: Callable[..., Any], sample_rate: int) -> None:
    with pytest.raises(ParameterError, match=r"n_fft=\d+, or fewer bands, or resample to 16000 Hz$") as caught:
        function(sample_rate=sample_rate, n_mels=100, n_fft=512)
    function(sample_rate=sample_rate, n_mels=100, n_fft=int(str(caught.value).split("n_fft=")[1].split(",")[0]))


def test_whole_floats_are_whole_numbers_for_every_function() -> None:
    rate: Any = 48_000.0
    broken: Any = 4800.5
    calls: list[Any] = [leq_by_second, a_weighting, resample, third_octave_levels, log_mel_of_a_long_transform]
    for call in calls:
        assert np.array_equal(np.hstack(call(GOOD, sample_rate=rate)), np.hstack(call(GOOD, sample_rate=48_000)))
        with pytest.raises(
            ParameterError, match=r"^sample_rate: expected a whole number from \d+ to \d+ Hz, got 4800.5"
        ):
            call(GOOD, sample_rate=broken)
    assert Levels(sample_rate=rate).push(GOOD).second.size == 0


def test_refusals_are_value_errors_and_of_one_family() -> None:
    assert issubclass(ParameterError, ValueError)
    assert issubclass(ParameterError, DspCoreError)
    assert ParameterError.__module__ == "dsp_core"
    with pytest.raises(ValueError, match="hop") as caught:
        power_spectrum(GOOD, hop=0)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), str(again)) == (ParameterError, str(caught.value))


@pytest.mark.parametrize("made", [AnomalyScorer(), Levels(sample_rate=16_000)], ids=["scorer", "meter"])
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_hears_a_stream_is_not_copied(made: object, way: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="got a copy"):
        way(made)


def test_out_that_does_not_fit() -> None:
    for out in (np.empty((98, 63), np.float32), np.empty((98, 64)), [0.0], np.empty((64, 98), np.float32).T):
        with pytest.raises(ParameterError, match=r"out: expected a"):
            log_mel(GOOD, sample_rate=16_000, out=out)  # type: ignore[arg-type]
    locked = np.empty((98, 64), np.float32)
    locked.flags.writeable = False
    with pytest.raises(ParameterError, match=r"out: expected a"):
        log_mel(GOOD, sample_rate=16_000, out=locked)
