"""Times in names: the forms that recorders write, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sourdine.local.times import slot_of_name

NOON = int(datetime(2026, 5, 4, 12, 30, 15, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "name",
    [
        "20260504_123015.wav",
        "SITE01_20260504_123015.WAV",
        "20260504T123015Z.flac",
        "2026-05-04T12-30-15.wav",
        "2026-05-04 12.30.15.ogg",
        "2026-05-04_12:30:15Z.wav",
        "street 2026.05.04 123015 b.wav",
        "20260504123015.wav",
        "20260504_123015.250.wav",
        "20260504T143015+0200_REC.wav",
        "2026-05-04T07-30-15-0500.wav",
        "20260504_143015+02-00.wav",
        "20260504_180015+05:30.wav",
        "20260504_123015+0000 b.wav",
        "20260504_123015-0017.wav",  # a number, as no clock is 17 minutes behind
        "20260504_123015-20260504_133015.wav",
    ],
)
def test_forms_that_recorders_write(name: str) -> None:
    assert slot_of_name(name, "UTC") == NOON


@pytest.mark.parametrize(
    "name",
    [
        "street.wav",
        "20260504.wav",
        "20261304_123015.wav",
        "20260504_246015.wav",
        "120260504_1230159.wav",
        "19690504_123015",
    ],
)
def test_what_is_no_time(name: str) -> None:
    assert slot_of_name(name, "UTC") is None


def test_zones_and_the_hours_that_come_twice_or_never() -> None:
    assert slot_of_name("20260704_210000.wav", "Europe/Paris") == slot_of_name("20260704_190000.wav", "UTC")
    assert slot_of_name("20260704_190000Z.wav", "Europe/Paris") == slot_of_name("20260704_190000.wav", "UTC")
    assert slot_of_name("20261025_023000.wav", "Europe/Paris") == slot_of_name("20261025_003000.wav", "UTC")
    assert slot_of_name("20260329_023000.wav", "Europe/Paris") == slot_of_name("20260329_013000.wav", "UTC")
