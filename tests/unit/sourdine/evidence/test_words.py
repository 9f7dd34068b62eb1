from __future__ import annotations

import pytest

from sourdine.evidence.words import confidence_dots, decibels, grouped, share_words

SPACE = "\N{NARROW NO-BREAK SPACE}"


def test_numbers_are_grouped() -> None:
    assert grouped(691_200_000.4) == f"691{SPACE}200{SPACE}000"
    assert grouped(88.2) == "88"


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [
        (412, 691_200_000, "0.00006"),
        (88.2, 23_040_000, "0.0004"),
        (1, 2, "50"),
        (1, 100, "1"),
        (0, 100, "0"),
        (0, 0, "0"),
        (9.99, 100_000, "0.01"),
    ],
)
def test_share_has_one_digit_that_says_something(part: float, whole: float, words: str) -> None:
    assert share_words(part, whole) == f"{words}{SPACE}%"


def test_signs() -> None:
    assert decibels(-30) == "−30"
    assert [confidence_dots(confidence) for confidence in (0, 3)] == ["●○○○", "●●●●"]
