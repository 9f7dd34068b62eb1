"""The report of a run: every input and every block has one fate."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from tests.chain import call
from tests.sounds import RATE, float_wav, noise, write_wav

BLOCK = RATE // 2
BLOCK_FATES = ("n_blocks", "n_blocks_refused", "n_blocks_outside")


def blocks(document: dict[str, Any]) -> tuple[int, ...]:
    """Give the blocks heard, refused and outside, which must be all that were offered."""
    counts = tuple(int(document[name]) for name in BLOCK_FATES)
    assert sum(counts) == document["n_blocks_offered"]
    return counts


def archive(folder: Path) -> None:
    """Make recordings of every fate."""
    write_wav(folder / "a.wav", noise(60.0))
    write_wav(folder / "b-short.wav", noise(5.2))
    write_wav(folder / "c-cut.wav", noise(40.0))
    whole = (folder / "c-cut.wav").read_bytes()
    (folder / "c-cut.wav").write_bytes(whole[: 44 + 2 * 30 * RATE])
    (folder / "d.wav").write_text("no sound", "utf-8")
    wrong = noise(20.0)
    wrong[15 * RATE] = math.nan
    (folder / "e-wrong.wav").write_bytes(float_wav(wrong))


def test_every_block_has_one_fate(tmp_path: Path) -> None:
    archive(tmp_path / "in")
    done = call("run", "in", "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert done.returncode == 1
    by_name = {Path(entry["name"]).name: blocks(entry) for entry in document["inputs"]}
    heard_of_e, refused_of_e, _ = by_name.pop("e-wrong.wav")
    assert by_name == {"a.wav": (120, 0, 0), "b-short.wav": (11, 0, 0), "c-cut.wav": (60, 20, 0), "d.wav": (0, 0, 0)}
    assert heard_of_e + refused_of_e == 40
    assert refused_of_e >= 10
    assert blocks(document) == (191 + heard_of_e, 20 + refused_of_e, 0)
    page = (tmp_path / "sourdine-out" / "report.md").read_text("utf-8")
    assert f"| refused, whole or from some point on | 3 | {20 + refused_of_e} |" in page
    assert "| all | 5 | 251 |" in page


def test_blocks_outside_the_span_are_counted_as_such(tmp_path: Path) -> None:
    archive(tmp_path / "in")
    done = call("run", "in", "--since", "10", "--until", "35", "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    by_name = {Path(entry["name"]).name: blocks(entry) for entry in document["inputs"]}
    heard_of_e, refused_of_e, outside_of_e = by_name.pop("e-wrong.wav")
    # By hand: a has 20 + 50 + 50, b 11, c 20 + 50 + 10 of which the last ten asked for are not there.
    assert by_name == {"a.wav": (50, 0, 70), "b-short.wav": (0, 0, 11), "c-cut.wav": (40, 10, 30), "d.wav": (0, 0, 0)}
    assert (heard_of_e + refused_of_e, outside_of_e) == (20, 20)


def test_a_pipe_is_reported_too(tmp_path: Path) -> None:
    sound = bytes(2 * 10 * RATE + 1)
    done = call("run", "-", "--rate", str(RATE), "--json", cwd=tmp_path, stdin=sound)
    document = json.loads(done.stdout)
    assert blocks(document) == (20, 1, 0)
    assert document["refused_by_reason"] == {"partial_sample": 1}


def test_what_is_left_aside_is_told_and_takes_no_number(tmp_path: Path) -> None:
    write_wav(tmp_path / "in" / "b.wav", noise(2.0))
    for name in ("CONFIG.TXT", "a.txt", ".DS_Store"):
        (tmp_path / "in" / name).write_text("no sound", "utf-8")
    done = call("run", "in", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    said = "2 .txt files, 1 hidden file"
    assert said in done.stdout
    out = tmp_path / "sourdine-out"
    assert f"Left aside in folders, by their names: {said}." in (out / "report.md").read_text("utf-8")
    document = json.loads((out / "report.json").read_bytes())
    assert (document["left_aside"], [entry["sensor_id"] for entry in document["inputs"]]) == (said, [1])


NAMES = ("[a](http://example.org) <b>*x*_y_.wav", "a|b.wav", "``tick` .wav", "`.wav", "\\|.wav")


def test_names_are_no_markup_in_the_report(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name.replace("/", "")).write_bytes(b"")
    call("run", *(f"./{name.replace('/', '')}" for name in NAMES), cwd=tmp_path)
    page = MarkdownIt("commonmark").enable("table").parse((tmp_path / "sourdine-out" / "report.md").read_text("utf-8"))
    cells = [token.children for token in page if token.type == "inline" and token.content.startswith("`")]
    found = {child.content for children in cells for child in children or [] if child.type == "code_inline"}
    assert {name.replace("/", "") for name in NAMES} <= {text.removeprefix("./") for text in found}
    assert all(len(children or []) == 1 for children in cells)
