"""Frames, spectra, mel bands and resampling against slow references, scipy and librosa."""

from __future__ import annotations

from functools import cache

import librosa
import numpy as np
import pytest
import scipy.signal
from dsp_core import frame, log_mel, mel_filterbank, power_spectrum, resample
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sourdine.local.scene import street_scene

RATE = 16_000


@cache
def sound(seconds: float = 3.0, seed: int = 1) -> NDArray[np.float32]:
    """Make a part of the synthetic street with a little noise."""
    n = int(seconds * RATE)
    noise = np.random.default_rng(seed).normal(0, 1e-3, n)
    return (street_scene()[44 * RATE : 44 * RATE + n] + noise).astype(np.float32)


def hann(n: int) -> NDArray[np.float64]:
    """Periodic Hann window."""
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)


def spectra64(y: NDArray[np.float32], n_fft: int, win_length: int, hop: int) -> NDArray[np.complex128]:
    """Slow and obvious: one frame at a time in float64."""
    starts = range(0, len(y) - win_length + 1, hop)
    return np.array([np.fft.rfft(y[s : s + win_length] * hann(win_length), n_fft) for s in starts])


def htk64(sample_rate: int, n_fft: int, n_mels: int, fmin: float, fmax: float) -> NDArray[np.float64]:
    """Triangles linear in mel, written from the formula."""
    mel = lambda hz: 1127.0 * np.log1p(np.asarray(hz) / 700.0)  # noqa: E731
    edges = np.linspace(mel(fmin), mel(fmax), n_mels + 2)
    bins = mel(np.arange(n_fft // 2 + 1) * sample_rate / n_fft)
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bank: NDArray[np.float64] = np.maximum(0, np.minimum(rise, fall))
    bank[:, 0] = 0
    return bank


SIZES = [(512, 400, 160), (1024, 1024, 512), (2048, 2000, 333), (64, 64, 16), (16384, 16384, 4096)]


@pytest.mark.parametrize(("n_fft", "win_length", "hop"), SIZES)
def test_power_against_float64(n_fft: int, win_length: int, hop: int) -> None:
    y = sound()
    expected = np.abs(spectra64(y, n_fft, win_length, hop)) ** 2
    found = power_spectrum(y, n_fft=n_fft, win_length=win_length, hop=hop)
    assert found.shape == expected.shape
    assert np.max(np.abs(found - expected) / expected.max(axis=1, keepdims=True)) < 1e-6


def test_power_is_that_of_scipy_and_librosa() -> None:
    y = sound()
    found = power_spectrum(y, n_fft=1024, win_length=1024, hop=256)
    window_fn = scipy.signal.get_window("hann", 1024, fftbins=True)
    transform = scipy.signal.ShortTimeFFT(window_fn, 256, RATE, scale_to=None, phase_shift=None)
    first = 2  # scipy's frame p is centred on sample p hop
    scipys = np.abs(transform.stft(y.astype(np.float64), p0=first, p1=first + len(found)).T) ** 2
    librosas = np.abs(librosa.stft(y, n_fft=1024, hop_length=256, center=False).T) ** 2
    for expected in (scipys, librosas):
        assert np.max(np.abs(found - expected) / expected.max(axis=1, keepdims=True)) < 2e-6


def test_a_full_scale_tone_has_the_power_of_its_window() -> None:
    t = np.arange(4096)
    y = np.sin(2 * np.pi * 64 / 1024 * t).astype(np.float32)
    power = power_spectrum(y, n_fft=1024, win_length=1024, hop=512)
    assert np.allclose(power[:, 64], (hann(1024).sum() / 2) ** 2, rtol=1e-5)


def test_log_mel_against_float64() -> None:
    y = sound()
    magnitude = np.abs(spectra64(y, 512, 400, 160))
    expected = np.log(magnitude @ htk64(RATE, 512, 64, 125.0, 7500.0).T + 0.001)
    found = log_mel(y, sample_rate=RATE)
    assert found.shape == expected.shape
    is_within_40_db = expected > expected.max(axis=1, keepdims=True) - np.log(100.0)
    assert np.max(np.abs(found - expected)[is_within_40_db]) < 1e-5
    assert np.max(np.abs(found - expected)) < 1e-3


def test_the_slaney_bank_is_librosas() -> None:
    for sample_rate, n_fft, n_mels, fmin, fmax in [(22050, 2048, 128, 0.0, 11025.0), (16000, 512, 40, 50.0, 8000.0)]:
        for norm in (None, "slaney"):
            found = mel_filterbank(
                sample_rate=sample_rate,
                n_fft=n_fft,
                n_mels=n_mels,
                fmin=fmin,
                fmax=fmax,
                mel_scale="slaney",
                norm=norm,
            )
            expected = librosa.filters.mel(
                sr=sample_rate, n_fft=n_fft, n_mels=n_mels, fmin=fmin, fmax=fmax, norm=norm, dtype=np.float64
            )
            assert np.max(np.abs(found - expected)) < 1e-7 * np.max(expected)


def test_the_bank_of_log_mel_is_htks_formula() -> None:
    assert np.max(np.abs(mel_filterbank(sample_rate=RATE) - htk64(RATE, 512, 64, 125.0, 7500.0))) < 1e-6


def test_librosas_melspectrogram_in_decibels() -> None:
    y = sound(5.0)
    bank = mel_filterbank(
        sample_rate=RATE, n_fft=1024, n_mels=80, fmin=0.0, fmax=8000.0, mel_scale="slaney", norm="slaney"
    )
    found = 10 * np.log10(np.maximum(power_spectrum(y, n_fft=1024, win_length=1024, hop=256) @ bank.T, 1e-10))
    expected = librosa.power_to_db(
        librosa.feature.melspectrogram(
            y=y, sr=RATE, n_fft=1024, hop_length=256, center=False, n_mels=80, fmin=0.0, fmax=8000.0
        ),
        top_db=None,
    ).T
    assert np.max(np.abs(found - expected)) < 1e-3


def test_frames_are_views_that_nobody_can_write() -> None:
    y = sound(1.0).reshape(2, -1)
    frames = frame(y, win_length=400, hop=160)
    assert frames.shape == (2, 48, 400)
    assert np.shares_memory(frames, y)
    assert not frames.flags.writeable
    expected = librosa.util.frame(y, frame_length=400, hop_length=160)
    assert np.array_equal(frames, np.swapaxes(expected, -1, -2))


def sine(hz: float, rate: int, n: int) -> NDArray[np.float64]:
    """Make a sine of amplitude 1 that begins somewhere."""
    return np.sin(2 * np.pi * hz * np.arange(n) / rate + 0.3)


ANY_RATE = st.integers(8_000, 192_000)


@given(ANY_RATE, ANY_RATE, st.floats(0.01, 0.4687))
@example(48_000, 44_100, 0.4687)
@example(8_000, 192_000, 0.4687)
@example(192_000, 8_000, 0.4687)
@example(16_000, 16_001, 0.4687)
@settings(max_examples=40, deadline=None)
def test_the_pass_band_comes_through_as_it_is_whatever_the_rates(rate: int, target: int, share: float) -> None:
    hz = share * min(rate, target)
    found = resample(sine(hz, rate, rate // 4).astype(np.float32), sample_rate=rate, target_rate=target)
    inner = slice(len(found) // 5, -len(found) // 5)
    error = (found - sine(hz, target, len(found)))[inner]  # images of it, too, where the rate rises
    assert np.max(np.abs(error)) < 2e-4  # 0.002 dB


@given(ANY_RATE, ANY_RATE, st.floats(0, 1))
@example(48_000, 44_100, 0.0)
@example(192_000, 8_000, 0.0)
@example(44_100, 16_000, 0.0)
@example(12_271, 11_541, 0.75)
@settings(max_examples=40, deadline=None)
def test_what_would_fold_back_is_gone_whatever_the_rates(one: int, other: int, share: float) -> None:
    rate, target = max(one, other), min(one, other)
    lowest, highest = 0.53125 * target, 0.4999 * rate
    assume(lowest < highest)
    y = sine(lowest + share * (highest - lowest), rate, rate // 4).astype(np.float32)
    found = resample(y, sample_rate=rate, target_rate=target)
    inner = slice(len(found) // 5, -len(found) // 5)
    assert 10 * np.log10(2 * np.mean(found[inner].astype(np.float64) ** 2)) < -79.9


def test_resampling_is_near_scipys_and_librosas() -> None:
    t = np.arange(44_100) / 44_100
    y = np.sum([np.sin(2 * np.pi * hz * t + hz) for hz in (110, 997, 3_301, 6_400)], axis=0).astype(np.float32)
    found = resample(y, sample_rate=44_100)
    inner = slice(800, -800)
    for expected in (
        scipy.signal.resample_poly(y.astype(np.float64), 160, 441, window=("kaiser", 12.0)),
        librosa.resample(y, orig_sr=44_100, target_sr=16_000, res_type="soxr_vhq"),
    ):
        error = (found - expected)[inner]
        assert np.sqrt(np.mean(error**2)) < 0.02 * np.sqrt(np.mean(expected[inner] ** 2))


@given(st.integers(400, 4_000), st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_rows_know_nothing_of_each_other(n: int, n_rows: int, seed: int) -> None:
    y = np.random.default_rng(seed).uniform(-1, 1, (n_rows, n)).astype(np.float32)
    for whole, one in (
        (log_mel(y, sample_rate=RATE), lambda row: log_mel(row, sample_rate=RATE)),
        (power_spectrum(y), power_spectrum),
        (resample(y, sample_rate=44_100), lambda row: resample(row, sample_rate=44_100)),
    ):
        assert all(np.array_equal(whole[i], one(np.ascontiguousarray(y[i]))) for i in range(n_rows))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_frames_of_parts_are_frames_of_the_whole(cuts: list[int]) -> None:
    y = sound(1.0)
    whole = log_mel(y, sample_rate=RATE)
    for cut in cuts:
        part = log_mel(y[160 * cut :], sample_rate=RATE)
        assert np.array_equal(part, whole[cut:])


def test_results_go_where_they_are_wanted() -> None:
    y = sound().reshape(3, -1)
    shapes = {log_mel: {"sample_rate": RATE}, power_spectrum: {}, resample: {"sample_rate": 48_000}}
    for function, arguments in shapes.items():
        expected = function(y, **arguments)  # type: ignore[operator]
        out = np.full_like(expected, np.nan)
        assert function(y, out=out, **arguments) is out  # type: ignore[operator]
        assert np.array_equal(out, expected)
