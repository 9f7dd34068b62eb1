"""Every line that is written validates against the shipped schema, and the demo shows all that it promises."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from jsonschema import Draft202012Validator
from tests.chain import FILES, call, events_in, lines_in
from tests.conftest import ROOT
from tests.sounds import eventful, noise, write_wav

import sourdine.outgoing

SCHEMAS = Path(sourdine.outgoing.__file__).parent / "schemas"


def test_every_written_line_validates(tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "a.wav", eventful(60.0))
    write_wav(tmp_path / "in" / "b.wav", noise(130.0))
    write_wav(tmp_path / "in" / "c.wav", noise(61.0, sample_rate=48_000), sample_rate=48_000)
    for policy in ("street", "strict", "noise"):
        run = ("run", "in", "--policy", policy, "--start", "2026-05-04T21:00:00Z")
        assert call(*run, cwd=tmp_path).returncode == 0
        for name, lines in lines_in(tmp_path / "sourdine-out").items():
            schema = json.loads((SCHEMAS / f"{name.removesuffix('s.jsonl').removesuffix('.jsonl')}.json").read_text())
            for line in lines:
                Draft202012Validator(schema).validate(json.loads(line))
        assert all(event["time"].startswith("2026-05-04T21:0") for event in events_in(tmp_path / "sourdine-out"))


def test_run_writes_records_journal_and_report_and_nothing_else(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(3.0))
    before = set(tmp_path.rglob("*"))
    assert call("run", "x.wav", "--out", "out", cwd=tmp_path).returncode == 0
    made = {str(path.relative_to(tmp_path)) for path in set(tmp_path.rglob("*")) - before}
    assert made == {
        "out",
        *(f"out/{name}" for name in (*FILES, ".sourdine.lock", "journal.jsonl", "report.json", "report.md")),
    }


def test_demo_hears_the_scene_and_says_what_next(tmp_path: Path) -> None:
    began = time.monotonic()
    result = call("demo", cwd=tmp_path)
    assert time.monotonic() - began < 60.0
    assert (result.returncode, result.stderr) == (0, "")
    for words in ("synthetic", "nobody ever spoke", "Events", "Levels", "bit/s", "What next"):
        assert words in result.stdout
    classes = {event["data"].get("sound_class") for event in events_in(tmp_path / "sourdine-out")}
    assert {"horn", "glass_break", "siren"} <= classes
    assert (tmp_path / "sourdine-out" / "synthetic-street.wav").exists()


def test_demo_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    outputs = [call("demo", cwd=tmp_path).stdout]
    kept = {name: (tmp_path / "sourdine-out" / name).read_bytes() for name in (*FILES, "synthetic-street.wav")}
    outputs.append(call("demo", cwd=tmp_path).stdout)
    assert outputs[0] == outputs[1]
    assert {name: (tmp_path / "sourdine-out" / name).read_bytes() for name in kept} == kept


def test_demo_with_paths_is_run_and_the_closing_words(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(3.0))
    run = call("run", "x.wav", cwd=tmp_path)
    demo = call("demo", "x.wav", cwd=tmp_path)
    assert demo.returncode == 0
    assert demo.stdout.startswith(run.stdout)
    assert "What next" in demo.stdout
    assert "\n  sourdine policy show street\n" in demo.stdout
    assert "./run" not in demo.stdout


def test_demo_names_the_command_that_was_typed(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(3.0))
    typed = subprocess.run([ROOT / "run", "demo", "x.wav"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "\n  ./run sourdine policy show street\n" in typed.stdout
