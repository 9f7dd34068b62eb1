"""The limits of the report against a second transcription, and against the formulas that the tables were rounded from.

Conformance's own numbers were read from phonometry; what stands here, from the extract of the standards and the tests
of python-soundlevelmeter and, for A and C, from python-acoustics (facts, no code).
"""

from __future__ import annotations

import numpy as np
import pytest
from conformance import limits

INFINITY = float("inf")

# Nominal frequency: A, C, class 1 limits, as the extract writes them.
SECOND_TABLE_3 = """
10: -70.4 -14.3 +3.0;-inf | 12.5: -63.4 -11.2 +2.5;-inf | 16: -56.7 -8.5 +2.0;-4.0 | 20: -50.5 -6.2 2.0
25: -44.7 -4.4 +2.0;-1.5 | 31.5: -39.4 -3.0 1.5 | 40: -34.6 -2.0 1.0 | 50: -30.2 -1.3 1.0 | 63: -26.2 -0.8 1.0
80: -22.5 -0.5 1.0 | 100: -19.1 -0.3 1.0 | 125: -16.1 -0.2 1.0 | 160: -13.4 -0.1 1.0 | 200: -10.9 0.0 1.0
250: -8.6 0.0 1.0 | 315: -6.6 0.0 1.0 | 400: -4.8 0.0 1.0 | 500: -3.2 0.0 1.0 | 630: -1.9 0.0 1.0 | 800: -0.8 0.0 1.0
1000: 0.0 0.0 0.7 | 1250: +0.6 0.0 1.0 | 1600: +1.0 -0.1 1.0 | 2000: +1.2 -0.2 1.0 | 2500: +1.3 -0.3 1.0
3150: +1.2 -0.5 1.0 | 4000: +1.0 -0.8 1.0 | 5000: +0.5 -1.3 1.5 | 6300: -0.1 -2.0 +1.5;-2.0 | 8000: -1.1 -3.0 +1.5;-2.5
10000: -2.5 -4.4 +2.0;-3.0 | 12500: -4.3 -6.2 +2.0;-5.0 | 16000: -6.6 -8.5 +2.5;-16.0 | 20000: -9.3 -11.2 +3.0;-inf
"""

# Duration in ms: LAFmax - LA, LAE - LA, limits.
SECOND_TABLE_4 = """
1000: 0.0 0.0 0.5 | 500: -0.1 -3.0 0.5 | 200: -1.0 -7.0 0.5 | 100: -2.6 -10.0 1.0 | 50: -4.8 -13.0 1.0
20: -8.3 -17.0 1.0 | 10: -11.1 -20.0 1.0 | 5: -14.1 -23.0 1.0 | 2: -18.0 -27.0 +1.0;-1.5 | 1: -21.0 -30.0 +1.0;-2.0
0.5: -24.0 -33.0 +1.0;-2.5 | 0.25: -27.0 -36.0 +1.0;-3.0
"""

# Duration in ms: LASmax - LA, limits.
SECOND_TABLE_4_SLOW = """
1000: -2.0 0.5 | 500: -4.1 0.5 | 200: -7.4 0.5 | 100: -10.2 1.0 | 50: -13.1 1.0 | 20: -17.0 +1.0;-1.5
10: -20.0 +1.0;-2.0 | 5: -23.0 +1.0;-2.5 | 2: -27.0 +1.0;-3.0
"""

# Cycles and frequency: reference, limit.
SECOND_TABLE_5 = "1 31.5: 2.5 2.0 | 1 500: 3.5 1.0 | 1 8000: 3.4 2.0 | +0.5 500: 2.4 1.0 | -0.5 500: 2.4 1.0"

# A and C by python-acoustics, 10 Hz to 20 kHz.
THIRD_A = """
-70.4 -63.4 -56.7 -50.5 -44.7 -39.4 -34.6 -30.2 -26.2 -22.5 -19.1 -16.1 -13.4 -10.9 -8.6 -6.6 -4.8 -3.2 -1.9 -0.8
0 0.6 1 1.2 1.3 1.2 1 0.5 -0.1 -1.1 -2.5 -4.3 -6.6 -9.3
"""
THIRD_C = """
-14.3 -11.2 -8.5 -6.2 -4.4 -3 -2 -1.3 -0.8 -0.5 -0.3 -0.2 -0.1 0 0 0 0 0 0 0
0 0 -0.1 -0.2 -0.3 -0.5 -0.8 -1.3 -2 -3 -4.4 -6.2 -8.5 -11.2
"""

# Octave mask of class 1: exponent, least and most attenuation.
SECOND_TABLE_1 = """
0: -0.4 0.4 | 0.125: -0.4 0.5 | 0.25: -0.4 0.7 | 0.375: -0.4 1.4 | 0.49999: -0.4 5.3
0.50001: 1.2 inf | 1: 16.6 inf | 2: 40.5 inf | 3: 60 inf | 4: 70 inf | 5: 70 inf
"""


def read(table: str) -> list[tuple[float, ...]]:
    """Read `key: numbers limit`, where a limit is `above;below` or one number for both sides."""
    rows = []
    for cell in table.replace("\n", " | ").split("|"):
        if cell.strip():
            key, values = cell.split(":")
            *numbers, limit = values.split()
            above, below = limit.split(";") if ";" in limit else (limit, f"-{limit}")
            rows.append(tuple(float(number) for number in (*key.split(), *numbers, above, below)))
    return rows


def test_table_3_is_that_of_the_second_transcription() -> None:
    assert read(SECOND_TABLE_3) == [tuple(map(float, row)) for row in limits.WEIGHTINGS]


@pytest.mark.parametrize(("third", "column"), [(THIRD_A, 1), (THIRD_C, 2)])
def test_a_and_c_are_those_of_the_third_transcription(third: str, column: int) -> None:
    assert [float(number) for number in third.split()] == [row[column] for row in limits.WEIGHTINGS]


def test_table_4_is_that_of_the_second_transcription() -> None:
    assert read(SECOND_TABLE_4) == [tuple(map(float, row)) for row in limits.BURSTS_FAST]
    assert read(SECOND_TABLE_4_SLOW) == [tuple(map(float, row)) for row in limits.BURSTS_SLOW]


def test_table_5_is_that_of_the_second_transcription() -> None:
    expected = [(cycles, hz, reference, limit, -limit) for cycles, hz, reference, limit in limits.PEAKS]
    assert read(SECOND_TABLE_5) == [tuple(map(float, row)) for row in expected]


def test_single_limits_are_those_of_the_second_transcription() -> None:
    assert limits.DECAYS == (("F", 34.7, 3.8, -3.7), ("S", 4.3, 0.8, -0.7))
    assert (limits.AT_1_KHZ_DB, limits.FAST_SLOW_DB, limits.LINEARITY_DB, limits.STEPS_DB) == (0.2, 0.1, 0.8, 0.3)
    assert limits.STABILITY_DB == 0.1
    assert (0.4, 0.4, min(0.8, 1.8)) == (limits.BANDWIDTH_DB, limits.SWEEP_DB, limits.SUMMATION_DB)
    assert limits.BAND_LINEARITY_DB == (0.5, 0.7)


@pytest.mark.parametrize("kind", ["A", "C"])
def test_annex_e_rounds_to_table_3(kind: str) -> None:
    hz = np.array([limits.exact_hz(row[0]) for row in limits.WEIGHTINGS])
    table = np.array([row["AC".index(kind) + 1] for row in limits.WEIGHTINGS])
    assert np.abs(limits.analogue_db(hz, kind) - table).max() <= 0.0501


def test_exact_frequencies_are_tenths_of_a_decade() -> None:
    exact = np.array([limits.exact_hz(row[0]) for row in limits.WEIGHTINGS])
    assert np.allclose(exact, 1_000 * 10 ** (np.arange(-20, 14) / 10), rtol=1e-12)


def test_formulas_round_to_table_4() -> None:
    for milliseconds, fast_db, exposure_db, *_ in limits.BURSTS_FAST:
        assert abs(10 * np.log10(-np.expm1(-milliseconds / 125)) - fast_db) <= 0.0501
        assert abs(10 * np.log10(milliseconds / 1_000) - exposure_db) <= 0.0501
    for milliseconds, slow_db, *_ in limits.BURSTS_SLOW:
        assert abs(10 * np.log10(-np.expm1(-milliseconds / 1_000)) - slow_db) <= 0.0501


def test_decays_are_those_of_the_time_constants() -> None:
    for (_, expected, *_), seconds in zip(limits.DECAYS, (0.125, 1.0), strict=True):
        assert abs(10 * np.log10(np.e) / seconds - expected) <= 0.0501


def test_the_mask_is_that_of_the_second_transcription() -> None:
    for exponent, least, most, _ in read(SECOND_TABLE_1):
        for ratio in (limits.mask_ratio(exponent), 1 / limits.mask_ratio(exponent)):
            got = [float(limit) for limit in limits.mask_db(ratio)]
            assert got == pytest.approx([least, most], abs=2e-3), exponent


def test_octaves_have_the_mask_as_it_is_written() -> None:
    exponents = np.array([0, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 1, 2, 3, 4])
    assert np.allclose(limits.mask_ratio(exponents, 1), 10 ** (0.3 * exponents), rtol=1e-12)
    for exponent, least, most, _ in read(SECOND_TABLE_1):
        for ratio in (10 ** (0.3 * exponent), 10 ** (-0.3 * exponent)):
            got = [float(limit) for limit in limits.mask_db(np.array(ratio), 1)]
            assert got == pytest.approx([least, most], abs=2e-3), exponent


def test_third_octaves_have_the_corners_of_the_standard() -> None:
    expected = [1, 1.02667, 1.05575, 1.08746, 1.12202, 1.29437, 1.88173, 3.05365, 5.39195]
    assert np.allclose(limits.mask_ratio(np.array([0, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 1, 2, 3, 4])), expected, atol=5e-6)
