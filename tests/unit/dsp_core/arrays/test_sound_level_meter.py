"""The meter against the functions on the whole signal, the standard's bursts, and the level records of the zone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from dsp_core.arrays import (
    Levels,
    SecondLevels,
    a_weighting,
    c_weighting,
    leq,
    percentile_level,
    time_weighting,
    z_weighting,
)
from dsp_core.records import LevelRecord
from dsp_core.zone import ParameterError
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal
from tests.chain import hear
from tests.unit.dsp_core.arrays.oracle import leq_db, noise, tone

RATE = 11_025  # no whole number of samples in an eighth of a second


def joined(parts: list[SecondLevels]) -> SecondLevels:
    """Put the seconds of several pushes into one."""
    return SecondLevels(*(np.concatenate(field) for field in zip(*parts, strict=True)))


def street(n: int) -> NDArray[np.float32]:
    """Noise that comes and goes."""
    return (noise(n) * (1.1 + np.sin(np.arange(n) / 3_000))).astype(np.float32)


def oversampled(c: NDArray[np.float32]) -> NDArray[np.float64]:
    """Four values for each sample, by scipy: a sinc under a Kaiser window of eight samples to each side."""
    taps = signal.firwin(65, 1 / 4, window=("kaiser", 5.0), scale=False) * 4
    values: NDArray[np.float64] = signal.upfirdn(taps, c.astype(np.float64), up=4)[32 : 32 + 4 * len(c)]
    return np.abs(values)


def test_seconds_are_those_of_the_whole_signal() -> None:
    y = street(round(3.4 * RATE))
    seconds = Levels(sample_rate=RATE, reference=20e-6).push(y)
    a, c, z = (f(y, sample_rate=RATE) for f in (a_weighting, c_weighting, z_weighting))
    fast, slow = (
        time_weighting(a, sample_rate=RATE, time_constant_s=s, reference=20e-6)[: 3 * RATE].reshape(3, RATE)
        for s in (0.125, 1.0)
    )
    late = np.concatenate([np.zeros(32), oversampled(c)])[: 4 * 3 * RATE].reshape(3, -1)  # eight samples late
    peak = np.maximum(late.max(axis=1), np.abs(c[: 3 * RATE]).reshape(3, RATE).max(axis=1))
    ends = np.ceil(np.arange(1, 9) * RATE / 8).astype(int) - 1
    expected = {
        "second": np.arange(3),
        "laeq_db": leq(a, sample_rate=RATE, period_s=1.0, reference=20e-6),
        "lafmax_db": fast.max(axis=1),
        "lasmax_db": slow.max(axis=1),
        "lceq_db": leq(c, sample_rate=RATE, period_s=1.0, reference=20e-6),
        "lzeq_db": leq(z, sample_rate=RATE, period_s=1.0, reference=20e-6),
        "laf_db": fast[:, ends],
    }
    assert np.allclose(seconds.lcpeak_db, 20 * np.log10(peak / 20e-6), rtol=0, atol=0.01)
    for name, values in expected.items():
        assert np.allclose(getattr(seconds, name), values, rtol=0, atol=1e-4), name


def test_summary_is_that_of_the_whole_signal() -> None:
    y = street(round(3.4 * RATE))
    meter = Levels(sample_rate=RATE)
    seconds = meter.push(y)
    summary = meter.summary()
    a = a_weighting(y, sample_rate=RATE)
    fast = time_weighting(a, sample_rate=RATE)
    ends = np.ceil(np.arange(1, 3.4 * 8) * RATE / 8).astype(int) - 1
    assert summary.duration_s == len(y) / RATE
    assert summary.laeq_db == pytest.approx(leq_db(a), abs=1e-5)
    assert summary.lae_db == pytest.approx(leq_db(a) + 10 * np.log10(len(y) / RATE), abs=1e-5)
    assert summary.lafmax_db == pytest.approx(fast.max(), abs=1e-4)
    assert summary.lasmax_db == pytest.approx(time_weighting(a, sample_rate=RATE, time_constant_s=1.0).max(), abs=1e-4)
    assert summary.lceq_db == pytest.approx(leq_db(c_weighting(y, sample_rate=RATE)), abs=1e-5)
    assert summary.lzeq_db == pytest.approx(leq_db(z_weighting(y, sample_rate=RATE)), abs=1e-5)
    assert summary.lcpeak_db >= seconds.lcpeak_db.max()
    for percent, got in ((10, summary.la10_db), (50, summary.la50_db), (90, summary.la90_db)):
        assert got == pytest.approx(percentile_level(fast[ends], percent=percent), abs=1e-4)


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(1, 30_000), max_size=6), rate=st.sampled_from([8_000, 11_025, 12_345]))
def test_any_split_gives_the_same_bytes(cuts: list[int], rate: int) -> None:
    y = street(30_000)
    whole, split = Levels(sample_rate=rate), Levels(sample_rate=rate)
    expected = whole.push(y)
    edges = sorted({0, *cuts, len(y)})
    got = joined([split.push(y[a:b]) for a, b in pairwise(edges)])
    for one, other in zip(got, expected, strict=True):
        assert one.tobytes() == other.tobytes()
    assert split.summary() == whole.summary()


def test_a_summary_on_the_way_changes_nothing() -> None:
    y = street(3 * RATE)
    plain, asked = Levels(sample_rate=RATE), Levels(sample_rate=RATE)
    plain.push(y)
    for block in np.split(y, 25):
        asked.push(block)
        if asked._meter.n_samples > RATE:
            asked.summary()
    assert asked.summary() == plain.summary()


def test_energies_of_seconds_sum_up_to_the_whole() -> None:
    y = street(5 * RATE)
    meter = Levels(sample_rate=RATE)
    seconds = meter.push(y)
    assert abs(10 * np.log10(np.mean(10 ** (seconds.laeq_db / 10))) - meter.summary().laeq_db) < 1e-9


# Burst at 48 kHz, LCpeak - LC in dB, class 1 limits: IEC 61672-1:2013, Table 5.
@pytest.mark.parametrize(
    ("hz", "periods", "expected", "limit"),
    [(31.5, 1, 2.5, 2.0), (500, 1, 3.5, 1.0), (8_000, 1, 3.4, 2.0), (500, 0.5, 2.4, 1.0), (500, -0.5, 2.4, 1.0)],
)
def test_c_peaks_of_bursts(hz: float, periods: float, expected: float, limit: float) -> None:
    y = np.zeros(96_000, np.float32)
    burst = np.sign(periods) * tone(hz, abs(periods) / hz, 48_000)
    y[48_000 : 48_000 + len(burst)] = burst
    meter, steady = Levels(sample_rate=48_000), Levels(sample_rate=48_000)
    meter.push(y)
    lc_db = steady.push(tone(hz, 2, 48_000)).lceq_db[1]
    assert abs(meter.summary().lcpeak_db - lc_db - expected) < limit


@pytest.mark.parametrize(("sample_rate", "hz"), [(16_000, 4_000), (32_000, 8_000), (48_000, 12_000), (48_000, 8_000)])
def test_a_peak_between_samples_is_seen(sample_rate: int, hz: float) -> None:
    peaks = []
    for phase in np.linspace(0, np.pi / 2, 9):
        t = np.arange(sample_rate) / sample_rate
        meter = Levels(sample_rate=sample_rate)
        meter.push((np.sin(2 * np.pi * hz * t + phase) * np.minimum(1, 20 * t)).astype(np.float32))
        peaks.append(meter.summary().lcpeak_db - meter.summary().lceq_db)
    # LCeq counts the rise of 50 ms: 10 lg (1 - 0.05 × 2 / 3) = −0.147 dB. A sample alone may be 3 dB low here.
    assert np.ptp(peaks) < 0.25
    assert max(peaks) == pytest.approx(3.010 + 0.147, abs=0.03)


# Duration in ms and LAE - LA in dB of bursts of 4 kHz: IEC 61672-1:2013, Table 4.
@pytest.mark.parametrize(
    ("milliseconds", "expected"), [(1_000, 0.0), (200, -7.0), (50, -13.0), (10, -20.0), (2, -27.0), (0.25, -36.0)]
)
def test_exposure_of_bursts(milliseconds: float, expected: float) -> None:
    y = np.zeros(2 * 48_000, np.float32)
    burst = tone(4_000, milliseconds / 1_000, 48_000)
    y[4_800 : 4_800 + len(burst)] = burst
    meter, steady = Levels(sample_rate=48_000), Levels(sample_rate=48_000)
    meter.push(y)
    la_db = steady.push(tone(4_000, 2, 48_000)).laeq_db[1]
    assert abs(meter.summary().lae_db - la_db - expected) < (0.1 if milliseconds >= 1 else 0.5)


def test_the_zone_records_the_same_levels() -> None:
    for seed in range(3):
        y = (noise(61 * 16_000, seed=seed).astype(np.float64) * 10 ** (-seed / 2)).clip(-1, 1)
        y = np.round(y * 32_767) / 32_768  # what a file of 16 bits holds
        (record,) = (r for r in hear(y) if isinstance(r, LevelRecord) and r.slot == 0)
        laeq_db = leq(a_weighting(y[: 60 * 16_000].astype(np.float32), sample_rate=16_000), sample_rate=16_000)
        meter = Levels(sample_rate=16_000)
        meter.push(y[: 60 * 16_000].astype(np.float32))
        assert abs(meter.summary().laeq_db - laeq_db) < 1e-5
        assert (record.metric, record.level_db) == ("laeq", round(float(laeq_db)))


def test_the_meter_names_what_it_refuses() -> None:
    meter = Levels(sample_rate=8_000)
    with pytest.raises(ParameterError, match=r"^push: expected at least 0.125 s before a summary, got 0.0 s"):
        meter.summary()
    y = noise(8_000)
    y[77] = np.nan
    with pytest.raises(ParameterError, match=r"^y: expected finite samples, got NaN at sample 77$"):
        meter.push(y)
    assert len(meter.push(noise(8_000)).second) == 1  # of the refused block nothing was heard


@pytest.mark.parametrize(
    "y", [noise(10).astype(np.float64), noise(10)[::2], noise(10).reshape(2, 5), noise(1)[:0], [0.0], np.float32(0)]
)
def test_bad_blocks_are_refused(y: Any) -> None:
    with pytest.raises(ParameterError, match=r"^y: expected .*, got "):
        Levels(sample_rate=8_000).push(y)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"sample_rate": 7_999}, "sample_rate"),
        ({"sample_rate": 48e3 + 0.5}, "sample_rate"),
        ({"reference": 0}, "reference"),
    ],
)
def test_bad_meters_are_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ParameterError, match=f"^{name}: expected .*, got "):
        Levels(**({"sample_rate": 8_000} | options))
