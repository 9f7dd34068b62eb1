"""The front ends that are compared, each in the configuration nearest to ours, called as its own users call it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Final

import numpy as np
from benches.peers.definitions import (
    NEPER_DB,
    Definition,
    Float32Array,
    Setting,
    decibels,
    hamming,
    hann,
    htk_bank,
    hz_bank,
    log_with_floor,
    log_with_offset,
)

#: Samples, shape=(n,) or, where `takes_rows`, (n_rows, n), to bands, (..., n_frames, n_mels).
LogMel = Callable[[Float32Array], Float32Array]


@dataclass(frozen=True)
class FrontEnd:
    """One contender.

    `make` returns its function for a setting, or None where it has no such setting; `define` says what that computes.
    """

    name: str
    package: str
    differences: str
    make: Callable[[Setting], LogMel | None]
    define: Callable[[Setting], Definition]
    takes_rows: bool = False

    def version(self) -> str:
        """Return the version of its package."""
        return version(self.package)

    def absence(self) -> str | None:
        """Say why it cannot be used here, or nothing."""
        module = {"kaldi-native-fbank": "kaldi_native_fbank", "auvux-dsp": "auvux.dsp", "dsp-core": "dsp_core"}
        try:
            import_module(module.get(self.package, self.package))
        except (ImportError, OSError) as error:
            return f"{type(error).__name__}: {error}"
        return None


def _ours(s: Setting) -> LogMel:
    from dsp_core import log_mel

    sizes = {"n_fft": s.n_fft, "win_length": s.win_length, "hop": s.hop, "n_mels": s.n_mels}
    return lambda y: log_mel(y, sample_rate=s.sample_rate, fmin=s.fmin, fmax=s.fmax, **sizes)


def _define_ours(s: Setting) -> Definition:
    return Definition(hann(s.win_length), htk_bank(s), log_with_offset, NEPER_DB)


def _numpy(s: Setting) -> LogMel:
    window_fn, bank = hann(s.win_length).astype(np.float32), np.ascontiguousarray(htk_bank(s).T.astype(np.float32))

    def log_mel(y: Float32Array) -> Float32Array:
        frames = np.lib.stride_tricks.sliding_window_view(y, s.win_length, axis=-1)[..., :: s.hop, :]
        return np.log(np.abs(np.fft.rfft(frames * window_fn, s.n_fft)) @ bank + np.float32(0.001))

    return log_mel


def _scipy(s: Setting) -> LogMel:
    from scipy.signal import ShortTimeFFT

    bank = np.ascontiguousarray(htk_bank(s).T)
    window_fn = hann(s.win_length)
    transform = ShortTimeFFT(window_fn, s.hop, s.sample_rate, mfft=s.n_fft, scale_to=None, phase_shift=None)
    p0 = -(-(s.win_length // 2) // s.hop)  # the first frame that lies wholly within the signal

    def log_mel(y: Float32Array) -> Float32Array:
        n_frames = (y.shape[-1] - _scipy_first(s) - s.win_length) // s.hop + 1
        spectra = np.abs(transform.stft(y, p0=p0, p1=p0 + n_frames))
        return np.log(np.swapaxes(spectra, -1, -2) @ bank + 0.001)

    return log_mel


def _scipy_first(s: Setting) -> int:
    return -(s.win_length // 2) % s.hop


def _librosa(s: Setting) -> LogMel:
    from librosa.feature import melspectrogram

    sizes = {"n_fft": s.n_fft, "win_length": s.win_length, "hop_length": s.hop, "n_mels": s.n_mels}
    bank = {"fmin": s.fmin, "fmax": s.fmax, "htk": True, "norm": None}

    def log_mel(y: Float32Array) -> Float32Array:
        mel = melspectrogram(y=y, sr=s.sample_rate, center=False, power=1.0, **sizes, **bank)
        return np.swapaxes(np.log(mel + np.float32(0.001)), -1, -2)

    return log_mel


def _define_centred(s: Setting) -> Definition:
    return Definition(hann(s.win_length), hz_bank(s), log_with_offset, NEPER_DB, first=(s.n_fft - s.win_length) // 2)


def _auvux(s: Setting) -> LogMel:
    import auvux.dsp as auvux

    auvux.set_num_threads(1)
    sizes = {"n_fft": s.n_fft, "win_length": s.win_length, "hop_length": s.hop, "n_mels": s.n_mels}
    bank = {"fmin": s.fmin, "fmax": s.fmax, "mel_scale": "htk", "mel_norm": None}
    transform = auvux.MelSpectrogram(sr=s.sample_rate, center=False, output="db", **sizes, **bank)
    return lambda y: np.swapaxes(transform(y), -1, -2)


def _define_auvux(s: Setting) -> Definition:
    first = (s.n_fft - s.win_length) // 2
    return Definition(hann(s.win_length), hz_bank(s), decibels, 1.0, first=first, power=2)


def _kaldi(s: Setting) -> LogMel:
    import kaldi_native_fbank as knf

    options = knf.FbankOptions()
    frames, mel = options.frame_opts, options.mel_opts
    frames.samp_freq, frames.dither, frames.preemph_coeff, frames.remove_dc_offset = s.sample_rate, 0.0, 0.0, False
    frames.window_type = "hanning"
    frames.frame_length_ms = 1e3 * s.win_length / s.sample_rate
    frames.frame_shift_ms = 1e3 * s.hop / s.sample_rate
    mel.num_bins, mel.low_freq, mel.high_freq = s.n_mels, s.fmin, s.fmax
    options.use_power = False

    def log_mel(y: Float32Array) -> Float32Array:
        fbank = knf.OnlineFbank(options)
        fbank.accept_waveform(s.sample_rate, y)
        return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])

    return log_mel


def _define_kaldi(s: Setting) -> Definition:
    return Definition(hann(s.win_length, is_periodic=False), htk_bank(s), log_with_floor, NEPER_DB)


def _asrfront(s: Setting) -> LogMel | None:
    from asrfront import sensevoice

    if (s.sample_rate, s.n_fft, s.win_length, s.hop) != (16_000, 512, 400, 160):
        return None
    return lambda y: sensevoice.fbank_raw(y, n_mels=s.n_mels)


def _define_asrfront(s: Setting) -> Definition:
    bank = htk_bank(s, fmin=20.0, fmax=8_000.0)
    return Definition(hamming(s.win_length), bank, log_with_floor, NEPER_DB / 2, power=2, scale=32_768.0, is_kaldi=True)


#: All of them, ours first.
FRONT_ENDS: Final = (
    FrontEnd("dsp_core", "dsp-core", "", _ours, _define_ours, takes_rows=True),
    FrontEnd(
        "asrfront",
        "asrfront",
        "Kaldi's steps: mean removed, pre-emphasis, Hamming window, powers, 20 to 8 000 Hz; no other size or rate",
        _asrfront,
        _define_asrfront,
    ),
    FrontEnd(
        "auvux-dsp",
        "auvux-dsp",
        "triangles linear in Hz; decibels of powers, by its own fused logarithm",
        _auvux,
        _define_auvux,
        takes_rows=True,
    ),
    FrontEnd(
        "kaldi-native-fbank",
        "kaldi-native-fbank",
        "symmetric Hann window; a floor, not an offset, under the logarithm; frames are fetched one by one",
        _kaldi,
        _define_kaldi,
    ),
    FrontEnd("librosa", "librosa", "triangles linear in Hz", _librosa, _define_centred, takes_rows=True),
    FrontEnd(
        "scipy",
        "scipy",
        "`ShortTimeFFT` in float64 and a matrix product: a script of ours, to our definition",
        _scipy,
        lambda s: Definition(hann(s.win_length), htk_bank(s), log_with_offset, NEPER_DB, first=_scipy_first(s)),
        takes_rows=True,
    ),
    FrontEnd(
        "numpy",
        "numpy",
        "`rfft` in float32 and a matrix product: a script of ours, to our definition",
        _numpy,
        _define_ours,
        takes_rows=True,
    ),
)
