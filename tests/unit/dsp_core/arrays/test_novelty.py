"""The novelty score: what is new stands out, and no cut into calls changes a byte."""

from __future__ import annotations

import numpy as np
from dsp_core import AnomalyScorer, log_mel
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sourdine.local.scene import street_scene

RATE = 16_000


def frames() -> NDArray[np.float32]:
    """Log-mel frames of the synthetic street."""
    return log_mel(street_scene().astype(np.float32), sample_rate=RATE)


FRAMES = frames()


@given(st.lists(st.integers(1, len(FRAMES) - 1), max_size=6))
@settings(max_examples=25, deadline=None)
def test_any_cut_gives_the_same_bytes(cuts: list[int]) -> None:
    whole = AnomalyScorer().score(FRAMES)
    scorer = AnomalyScorer()
    parts = [scorer.push(np.ascontiguousarray(part)) for part in np.split(FRAMES, sorted(set(cuts)))]
    parts.append(scorer.finish())
    for expected, pieces in zip(whole, zip(*parts, strict=True), strict=True):
        assert np.array_equal(np.concatenate(pieces), expected)


def test_breaking_glass_stands_out_of_the_street() -> None:
    scores, thresholds = AnomalyScorer().score(FRAMES)
    assert len(scores) == -(-len(FRAMES) // 20)
    assert scores.dtype == thresholds.dtype == np.float32
    glass = slice(int(44.8 / 0.2), int(46.5 / 0.2))
    assert np.max(scores[glass] - thresholds[glass]) > 0
    traffic = slice(int(34 / 0.2), int(44 / 0.2))
    assert not np.any(scores[traffic] > thresholds[traffic])


def test_a_looser_dial_lets_more_stand_out() -> None:
    passed = [int(np.sum(np.greater(*AnomalyScorer(alarms_per_day=dial).score(FRAMES)))) for dial in (10.0, 4000.0)]
    assert passed[0] < passed[1]


def test_a_whole_recording_leaves_a_stream_alone() -> None:
    scorer = AnomalyScorer()
    first = scorer.push(FRAMES[:1000])
    scorer.score(FRAMES)
    rest = scorer.push(FRAMES[1000:2000])
    fresh = AnomalyScorer().push(FRAMES[:2000])
    assert np.array_equal(np.concatenate([first[0], rest[0]]), fresh[0])


def test_after_its_end_a_stream_begins_anew() -> None:
    scorer = AnomalyScorer()
    first = [np.concatenate(pair) for pair in zip(scorer.push(FRAMES[:1010]), scorer.finish(), strict=True)]
    second = [np.concatenate(pair) for pair in zip(scorer.push(FRAMES[:1010]), scorer.finish(), strict=True)]
    assert len(first[0]) == 51
    assert np.array_equal(first, second)


def test_neither_a_gap_nor_any_loudness_spoils_what_follows() -> None:
    usual, _ = AnomalyScorer().score(FRAMES[:3000])
    for value in (-1e12, np.log(0.001), 20.0, 1e12):
        frames = FRAMES[:3000].copy()
        frames[1000:1020] = value
        scores, thresholds = AnomalyScorer().score(frames)
        assert np.isfinite(thresholds).all()
        assert scores[50] == 0 if value < 0 else scores[50] > thresholds[50]
        assert np.abs(scores - usual)[51:].max() < 0.5
