"""Real recordings through the installed command: what broke is told, what was said is not."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from tests.chain import call


def clips(city_sounds: Path, sound_class: str) -> list[str]:
    """Give the test clips of a class, from the manifest."""
    with (city_sounds / "manifest.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["class"] == sound_class and row["split"] == "test"]
    return [str(city_sounds / row["file"]) for row in rows]


def heard(paths: list[str], folder: Path) -> dict[int, set[str]]:
    """Run the command over recordings; give the classes of the events of each sensor that has any."""
    result = call("run", *paths, "--out", "out", cwd=folder)
    assert result.returncode == 0, result.stderr
    found: dict[int, set[str]] = {}
    for line in (folder / "out" / "events.jsonl").read_text("utf-8").splitlines():
        data = json.loads(line)["data"]
        found.setdefault(data["sensor_id"], set()).add(data["sound_class"])
    return found


# Floors well under the figures of the model card: these catch a broken chain, the benches measure a good one.
@pytest.mark.parametrize(
    ("sound_class", "told_as"), [("glass_break", "glass_break"), ("siren", "siren"), ("car_horn", "horn")]
)
def test_most_recordings_of_a_class_are_told_as_it(
    sound_class: str, told_as: str, city_sounds: Path, tmp_path: Path
) -> None:
    paths = clips(city_sounds, sound_class)
    assert len(paths) >= 17
    found = heard(paths, tmp_path)
    assert sum(told_as in classes for classes in found.values()) >= 0.6 * len(paths)


@pytest.mark.parametrize("sound_class", ["rain", "wind"])
def test_weather_is_hardly_ever_an_event(sound_class: str, city_sounds: Path, tmp_path: Path) -> None:
    paths = clips(city_sounds, sound_class)
    assert len(heard(paths, tmp_path)) <= 0.1 * len(paths)


def test_readers_are_hardly_ever_an_event(speech: Path, tmp_path: Path) -> None:
    # The first 40 readers are in the training data.
    paths = [str(path) for path in sorted((speech / "many_speakers").glob("*.flac"))[40:]]
    assert len(paths) >= 40
    assert len(heard(paths, tmp_path)) <= 2
