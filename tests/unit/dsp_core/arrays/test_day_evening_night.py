"""Lday, Levening, Lnight and Lden against closed forms, a slow count, and nights on which clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from dsp_core.arrays import day_levels, long_term_levels
from dsp_core.zone import ParameterError
from hypothesis import given, settings
from hypothesis import strategies as st

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 5, 4, 7, tzinfo=PARIS)
HOURS = (7, 19, 23)


def by_hand(day_db: float, evening_db: float, night_db: float, hours: tuple[float, ...] = (12, 4, 8)) -> float:
    """Lden as Annex I writes it."""
    energies = [10 ** (level / 10) for level in (day_db, evening_db + 5, night_db + 10)]
    return float(10 * np.log10(sum(h * e for h, e in zip(hours, energies, strict=True)) / 24))


def hourly(*levels_db: float) -> np.ndarray:
    """One day of hours from 7 on: day, evening, night."""
    return np.repeat(np.array(levels_db, np.float64), (12, 4, 8))


def test_a_day_of_three_levels() -> None:
    days = day_levels(hourly(65.0, 60.0, 50.0), start=MONDAY, period_s=3_600)
    assert days.date.tolist() == [MONDAY.date()]
    assert [x[0] for x in (days.lday_db, days.levening_db, days.lnight_db)] == pytest.approx([65, 60, 50], abs=1e-9)
    assert days.lden_db[0] == pytest.approx(by_hand(65, 60, 50), abs=1e-9)
    assert days.heard.tolist() == [[1, 1, 1]]
    assert days.is_complete.all()


def test_a_level_that_stays_reads_6_4_db_more() -> None:
    # 10 lg ((12 + 4 × 10^0.5 + 8 × 10) / 24)
    days = day_levels(np.full(1_440, 50.0, np.float32), start=MONDAY, period_s=60)
    assert days.lden_db[0] - 50 == pytest.approx(6.395, abs=1e-3)


@pytest.mark.parametrize(
    ("hours", "lengths"),
    [((6, 18, 22), (12, 4, 8)), ((6, 20, 22), (14, 2, 8)), ((7, 19, 22), (12, 3, 9)), ((9, 21, 0), (12, 3, 9))],
)
def test_hours_that_member_states_chose(hours: tuple[int, int, int], lengths: tuple[int, int, int]) -> None:
    start = MONDAY.replace(hour=hours[0])
    levels_db = np.repeat([65.0, 60.0, 50.0], lengths)
    days = day_levels(levels_db, start=start, period_s=3_600, day_h=hours[0], evening_h=hours[1], night_h=hours[2])
    assert days.lden_db == pytest.approx([by_hand(65, 60, 50, lengths)], abs=1e-9)


def test_a_day_that_is_partly_heard_is_marked() -> None:
    levels_db = np.tile(hourly(65.0, 60.0, 50.0), 3)
    levels_db[24 + 17] = np.nan  # an hour of the second night
    days = day_levels(levels_db, start=MONDAY, period_s=3_600)
    assert days.is_complete.tolist() == [True, False, True]
    assert np.isnan(days.lden_db).tolist() == [False, True, False]
    assert days.heard[1].tolist() == [1, 1, 0.875]
    assert days.lnight_db[1] == pytest.approx(50.0)  # of what was heard
    year = long_term_levels(days)
    assert (year.n_days, year.n_left_out) == (2, 1)
    lenient = day_levels(levels_db, start=MONDAY, period_s=3_600, least_heard=0.875)
    assert lenient.is_complete.all()
    assert lenient.lden_db[1] == pytest.approx(by_hand(65, 60, 50))


def test_what_was_not_heard_at_all_has_no_level() -> None:
    levels_db = np.concatenate([hourly(65, 60, 50), np.full(24, np.nan), hourly(65, 60, 50)])
    days = day_levels(levels_db, start=MONDAY, period_s=3_600)
    assert days.heard[1].tolist() == [0, 0, 0]
    assert all(np.isnan(field[1]) for field in (days.lday_db, days.levening_db, days.lnight_db, days.lden_db))
    with pytest.raises(ParameterError, match=r"^days: expected at least 1 complete day, got 0 of 1$"):
        long_term_levels(day_levels(levels_db[24:48], start=MONDAY, period_s=3_600))


def test_before_seven_it_is_the_night_of_the_day_before() -> None:
    days = day_levels(np.full(2, 50.0), start=MONDAY.replace(hour=6), period_s=3_600)
    assert [str(one) for one in days.date] == ["2026-05-03", "2026-05-04"]
    assert days.heard.tolist() == [[0, 0, 0.125], [pytest.approx(1 / 12), 0, 0]]
    assert not days.is_complete.any()


@pytest.mark.parametrize(("morning", "n_hours"), [(datetime(2026, 3, 29, 7), 7), (datetime(2026, 10, 25, 7), 9)])
def test_a_night_on_which_clocks_change_has_the_hours_that_it_had(morning: datetime, n_hours: int) -> None:
    start = (morning - timedelta(days=1)).replace(tzinfo=PARIS)
    levels_db = np.repeat([65.0, 60.0, 50.0], (12, 4, n_hours))
    days = day_levels(np.append(levels_db, 65.0), start=start, period_s=3_600)
    assert days.is_complete.tolist() == [True, False]
    assert days.lden_db[0] == pytest.approx(by_hand(65, 60, 50))  # its weight stays 8 h
    missed = day_levels(levels_db[:-1], start=start, period_s=3_600)
    assert missed.heard[0, 2] == pytest.approx(1 - 1 / n_hours)


def test_a_period_over_a_boundary_is_shared_out_by_time() -> None:
    # Half past six to half past seven: half of it is the night's. Kathmandu is 5 h 45 min ahead: no hour of UTC fits.
    days = day_levels(np.array([70.0]), start=MONDAY.replace(hour=6, minute=30), period_s=3_600)
    assert days.heard.tolist() == [[0, 0, 0.0625], [pytest.approx(1 / 24), 0, 0]]
    kathmandu = datetime(2026, 5, 4, 1, tzinfo=UTC).astimezone(ZoneInfo("Asia/Kathmandu"))  # 6:45
    days = day_levels(np.full(48, 60.0), start=kathmandu, period_s=3_600)
    assert days.heard * [12, 4, 8] == pytest.approx(np.array([[0, 0, 0.25], [12, 4, 8], [12, 4, 7.75]]))


@settings(max_examples=30, deadline=None)
@given(
    minutes=st.integers(0, 3 * 1_440),
    period_s=st.sampled_from([60.0, 90.0, 630.0, 3_600.0]),
    n=st.integers(1, 300),
    seed=st.integers(0, 99),
)
def test_it_is_what_a_slow_count_of_half_minutes_says(minutes: int, period_s: float, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels_db = rng.normal(60, 10, n)
    levels_db[rng.random(n) < 0.1] = np.nan
    start = datetime(2026, 3, 27, tzinfo=UTC) + timedelta(minutes=minutes)
    days = day_levels(levels_db, start=start.astimezone(PARIS), period_s=period_s)
    energy: dict[tuple[str, int], float] = {}
    heard: dict[tuple[str, int], int] = {}
    for second in range(0, int(n * period_s), 30):  # periods and times of day begin with one
        level = levels_db[int(second / period_s)]
        local = (start + timedelta(seconds=second)).astimezone(PARIS)
        day = (local.replace(tzinfo=None) - timedelta(hours=7)).date().isoformat()
        part = 0 if 7 <= local.hour < 19 else 1 if 19 <= local.hour < 23 else 2
        if not np.isnan(level):
            energy[day, part] = energy.get((day, part), 0.0) + 10 ** (level / 10)
            heard[day, part] = heard.get((day, part), 0) + 1
    for k, day in enumerate(days.date.astype(str)):
        for part, field in enumerate((days.lday_db, days.levening_db, days.lnight_db)):
            half_minutes = heard.get((day, part), 0)
            length_s = (12, 4, 7 if day == "2026-03-28" else 8)[part] * 3_600
            assert days.heard[k, part] == pytest.approx(30 * half_minutes / length_s, abs=1e-9)
            if half_minutes:
                assert field[k] == pytest.approx(10 * np.log10(energy[day, part] / half_minutes), abs=1e-6)
            else:
                assert np.isnan(field[k])
    assert set(days.date.astype(str)) >= {day for day, _ in heard}


def test_a_quiet_night_is_not_lost_beside_a_loud_day() -> None:
    days = day_levels(np.tile(np.repeat([140.0, 60.0, 20.0], (720, 240, 480)), 30), start=MONDAY, period_s=60)
    assert np.abs(days.lnight_db - 20).max() < 1e-9


def test_long_term_levels_are_means_of_energy() -> None:
    levels_db = np.concatenate([hourly(60, 55, 50), hourly(70, 65, 60)])
    year = long_term_levels(day_levels(levels_db, start=MONDAY, period_s=3_600))
    mean = float(10 * np.log10(0.5 * (10**6 + 10**7)))
    assert (year.lday_db, year.levening_db, year.lnight_db) == pytest.approx((mean, mean - 5, mean - 10))
    # The same whether the days' Lden are averaged or Lden is made of the averages.
    assert year.lden_db == pytest.approx(by_hand(mean, mean - 5, mean - 10))


def test_silence_is_a_level() -> None:
    days = day_levels(np.full(24, -np.inf), start=MONDAY, period_s=3_600)
    assert days.is_complete.all()
    assert days.lday_db[0] == pytest.approx(-300)


LEVELS = np.full(24, 50.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"laeq_db": [50.0]}, "laeq_db: expected a numpy array of float32 or float64, got list"),
        ({"laeq_db": np.array([50])}, "laeq_db: expected a numpy array of float32 or float64, got int64"),
        ({"laeq_db": np.zeros((2, 2))}, "laeq_db: expected shape (n,), at least 1 level, got shape (2, 2)"),
        ({"laeq_db": np.zeros(0)}, "laeq_db: expected shape (n,), at least 1 level, got shape (0,)"),
        ({"laeq_db": np.array([50.0, np.inf])}, "laeq_db: expected levels of at most 300 dB, got inf at index 1"),
        ({"laeq_db": np.ma.zeros(3)}, "laeq_db: expected an array without a mask"),
        ({"start": MONDAY.replace(tzinfo=None)}, "start: expected a time zone: "),
        ({"start": "2026-05-04"}, "start: expected a datetime with the time zone of the place, got str"),
        ({"start": datetime(9999, 12, 31, tzinfo=UTC)}, "start: expected a year from 1971 to 2199, got 9999"),
        ({"period_s": 0}, "period_s: expected a finite number over 0, got 0"),
        ({"period_s": 86_400}, "period_s: expected at most 3600 s, which do not mix times of day, got 86400 s"),
        ({"day_h": 24}, "day_h: expected a whole number from 0 to 23, got 24"),
        ({"evening_h": 18}, "day_h, evening_h, night_h: expected a day of at least 12 h"),
        ({"night_h": 20}, "day_h, evening_h, night_h: expected"),
        ({"night_h": 7}, "day_h, evening_h, night_h: expected"),
        ({"least_heard": 0}, "least_heard: expected a number over 0 and at most 1, got 0"),
        ({"least_heard": True}, "least_heard: expected a number over 0 and at most 1, got True"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], words: str) -> None:
    arguments: dict[str, Any] = {"laeq_db": LEVELS, "start": MONDAY, "period_s": 3_600}
    with pytest.raises(ParameterError) as refusal:
        day_levels(**(arguments | options))
    assert str(refusal.value).startswith(words)
    assert "\n" not in str(refusal.value)


def test_days_that_come_twice_are_refused() -> None:
    days = day_levels(LEVELS, start=MONDAY, period_s=3_600)
    twice = days._replace(date=np.repeat(days.date, 2), is_complete=np.repeat(days.is_complete, 2))
    with pytest.raises(ParameterError, match=r"^days: expected each date once, got 2026-05-04 twice$"):
        long_term_levels(twice)
    anything: Any = days.lden_db
    with pytest.raises(ParameterError, match=r"^days: expected DayLevels, got ndarray$"):
        long_term_levels(anything)
