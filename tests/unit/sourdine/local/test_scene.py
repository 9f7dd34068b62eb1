from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from sourdine.local.demo import FILE_NAME, write_scene
from sourdine.local.scene import DURATION_S, HAPPENINGS, SAMPLE_RATE, street_scene


def test_scene_is_the_same_at_every_call() -> None:
    assert np.array_equal(street_scene(), street_scene())


def test_scene_is_finite_and_below_full_scale() -> None:
    scene = street_scene()
    assert scene.shape == (DURATION_S * SAMPLE_RATE,)
    assert np.isfinite(scene).all()
    assert 0.5 < np.abs(scene).max() < 1.0


def test_what_happens_stands_out_from_the_street() -> None:
    scene = street_scene()
    seconds = np.sqrt(np.mean(scene.reshape(DURATION_S, SAMPLE_RATE) ** 2, axis=1))
    for placed in HAPPENINGS:
        if placed.name in {"horn", "glass", "shot"}:
            assert seconds[int(placed.onset_s)] > 1.5 * np.median(seconds)


def test_file_is_named_synthetic_and_can_be_played(tmp_path: Path) -> None:
    path = write_scene(tmp_path / "out")
    assert path.name == FILE_NAME
    assert "synthetic" in path.name
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (SAMPLE_RATE, 1, 2)
        assert file.getnframes() == DURATION_S * SAMPLE_RATE
