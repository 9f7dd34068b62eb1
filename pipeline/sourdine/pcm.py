"""Raw PCM: how it is laid out, and which of its channels is heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sourdine.errors import ConfigError

#: Encodings of raw PCM, by the names that ffmpeg and arecord users know.
_SAMPLE_BYTES: Final = {"u8": 1, "s16le": 2, "s24le": 3, "s32le": 4, "f32le": 4, "f64le": 8, "alaw": 1, "mulaw": 1}
PCM_ENCODINGS: Final = tuple(_SAMPLE_BYTES)
MIN_SAMPLE_RATE: Final = 8_000
MAX_SAMPLE_RATE: Final = 192_000
MAX_CHANNELS: Final = 64


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """How raw PCM on standard input is laid out.

    Parameters
    ----------
    sample_rate : int
        In Hz.
    encoding : str
        One of `PCM_ENCODINGS`.
    n_channels : int
        Number of interleaved channels.
    """

    sample_rate: int
    encoding: str
    n_channels: int

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return _SAMPLE_BYTES[self.encoding] * self.n_channels


def parse_channel(text: str, *, may_be_each: bool = True) -> str:
    """Return which channels are heard.

    Parameters
    ----------
    text : str
        A number, ``mix`` or ``each``.
    may_be_each : bool, default=True
        Whether several channels of one source can be heard.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ConfigError
        If it is none of these.
    """
    words = ("mix", "each") if may_be_each else ("mix",)
    if text in words or (text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_CHANNELS):
        return text
    raise ConfigError(f"--channel: expected a number from 1 to {MAX_CHANNELS}, or {' or '.join(words)}, got {text}")


def channel_of(channel: str) -> int | None:
    """Return a channel as the core takes it.

    Parameters
    ----------
    channel : str
        A number, or ``mix``.

    Returns
    -------
    int or None
        None for the mean of all.
    """
    return None if channel == "mix" else int(channel)


def parse_pcm(rate: int | None, encoding: str | None, n_channels: int | None) -> PcmFormat:
    """Return the layout of the raw PCM on standard input.

    Parameters
    ----------
    rate : int or None
        Sample rate in Hz; must be given.
    encoding : str or None
        One of `PCM_ENCODINGS`; ``s16le`` if None.
    n_channels : int or None
        Number of interleaved channels, of which the first is heard; 1 if None.

    Returns
    -------
    PcmFormat
        The layout.

    Raises
    ------
    ConfigError
        If the rate is missing or a value is outside what the core hears.
    """
    if rate is None:
        raise ConfigError("- needs --rate HZ: raw PCM does not say its own sample rate")
    if not MIN_SAMPLE_RATE <= rate <= MAX_SAMPLE_RATE:
        raise ConfigError(f"--rate: expected {MIN_SAMPLE_RATE} to {MAX_SAMPLE_RATE} Hz, got {rate}")
    channels = 1 if n_channels is None else n_channels
    if not 1 <= channels <= MAX_CHANNELS:
        raise ConfigError(f"--channels: expected 1 to {MAX_CHANNELS}, got {channels}")
    return PcmFormat(sample_rate=rate, encoding=encoding or "s16le", n_channels=channels)
