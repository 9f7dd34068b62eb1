from __future__ import annotations

import pytest
from matplotlib.figure import Figure

from sourdine.evidence.time_axis import bin_s, length_words, set_time_axis

SLOT = 1_777_928_100  # 2026-05-04T20:55:00Z


def labels(since_s: float, until_s: float) -> list[str]:
    """Name the ticks of an axis."""
    axes = Figure().add_subplot()
    set_time_axis(axes, since_s, until_s)
    assert axes.get_xlim() == (since_s, until_s)
    return [label.get_text() for label in axes.get_xticklabels()]


def test_places_in_a_recording() -> None:
    assert labels(0, 4) == ["0:00", "0:01", "0:02", "0:03", "0:04"]
    assert labels(0, 90) == [f"{second // 60}:{second % 60:02d}" for second in range(0, 91, 10)]
    assert labels(3_600, 5_400)[:2] == ["1:00:00", "1:05:00"]


def test_times_of_the_clock_name_each_day_once() -> None:
    assert labels(SLOT, SLOT + 3 * 60)[:2] == ["20:55:00\n2026-05-04", "20:55:30"]
    hours = labels(SLOT, SLOT + 86_400)
    assert hours[0] == "21:00\n2026-05-04"
    assert [label for label in hours if "\n" in label] == ["21:00\n2026-05-04", "00:00\n2026-05-05"]
    assert labels(SLOT, SLOT + 8 * 86_400)[0] == "2026-05-05"


@pytest.mark.parametrize("span_s", [1, 7, 61, 599, 3_601, 40_000, 90_000, 10_000_000, 40_000_000])
@pytest.mark.parametrize("since_s", [0, SLOT])
def test_ticks_are_some_and_not_too_many(since_s: int, span_s: int) -> None:
    assert 1 <= len(labels(since_s, since_s + span_s)) <= 12


def test_bins_are_lengths_that_people_count_in() -> None:
    assert bin_s(0, 600, 96, 60) == 60
    assert bin_s(0, 86_400, 96, 60) == 900
    assert bin_s(0, 86_400, 96, 3_600) == 3_600
    assert [length_words(seconds) for seconds in (15, 60, 900, 7_200, 86_400)] == [
        "15 s",
        "1 min",
        "15 min",
        "2 h",
        "1 d",
    ]
