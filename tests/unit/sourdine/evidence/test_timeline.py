from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dsp_core.records import SOUND_CLASSES
from matplotlib.axes import Axes
from tests.chain import demo_records, street
from tests.pictures import png_size

from sourdine.errors import OutputError
from sourdine.evidence.released import EventMark, LevelStep
from sourdine.evidence.timeline import MAX_PANELS, Left, draw_left, draw_run
from sourdine.outgoing.jsonl import JsonlSink

SLOT = 1_777_928_100


def left(n_sensors: int, start_slot: int, scale: str = "dbfs", n_minutes: int = 90) -> Left:
    """Make what many sensors might release."""
    made = Left("laeq", 60)
    for sensor_id in range(1, n_sensors + 1):
        for minute in range(n_minutes):
            value = None if minute == 7 else 40 + (sensor_id * 7 + minute * 3) % 30
            made.add_level(LevelStep(sensor_id, start_slot + 60 * minute, 60, "laeq", value, scale))
        made.events.append(
            EventMark(sensor_id, start_slot + 61 * sensor_id, SOUND_CLASSES[sensor_id % 16], None, scale, 2)
        )
    return made


@pytest.mark.parametrize("start_slot", [0, SLOT])
@pytest.mark.parametrize(
    ("n_sensors", "height"), [(0, 810), (1, 810), (2, 705), (MAX_PANELS, 2880), (MAX_PANELS + 1, 1140), (200, 1140)]
)
def test_few_sensors_have_a_panel_each_and_many_are_summed_up(n_sensors: int, height: int, start_slot: int) -> None:
    assert png_size(draw_left(left(n_sensors, start_slot, "db"))) == (1800, height)


@pytest.mark.parametrize("n_sensors", [1, MAX_PANELS + 1])
def test_sensors_without_levels_or_events_can_be_drawn(n_sensors: int) -> None:
    only_events = left(n_sensors, 0, n_minutes=0)
    only_levels = left(n_sensors, 0)
    only_levels.events.clear()
    all_missing = Left("laeq", 60)
    for sensor_id in range(n_sensors):
        all_missing.add_level(LevelStep(sensor_id, 0, 60, "laeq", None, "dbfs"))
    for made in (only_events, only_levels, all_missing, Left(None, 0)):
        png_size(draw_left(made))


@pytest.mark.parametrize("n_sensors", [1, MAX_PANELS + 1])
def test_a_panel_without_levels_says_why(n_sensors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    write = Axes.text

    def note(axes: Axes, x: float, y: float, s: str, **more: Any) -> Any:
        said.append(s)
        return write(axes, x, y, s, **more)

    monkeypatch.setattr(Axes, "text", note)
    made = Left("laeq", 60)
    for sensor_id in range(n_sensors):
        made.add_level(LevelStep(sensor_id, 0, 60, "laeq", None, "dbfs"))
    draw_left(made)
    assert any("all are missing" in words for words in said)


def test_same_records_give_the_same_bytes_and_others_do_not() -> None:
    assert draw_left(left(3, 0)) == draw_left(left(3, 0))
    assert draw_left(left(3, 0)) != draw_left(left(3, 60))


def test_units_are_said_together_where_sensors_differ() -> None:
    made = left(1, 0)
    made.add_level(LevelStep(2, 0, 60, "laeq", 60, "db"))
    assert made.unit == "dB or dBFS"


def test_picture_stands_beside_the_records_and_replaces_a_link(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "out")
    sink.write(demo_records())
    sink.close()
    (tmp_path / "other").write_text("stays", "utf-8")
    (tmp_path / "out" / "picture.png").symlink_to(tmp_path / "other")
    draw_run(tmp_path / "out", street().core)
    assert png_size((tmp_path / "out" / "picture.png").read_bytes()) == (1800, 810)
    assert (tmp_path / "other").read_text("utf-8") == "stays"
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_picture_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path)
    sink.write(demo_records())
    sink.close()
    (tmp_path / "picture.png").mkdir()
    with pytest.raises(OutputError, match=r"cannot write .*picture\.png: "):
        draw_run(tmp_path, street().core)
    assert len(list(tmp_path.iterdir())) == 4
