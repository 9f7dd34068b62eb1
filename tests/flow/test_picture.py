"""`sourdine picture`: the sheet and the page of one's own recording, and what has no picture."""

from __future__ import annotations

import json
import os
import stat
import struct
from pathlib import Path
from typing import Any

import pytest
from tests.chain import call, lines_in, one_line
from tests.pictures import Page, png_size
from tests.sounds import eventful, noise, wav_bytes, write_wav

from sourdine import cli
from sourdine.cli import arguments

CONFIDENCES = ("low", "fair", "high", "very high")


def data_in(folder: Path, name: str) -> list[dict[str, Any]]:
    """Read what the records of a file say."""
    return [json.loads(line)["data"] for line in lines_in(folder)[name]]


def at(slot: int) -> str:
    """Say a second as the page does."""
    return f"{slot // 3600:02d}:{slot // 60 % 60:02d}:{slot % 60:02d}"


def expected_rows(folder: Path, period_s: int) -> list[tuple[str, ...]]:
    """Say the records of a run as the page should, in the order of time."""

    def level(data: dict[str, Any], absent: str) -> str:
        return absent if data["level_db"] is None else f"{data['level_db']} dBFS".replace("-", "−")

    def rows(name: str) -> list[dict[str, Any]]:
        return sorted(data_in(folder, name), key=lambda data: int(data["slot"]))

    events = [
        (
            at(event["slot"]),
            event["sound_class"].replace("_", " "),
            level(event, "none"),
            CONFIDENCES[event["confidence"]],
        )
        for event in rows("events.jsonl")
    ]
    levels = [(at(step["slot"]), f"LAeq, {period_s} s", level(step, "missing")) for step in rows("levels.jsonl")]
    states = [(at(state["slot"]), "60 s", state["state"]) for state in rows("health.jsonl")]
    return [*events, *levels, *states]


def test_page_holds_the_records_of_the_run_and_no_others(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", eventful(65.0))
    assert call("run", "x.wav", cwd=tmp_path).returncode == 0
    result = call("picture", "x.wav", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    page = Page((tmp_path / "x.wav.picture.html").read_text("utf-8"))
    expected = expected_rows(tmp_path / "sourdine-out", 60)
    assert len(expected) >= 5
    assert page.rows == expected


def test_part_is_that_of_a_run_over_the_part(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", eventful(65.0))
    part = ("--since", "00:15", "--until", "62", "--policy", "strict")
    assert call("run", "x.wav", *part, cwd=tmp_path).returncode == 0
    assert call("picture", "x.wav", *part, cwd=tmp_path).returncode == 0
    page = Page((tmp_path / "x.wav.picture.html").read_text("utf-8"))
    assert page.rows == expected_rows(tmp_path / "sourdine-out", 300)
    assert any("00:00:15 to 00:01:02" in words for _, words in page.words)


def test_sheet_and_numbers(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", eventful(65.0))
    run = json.loads(call("run", "x.wav", "--json", cwd=tmp_path).stdout)
    facts = json.loads(call("picture", "x.wav", "--json", "--out", "pictures", cwd=tmp_path).stdout)
    assert {"x.wav.picture.png", "x.wav.picture.html"} == {path.name for path in (tmp_path / "pictures").iterdir()}
    png = (tmp_path / facts["png"]).read_bytes()
    assert png_size(png) == (1800, 1200)
    assert facts["bits_in"] == 65 * 16_000 * 16
    assert facts["bits_out"] == pytest.approx(run["bits_out"])
    assert (facts["since_s"], facts["until_s"]) == (0, 65)
    assert "can reveal it" in facts["warning"]


def test_what_is_said(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(2.0))
    said = call("picture", "x.wav", cwd=tmp_path).stdout.splitlines()
    assert said[0].startswith("512 000 bits in, 10 bits out: 0.002 %")
    assert said[1:3] == ["x.wav.picture.png", "x.wav.picture.html"]
    assert said[3:] == [
        "This picture is made from the recording and can reveal it: words can be rebuilt from a spectrogram. "
        "Treat it like the recording."
    ]
    page = Page((tmp_path / "x.wav.picture.html").read_text("utf-8"))
    assert ("p", said[3]) in page.words
    assert call("picture", "x.wav", "--quiet", cwd=tmp_path).stdout == ""


def test_a_name_that_is_no_text_has_a_picture_too(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    write_wav(tmp_path / name, noise(0.5))
    for more in ((), ("--json",)):
        done = call("picture", name, *more, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert "caf?.wav.picture.png" in done.stdout
    page = Page((tmp_path / f"{name}.picture.html").read_text("utf-8"))
    assert any("caf?.wav, 00:00:00 to 00:00:01" in words for _, words in page.words)


def test_page_loads_nothing_and_can_be_heard_as_words(tmp_path: Path) -> None:
    write_wav(tmp_path / "a<b>&'x.wav", noise(2.0))
    assert call("picture", "a<b>&'x.wav", cwd=tmp_path).returncode == 0
    html = (tmp_path / "a<b>&'x.wav.picture.html").read_text("utf-8")
    page = Page(html)
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "link", "iframe", "object", "b"}
    assert "url(" not in html
    assert [
        value for _, attributes in page.elements for value in attributes.values() if value and "//" in value[:9]
    ] == []
    ((_, image),) = [element for element in page.elements if element[0] == "img"]
    assert (image["src"] or "").startswith("data:image/png;base64,")
    assert "a<b>&'x.wav" in (image["alt"] or "")
    assert ("html", {"lang": "en"}) in page.elements


def test_only_the_owner_may_read_it_and_no_link_is_written_through(tmp_path: Path) -> None:
    recording = write_wav(tmp_path / "x.wav", noise(2.0))
    before = recording.read_bytes()
    for kind in ("png", "html"):
        (tmp_path / f"x.wav.picture.{kind}").symlink_to(recording)
    assert call("picture", "x.wav", cwd=tmp_path).returncode == 0
    assert recording.read_bytes() == before
    for kind in ("png", "html"):
        status = (tmp_path / f"x.wav.picture.{kind}").lstat()
        assert stat.S_ISREG(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600


@pytest.mark.parametrize("word", ["-", "fifo", "/dev/zero", "folder", "gone.wav", "socket:1"])
def test_live_sound_and_what_is_no_file_have_no_picture(word: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    write_wav(tmp_path / "folder" / "x.wav", noise(1.0))
    before = set(tmp_path.rglob("*"))
    result = call("picture", word, cwd=tmp_path, stdin=wav_bytes(bytes(32_000)))
    assert (result.returncode, result.stdout) == (2, "")
    assert one_line(result).startswith("sourdine: picture: expected ")
    assert set(tmp_path.rglob("*")) == before


def test_recording_that_is_refused_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "x.wav").write_bytes(wav_bytes(bytes(32_000))[:-1_000])
    result = call("picture", "x.wav", cwd=tmp_path)
    assert result.returncode == 1
    assert one_line(result).startswith("sourdine: refused x.wav: truncated_data: ")
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]


def test_file_that_the_chain_reads_and_libsndfile_does_not_is_named(tmp_path: Path) -> None:
    data = bytes(32_000)
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, len(data), len(data) // 2, 0)
    rest = wav_bytes(data)[12:]
    (tmp_path / "x.wav").write_bytes(b"BW64" + struct.pack("<I", 0xFFFFFFFF) + b"WAVE" + ds64 + rest)
    assert call("run", "x.wav", "--out", "out", cwd=tmp_path).returncode == 0
    result = call("picture", "x.wav", cwd=tmp_path)
    assert result.returncode == 2
    assert one_line(result) == "sourdine: picture: libsndfile cannot read x.wav; convert it to WAV or FLAC"


@pytest.mark.parametrize("part", [("--since", "9"), ("--since", "1", "--until", "1"), ("--until", "noon")])
def test_part_without_sound_is_wrong_usage(part: tuple[str, ...], tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(2.0))
    result = call("picture", "x.wav", *part, cwd=tmp_path)
    assert result.returncode == 2
    assert "--" in one_line(result)
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]


@pytest.mark.parametrize(
    ("command", "names"),
    [(["picture", "x.wav"], "matplotlib and soundfile"), (["run", "--picture", "x.wav"], "matplotlib")],
)
def test_what_is_not_installed_is_named(
    command: list[str],
    names: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(arguments, "find_spec", lambda name: None)
    write_wav(tmp_path / "x.wav", noise(1.0))
    assert cli.run_command(command) == 2
    assert capsys.readouterr().err == f"sourdine: pictures need {names}: pip install 'sourdine[picture]'\n"
    assert [path.name for path in tmp_path.iterdir()] == ["x.wav"]


def test_every_rate_and_kind_of_file_that_is_heard_has_a_picture(city_sounds: Path, tmp_path: Path) -> None:
    flac = sorted((city_sounds / "free").rglob("*.flac"))[0]
    write_wav(tmp_path / "slow.wav", noise(1.0, sample_rate=8_000), sample_rate=8_000)
    write_wav(tmp_path / "fast.wav", noise(1.0, sample_rate=192_000), sample_rate=192_000)
    write_wav(tmp_path / "short.wav", noise(0.01))
    write_wav(tmp_path / "silent.wav", noise(1.0, level=0.0))
    for file in (flac, *tmp_path.glob("*.wav")):
        result = call("picture", file, "--out", "pictures", cwd=tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        assert png_size((tmp_path / "pictures" / f"{file.name}.picture.png").read_bytes()) == (1800, 1200)
