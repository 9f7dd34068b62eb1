"""Synthetic sounds and files for the tests, good ones and deliberately broken ones."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sourdine.local.scene import street_scene

PCM16 = 1
FLOAT = 3
ADPCM = 2
RATE = 16_000


def noise(duration_s: float, *, sample_rate: int = RATE, level: float = 0.1, seed: int = 1) -> NDArray[np.float64]:
    """Make steady noise."""
    return np.random.default_rng(seed).uniform(-level, level, int(duration_s * sample_rate))


def eventful(duration_s: float = 30.0) -> NDArray[np.float64]:
    """Take the part of the demo scene that holds a horn and breaking glass."""
    return street_scene()[25 * RATE : int((25 + duration_s) * RATE)]


def pcm16(samples: NDArray[np.float64]) -> bytes:
    """Encode as raw 16-bit PCM."""
    return np.round(samples * 32767).astype("<i2").tobytes()


def wav_bytes(
    data: bytes,
    *,
    sample_rate: int = RATE,
    n_channels: int = 1,
    encoding: int = PCM16,
    n_bits: int = 16,
    n_data: int | None = None,
) -> bytes:
    """Put a WAV header before data; `n_data` is what the header says of its length."""
    size = len(data) if n_data is None else n_data
    n_align = n_channels * n_bits // 8
    head = struct.pack("<HHIIHH", encoding, n_channels, sample_rate, (sample_rate * n_align) % 2**32, n_align, n_bits)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + head
        + b"data"
        + (struct.pack("<I", size) + data)
    )


def write_wav(path: Path, samples: NDArray[np.float64], *, sample_rate: int = RATE) -> Path:
    """Write a good 16-bit file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(wav_bytes(pcm16(samples), sample_rate=sample_rate))
    return path


def float_wav(samples: NDArray[np.float64]) -> bytes:
    """Make a 32-bit float file, which may hold what is no number."""
    return wav_bytes(samples.astype("<f4").tobytes(), encoding=FLOAT, n_bits=32)


def broken_files() -> dict[str, tuple[bytes, str]]:
    """Name files that must be refused, with what stands in them and the reason."""
    second = noise(1.0)
    good = wav_bytes(pcm16(second))
    return {
        "empty.wav": (b"", "empty"),
        "no-samples.wav": (wav_bytes(b""), "empty"),
        "header-cut.wav": (good[:30], "truncated_header"),
        "data-cut.wav": (good[:-10_000], "truncated_data"),
        "text.wav": (b"Nothing to hear here. " * 100, "not_audio"),
        "silent-film.wav": (bytes(range(256)) * 50, "not_audio"),
        "adpcm.wav": (wav_bytes(pcm16(second), encoding=ADPCM, n_bits=4), "unsupported_encoding"),
        "rate-0.wav": (wav_bytes(pcm16(second), sample_rate=0), "bad_rate"),
        "rate-1.wav": (wav_bytes(pcm16(second), sample_rate=1), "bad_rate"),
        "rate-huge.wav": (wav_bytes(pcm16(second), sample_rate=4_000_000_000), "bad_rate"),
        "channels-0.wav": (wav_bytes(pcm16(second), n_channels=0), "bad_channels"),
        "channels-255.wav": (wav_bytes(pcm16(second), n_channels=255), "bad_channels"),
        "nan.wav": (float_wav(np.where(np.arange(RATE) == 9000, np.nan, second)), "not_finite"),
        "loud.wav": (float_wav(np.where(np.arange(RATE) == 9000, 32767.0, second)), "out_of_range"),
        "infinite.wav": (float_wav(np.where(np.arange(RATE) == 9000, -np.inf, second)), "not_finite"),
    }
