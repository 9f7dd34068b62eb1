from __future__ import annotations

from itertools import combinations

import pytest
from dsp_core.records import SOUND_CLASSES
from matplotlib.text import Annotation

from sourdine.evidence.marks import MAX_LONG, draw_flags, draw_levels, draw_states
from sourdine.evidence.released import EventMark, LevelStep, StateSpan
from sourdine.evidence.style import DPI, class_look, house_style, new_figure


def events(n_events: int, step_s: int) -> list[EventMark]:
    """Make events of all classes, some with a level."""
    return [
        EventMark(1, step_s * k, SOUND_CLASSES[k % 16], None if k % 3 else -30, "dbfs", k % 4) for k in range(n_events)
    ]


@pytest.mark.parametrize(("n_events", "step_s"), [(1, 1), (5, 20), (16, 6), (17, 6), (60, 10), (400, 1)])
def test_flags_stand_apart_on_the_sheet_and_every_event_is_marked(n_events: int, step_s: int) -> None:
    with house_style():
        figure = new_figure(12, 8)
        sound = figure.add_axes((0.065, 0.37, 0.765, 0.405))
        lanes = figure.add_axes((0.065, 0.779, 0.765, 0.1), sharex=sound)
        sound.set_xlim(0, n_events * step_s + 1)
        n_silent = draw_flags(lanes, sound, events(n_events, step_s))
        flags = [text for text in lanes.texts if isinstance(text, Annotation)]
        assert len(flags) + n_silent == n_events
        assert len(flags) >= min(n_events, 4)
        assert len(sound.lines) == n_events
        figure.draw_without_rendering()
        boxes = [frame.get_window_extent() for flag in flags if (frame := flag.get_bbox_patch())]
        assert len(boxes) == len(flags)
        for one, other in combinations(boxes, 2):
            assert not (
                one.x0 < other.x1 - 2 and other.x0 < one.x1 - 2 and one.y0 < other.y1 - 2 and other.y0 < one.y1 - 2
            )
        assert all(box.x1 <= 12 * DPI for box in boxes)
        assert all(("●" in flag.get_text()) == (n_events <= MAX_LONG) for flag in flags)


def test_levels_and_states_with_nothing_in_them() -> None:
    with house_style():
        levels, states = new_figure(12, 8).subplots(2)
        draw_levels(levels, [], 0, 60)
        draw_states(states, [], 0, 60)
        assert len(levels.lines) == 0


def test_missing_levels_are_gaps_and_said_to_be() -> None:
    steps = [LevelStep(1, 60 * k, 60, "laeq", None if k == 1 else -40 - k, "dbfs") for k in range(3)]
    with house_style():
        axes = new_figure(12, 8).subplots()
        axes.set_xlim(0, 180)
        draw_levels(axes, steps, 0, 180)
        assert [text.get_text() for text in axes.texts] == ["missing", "−40", "−42"]
        low, high = axes.get_ylim()
        assert low < -42
        assert high > -40


def test_neighbouring_states_share_their_word() -> None:
    names = ["ok", "ok", "gaps", "ok"]
    with house_style():
        axes = new_figure(12, 8).subplots()
        axes.set_xlim(0, 240)
        draw_states(axes, [StateSpan(1, 60 * k, 60, name) for k, name in enumerate(names)], 0, 240)
        assert [text.get_text() for text in axes.texts] == ["ok", "gaps", "ok"]


def test_every_class_has_a_look_of_its_own() -> None:
    assert len({class_look(name) for name in SOUND_CLASSES}) == len(SOUND_CLASSES)
