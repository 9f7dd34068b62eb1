from __future__ import annotations

import pytest

from sourdine.config import parse_start
from sourdine.errors import ConfigError
from sourdine.pcm import PcmFormat, parse_pcm


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:01:00+00:00", 60),
        ("2026-05-04T21:00:00Z", 1_777_928_400),
        ("2999-12-31T00:00:00Z", 32_503_593_600),
    ],
)
def test_start_is_a_slot(text: str, slot: int) -> None:
    assert parse_start(text) == slot


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2026-05-04T21:00:00",
        "2026-05-04T21:00:00+02:00",
        "2026-05-04T21:00:00.5Z",
        "1969-12-31T23:59:59Z",
        "3000-01-01T00:00:00Z",
        "",
    ],
)
def test_start_that_is_no_utc_second_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--start"):
        parse_start(text)


def test_pcm_defaults_to_one_channel_of_16_bits() -> None:
    assert parse_pcm(16_000, None, None) == PcmFormat(sample_rate=16_000, encoding="s16le", n_channels=1)


@pytest.mark.parametrize(
    ("rate", "n_channels"), [(None, 1), (0, 1), (7_999, 1), (192_001, 1), (16_000, 0), (16_000, 65), (16_000, -1)]
)
def test_pcm_that_the_core_does_not_hear_is_refused(rate: int | None, n_channels: int) -> None:
    with pytest.raises(ConfigError, match="--"):
        parse_pcm(rate, None, n_channels)
