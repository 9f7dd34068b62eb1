"""Live sound by the clock: seconds are true, budgets outlast a restart, nothing is written twice, holes are told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dsp_core.records import Event, LevelRecord, SensorHealth
from tests.chain import FILES, SOURDINE, call, demo_records, events_in, lines_in, one_line, street
from tests.live import Clock, Notes, Street, listen_to
from tests.sounds import RATE, eventful, noise, pcm16, write_wav

from sourdine.live.listener import LiveError
from sourdine.local.scene import street_scene
from sourdine.policy import LoadedPolicy, load

#: Some whole hour.
HOUR = 500_000 * 3600


def noise_policy() -> LoadedPolicy:
    """Levels every 10 s."""
    return load("noise", today=date(2026, 1, 1))


def run_street(folder: Path, script: Any, *, start: float, policy: LoadedPolicy | None = None) -> Notes:
    """Listen from a time on."""
    return listen_to(script, folder=folder, policy=policy or street(), clock=Clock(start))


def levels_of(ear: Notes) -> dict[int, int | None]:
    """LAeq by second."""
    return {r.slot: r.level_db for r in ear.records if isinstance(r, LevelRecord) and r.metric == "laeq"}


def states_of(ear: Notes) -> dict[int, str]:
    """State by second."""
    return {r.slot: r.state for r in ear.records if isinstance(r, SensorHealth)}


def test_events_carry_the_second_of_the_clock(tmp_path: Path) -> None:
    expected = [(e.slot, e.sound_class) for e in demo_records() if isinstance(e, Event)]
    assert expected
    # A state must be there: without one, no event leaves in the first hour.
    run_street(tmp_path, lambda s: s.play(noise(3.0)), start=HOUR - 1000.0)
    ear = run_street(tmp_path, lambda s: s.play(street_scene()), start=HOUR + 0.25)
    # The sound begins at .25 s; what lies before the next whole second is let go.
    found = [(e.slot - HOUR, e.sound_class) for e in ear.records if isinstance(e, Event)]
    assert [sound_class for _, sound_class in found] == [sound_class for _, sound_class in expected]
    assert all(abs(a - b) <= 1 for (a, _), (b, _) in zip(found, expected, strict=True))
    assert [e["time"] for e in events_in(tmp_path / "out")]


def test_without_a_state_no_event_leaves_before_the_hour_is_over(tmp_path: Path) -> None:
    sound = eventful(20.0)
    ear = run_street(tmp_path, lambda s: (s.play(sound), s.play(sound)), start=HOUR - 20.0)
    events = [e for e in ear.records if isinstance(e, Event)]
    assert events
    assert all(e.slot >= HOUR for e in events)
    assert any("events from" in note for note in ear.notes)


def test_a_restart_gives_no_new_budget(tmp_path: Path) -> None:
    run_street(tmp_path, lambda s: s.play(noise(3.0)), start=HOUR - 4000.0)
    slots: list[int] = []
    glass = street_scene()[41 * RATE : 47 * RATE]
    for turn in range(10):
        ear = run_street(tmp_path, lambda s: s.play(glass), start=HOUR + 12.0 * turn)
        slots += [e.slot for e in ear.records if isinstance(e, Event)]
        assert not any("new beginning" in note for note in ear.notes)
    per_minute = Counter(slot // 60 for slot in slots)
    assert per_minute == {HOUR // 60: 3, HOUR // 60 + 1: 3}
    lines = lines_in(tmp_path / "out")
    assert all(len(set(lines[name])) == len(lines[name]) for name in FILES)
    assert len(lines["events.jsonl"]) == len(slots)


def test_levels_and_states_come_by_the_minute_and_holes_are_told(tmp_path: Path) -> None:
    def script(s: Street) -> None:
        s.play(noise(25.0))
        s.wait(24.0)
        s.play(noise(32.0))

    ear = run_street(tmp_path, script, start=HOUR * 1.0, policy=noise_policy())
    levels, states = levels_of(ear), states_of(ear)
    assert set(levels) == set(range(HOUR, HOUR + 70, 10))
    heard = {slot - HOUR for slot, level in levels.items() if level is not None}
    assert heard == {0, 10, 50, 60}
    assert states[HOUR] == "gaps"
    assert any("no sound" in note for note in ear.notes)


def test_a_named_pipe_waits_for_its_next_writer(tmp_path: Path) -> None:
    def script(s: Street) -> None:
        s.play(noise(21.0))
        s.leave()
        s.wait(9.0)
        s.play(noise(25.0))

    ear = run_street(tmp_path, script, start=HOUR * 1.0, policy=noise_policy())
    levels = levels_of(ear)
    assert [levels[HOUR + t] is None for t in (0, 10, 20, 30)] == [False, False, True, False]
    assert sum("hearing from" in note for note in ear.notes) == 2
    assert ear.notes.count("the source has ended") == 2


def test_the_channel_that_was_asked_for_is_heard(tmp_path: Path) -> None:
    loud = noise(31.0)
    both = np.stack([0.01 * loud, loud], axis=1)
    levels = {}
    for channel in ("1", "2", "mix"):
        ear = listen_to(
            lambda s: s.play(both),
            folder=tmp_path / channel,
            policy=noise_policy(),
            clock=Clock(HOUR * 1.0),
            n_channels=2,
            channel=channel,
        )
        levels[channel] = levels_of(ear)[HOUR + 10]  # the first period may lack its first second
    assert levels["1"] is not None
    assert levels["2"] is not None
    assert levels["mix"] is not None
    assert levels["2"] - levels["1"] == 40
    assert levels["2"] - levels["mix"] in (5, 6)


def test_a_clock_that_goes_back_uses_no_second_twice(tmp_path: Path) -> None:
    clock = Clock(HOUR * 1.0)

    def script(s: Street) -> None:
        s.play(noise(30.0))
        clock.seconds -= 20.0
        s.play(noise(60.0))

    ear = listen_to(script, folder=tmp_path, policy=noise_policy(), clock=clock)
    slots = [(type(r), r.slot) for r in ear.records]
    assert len(set(slots)) == len(slots)
    assert states_of(ear)[HOUR] == "clock"
    assert max(levels_of(ear)) == HOUR + 50


def test_a_clock_that_jumps_ahead_leaves_a_hole(tmp_path: Path) -> None:
    clock = Clock(HOUR * 1.0)

    def script(s: Street) -> None:
        s.play(noise(30.0))
        clock.seconds += 100.0
        s.play(noise(45.0))

    ear = listen_to(script, folder=tmp_path, policy=noise_policy(), clock=clock)
    assert states_of(ear)[HOUR] == "clock"
    levels = levels_of(ear)
    assert all(levels[HOUR + t] is not None for t in (0, 10, 150))


def test_a_recording_is_not_taken_for_live_sound(tmp_path: Path) -> None:
    clock = Clock(HOUR * 1.0)

    def script(s: Street) -> None:
        for _ in range(40):
            s.play(noise(5.0))
            clock.seconds -= 5.0

    with pytest.raises(LiveError, match="faster than the clock"):
        listen_to(script, folder=tmp_path, policy=noise_policy(), clock=clock)


def test_another_policy_or_key_begins_anew_and_says_so(tmp_path: Path) -> None:
    run_street(tmp_path, lambda s: s.play(noise(3.0)), start=HOUR + 10.0)
    ear = run_street(tmp_path, lambda s: s.play(noise(3.0)), start=HOUR + 20.0, policy=noise_policy())
    assert [note for note in ear.notes if "bad_checkpoint" in note]
    (tmp_path / "zone.key").unlink()
    ear = run_street(tmp_path, lambda s: s.play(noise(3.0)), start=HOUR + 30.0, policy=noise_policy())
    assert [note for note in ear.notes if "wrong_key" in note]
    assert [note for note in ear.notes if "events from" in note]


def test_what_was_decided_before_a_crash_is_written_once(tmp_path: Path) -> None:
    run_street(tmp_path, lambda s: s.play(noise(65.0)), start=HOUR * 1.0, policy=noise_policy())
    whole = lines_in(tmp_path / "out")
    state = json.loads((tmp_path / "out" / "listen.state").read_bytes())
    # The last commit of a stop releases nothing; the one before is what a crash would have cut off.
    state["lines"] = {name: "".join(line + "\n" for line in lines[-1:]) for name, lines in whole.items()}
    state["sizes"] = {
        name: sum(len(line.encode()) + 1 for line in lines[:-1]) if lines else 0 for name, lines in whole.items()
    }
    (tmp_path / "out" / "listen.state").write_bytes(json.dumps(state).encode())
    for n_kept in (0, 7):  # nothing of the line, and a part of it
        size = state["sizes"]["levels.jsonl"] + n_kept
        with (tmp_path / "out" / "levels.jsonl").open("r+b") as file:
            file.truncate(size)
        run_street(tmp_path, lambda s: s.wait(0.5), start=HOUR + 66.0, policy=noise_policy())
        assert lines_in(tmp_path / "out")["levels.jsonl"][: len(whole["levels.jsonl"])] == whole["levels.jsonl"]
        (tmp_path / "out" / "listen.state").write_bytes(json.dumps(state).encode())


def test_nothing_of_the_sound_lies_in_the_folder(tmp_path: Path) -> None:
    sound = noise(12.0)
    run_street(tmp_path, lambda s: s.play(sound), start=HOUR * 1.0, policy=noise_policy())
    raw = pcm16(sound)
    pieces = {raw[at : at + 16] for at in range(0, len(raw) - 16, 16)}
    for file in (tmp_path / "out").iterdir():
        content = file.read_bytes()
        assert not [True for at in range(max(0, len(content) - 16)) if content[at : at + 16] in pieces]


REFUSED = {
    "recording": (["listen", "x.wav", "--rate", "16000"], "x.wav is a recording, not live sound"),
    "folder": (["listen", ".", "--rate", "16000"], "expected a pipe or a socket"),
    "nothing there": (["listen", "gone", "--rate", "16000"], "gone: No such file"),
    "no rate": (["listen", "pipe"], "needs --rate"),
    "channel": (["listen", "pipe", "--rate", "16000", "--channel", "2"], "--channel: expected at most 1"),
    "each channel": (["listen", "pipe", "--rate", "16000", "--channel", "each"], "from 1 to 64, or mix, got each"),
    "sensor": (["listen", "pipe", "--rate", "16000", "--sensor", "x"], "--sensor: expected a number"),
    "open key": (["listen", "pipe", "--rate", "16000", "--key", "open.key"], "its owner alone"),
    "no key": (["listen", "pipe", "--rate", "16000", "--key", "x.wav"], "a key file"),
}


@pytest.mark.parametrize(("arguments", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_live_sound_costs_one_line(arguments: list[str], words: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(0.5))
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "open.key").write_text("0" * 64, "utf-8")
    (tmp_path / "open.key").chmod(0o644)
    result = call(*arguments, "--quiet", cwd=tmp_path)
    assert result.returncode == 2
    assert words in one_line(result)


def test_it_stops_in_good_order_and_goes_on_where_it_was(tmp_path: Path) -> None:
    command = [*SOURDINE, "listen", "-", "--rate", str(RATE), "--sensor", "17", "--out", "out"]
    for turn in range(2):
        process = subprocess.Popen(
            command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stderr is not None
        said: list[str] = []
        while not any("hearing from" in line for line in said):
            if any("earlier state" in line or "zone.key" in line for line in said) or turn:
                process.stdin.write(pcm16(noise(0.2)))
                process.stdin.flush()
            said.append(process.stderr.readline().decode())
            assert said[-1], said
        second = call("listen", "pipe", "--rate", "16000", "--out", "out", cwd=_with_pipe(tmp_path))
        assert second.returncode == 2
        assert "another sourdine writes into" in second.stderr
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
        assert process.returncode == 0, rest
        assert any("no earlier state" in line for line in said) == (turn == 0)
    assert (tmp_path / "out" / "zone.key").stat().st_mode & 0o777 == 0o600


def _with_pipe(folder: Path) -> Path:
    if not (folder / "pipe").exists():
        os.mkfifo(folder / "pipe")
    return folder


def test_keys_are_made_turned_and_named(tmp_path: Path) -> None:
    made = call("key", "new", "zone.key", cwd=tmp_path)
    assert made.returncode == 0
    assert call("key", "new", "zone.key", cwd=tmp_path).returncode == 2
    turned = json.loads(call("key", "rotate", "zone.key", "--json", cwd=tmp_path).stdout)["ids"]
    assert turned[1:] == made.stdout.split()
    assert call("key", "id", "zone.key", cwd=tmp_path).stdout.split() == turned
    key = (tmp_path / "zone.key").read_text("utf-8").split()
    assert not set(key) & set(turned)


def test_a_calibration_turns_levels_and_states_and_begins_anew(tmp_path: Path) -> None:
    plain = listen_to(lambda s: s.play(noise(65.0)), folder=tmp_path, policy=noise_policy(), clock=Clock(HOUR * 1.0))
    assert states_of(plain)[HOUR] == "uncalibrated"
    later = Clock(HOUR + 120.0)
    ear = listen_to(
        lambda s: s.play(noise(65.0)), folder=tmp_path, policy=noise_policy(), clock=later, full_scale_db=117.0
    )
    assert [note for note in ear.notes if "another calibration" in note]
    assert states_of(ear)[HOUR + 120] == "ok"
    before, after = levels_of(plain)[HOUR + 10], levels_of(ear)[HOUR + 130]
    assert before is not None
    assert after is not None
    assert abs(after - before - 117) <= 1
