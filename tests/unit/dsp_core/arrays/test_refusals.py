"""Bad arguments cost one line that names the parameter, what it may be and what it was."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from dsp_core import AnomalyScorer, ParameterError, frame, log_mel, mel_filterbank, power_spectrum, resample

GOOD = np.zeros(16_000, np.float32)


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
    "none": (None, "y: expected a numpy array of float32, got NoneType: np.asarray(y, np.float32)"),
    "float64": (GOOD.astype(np.float64), "y: expected float32, got float64: y.astype(np.float32)"),
    "int16": (GOOD.astype(np.int16), "y: expected float32, got int16: y.astype(np.float32)"),
    "swapped": (GOOD.astype(">f4"), "y: expected float32, got >f4: y.astype(np.float32)"),
    "empty": (GOOD[:0], "y: expected at least 1 sample, got shape (0,)"),
    "scalar": (np.zeros((), np.float32), "y: expected at least 1 sample, got shape ()"),
    "strided": (GOOD[::2], "y: expected a C-contiguous array, got strides (8,): np.ascontiguousarray(y)"),
    "transposed": (GOOD.reshape(2, -1).T, "y: expected a C-contiguous array, got strides (4, 32000)"),
}


@pytest.mark.parametrize("function", ON_SIGNALS)
@pytest.mark.parametrize("name", NO_SIGNALS)
def test_no_signal(function: str, name: str) -> None:
    y, line = NO_SIGNALS[name]
    with pytest.raises(ParameterError) as caught:
        ON_SIGNALS[function](y)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


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
    "n_fft in words": (lambda: power_spectrum(GOOD, n_fft="512"), "n_fft: expected a whole number from 1, got str"),  # type: ignore[arg-type]
    "win_length": (lambda: power_spectrum(GOOD, win_length=513), "win_length: expected 1 to n_fft (512), got 513"),
    "hop": (lambda: power_spectrum(GOOD, hop=0), "hop: expected a whole number from 1, got 0"),
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
    "rate": (lambda: resample(GOOD, sample_rate=7_999), "sample_rate: expected 8000 to 192000 Hz, got 7999 Hz"),
    "target": (
        lambda: resample(GOOD, sample_rate=8_000, target_rate=1),
        "target_rate: expected 8000 to 192000 Hz, got 1 Hz",
    ),
    "broken rate": (
        lambda: resample(GOOD, sample_rate=44_100.5),  # type: ignore[arg-type]
        "sample_rate: expected a whole number from 1, got 44100.5",
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
    "frames with NaN": (lambda: scored(np.full((5, 64), np.nan, np.float32)), "frames: expected finite samples"),
}


@pytest.mark.parametrize(("call", "line"), IMPOSSIBLE.values(), ids=IMPOSSIBLE.keys())
def test_impossible_settings(call: Callable[[], Any], line: str) -> None:
    with pytest.raises(ParameterError) as caught:
        call()
    assert str(caught.value).startswith(line)


def test_out_that_does_not_fit() -> None:
    for out in (np.empty((98, 63), np.float32), np.empty((98, 64)), [0.0], np.empty((64, 98), np.float32).T):
        with pytest.raises(ParameterError, match=r"out: expected a"):
            log_mel(GOOD, sample_rate=16_000, out=out)  # type: ignore[arg-type]
    locked = np.empty((98, 64), np.float32)
    locked.flags.writeable = False
    with pytest.raises(ParameterError, match=r"out: expected a"):
        log_mel(GOOD, sample_rate=16_000, out=locked)
