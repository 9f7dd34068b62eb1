"""There is no camera, drone, live listening, clip or playback feature, and no way to add one by a setting."""

from __future__ import annotations

import argparse
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import dsp_core.records
import dsp_core.zone
from tests.chain import FILES, call, hear
from tests.sounds import RATE, eventful, noise, write_wav

import sourdine
from sourdine import policy
from sourdine.cli.parser import build
from sourdine.config import RunSettings
from sourdine.local.scene import street_scene

FORBIDDEN = re.compile(
    r"camera|video|\bcctv\b|onvif|drone|\buav\b|playback|\bplay\b|replay|(?<![a-z])rewind|\bclip|snippet|excerpt|listen_?in|wiretap"
    r"|eavesdrop|speaker|transcri|speech_?to|\bvoice_?print|record_?(audio|sound)|(save|store|keep|export|dump)_?(audio|sound)",
    re.IGNORECASE,
)


def words_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Give every command and option there is."""
    for action in parser._actions:
        yield from action.option_strings
        yield action.dest
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield name
                yield from words_of(child)


def module_names() -> list[str]:
    """Give the modules of the application."""
    return [found.name for found in pkgutil.walk_packages(sourdine.__path__, "sourdine.")]


def test_no_command_or_option() -> None:
    words = list(words_of(build()))
    assert "run" in words
    assert [word for word in words if FORBIDDEN.search(word)] == []


def test_no_module_or_public_name() -> None:
    names = module_names() + dsp_core.zone.__all__ + dsp_core.records.__all__
    for kind in (getattr(dsp_core.zone, name) for name in dsp_core.zone.__all__):
        names += [name for name in dir(kind) if not name.startswith("_")]
    assert [name for name in names if FORBIDDEN.search(name)] == []


def test_no_setting_or_policy_key() -> None:
    keys = [field.name for field in fields(RunSettings)] + list(policy._KEYS) + ["valid_until"]
    assert [key for key in keys if FORBIDDEN.search(key)] == []


def test_the_words_would_be_found() -> None:
    for word in (
        "camera",
        "open_camera",
        "--video-url",
        "drone",
        "playback",
        "play",
        "listen_in",
        "save_audio",
        "clip",
    ):
        assert FORBIDDEN.search(word), word


def test_there_is_no_class_for_what_people_say_or_do_with_their_voice() -> None:
    classes = set(dsp_core.records.SOUND_CLASSES)
    assert len(classes) == 16
    assert not classes & {"speech", "conversation", "talk", "singing", "laughter", "laugh", "cough", "crying", "shout"}


WATCHED = """
import sys
seen = []
def look(event, arguments):
    if event.startswith(("socket.", "subprocess.", "os.system", "os.posix_spawn", "os.exec", "os.fork")):
        seen.append(event)
    if event == "open":
        mode, flags = arguments[1], arguments[2]
        if set(mode) & set("wax+") if mode else flags & 3:
            seen.append(f"write {arguments[0]}")
sys.addaudithook(look)
from sourdine.cli import run_command
code = run_command(sys.argv[1:])
sys.stderr.write("\\n".join(seen))
sys.exit(code)
"""


def test_a_run_opens_no_connection_starts_no_program_and_writes_what_it_says(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", eventful(30.0))
    command = [sys.executable, "-P", "-B", "-c", WATCHED, "run", "x.wav"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    said = [re.sub(r"\.\d+\.part$", "", line) for line in done.stderr.splitlines()]  # a report is moved to its place
    written = [".sourdine.lock", "journal.jsonl", *FILES, "report.json", "report.md"]
    # What was opened by its name is then opened once more by its number.
    assert [line for line in said if not line.removeprefix("write ").isdecimal()] == [
        f"write sourdine-out/{name}" for name in written
    ]


def test_refusals_say_the_same_whatever_was_heard(tmp_path: Path) -> None:
    """Two scenes that differ in their voices give the same bytes on standard error."""
    said: list[str] = []
    for name, second in (("talk", street_scene()[17 * RATE : 20 * RATE]), ("calm", noise(3.0))):
        write_wav(tmp_path / name / "x.wav", second)
        whole = (tmp_path / name / "x.wav").read_bytes()
        (tmp_path / name / "x.wav").write_bytes(whole[:-1001])
        said.append(call("run", "x.wav", cwd=tmp_path / name).stderr)
    assert said[0] == said[1] != ""


def test_released_records_hold_no_more_than_their_fields() -> None:
    for record in hear(eventful(30.0)):
        assert len(bytes(record)) <= 17
        for name in (name for name in dir(record) if not name.startswith("_")):
            assert isinstance(getattr(record, name), (int, str, type(None)))
