from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.chain import demo_records, lines_in

from sourdine.errors import OutputError
from sourdine.outgoing.cloudevents import encode
from sourdine.outgoing.jsonl import FILE_NAMES, JsonlSink


def test_each_kind_has_its_file_and_keeps_its_order(tmp_path: Path) -> None:
    sink = JsonlSink(tmp_path / "deep" / "down")
    sink.write(demo_records())
    written = lines_in(tmp_path / "deep" / "down")
    for kind, name in FILE_NAMES.items():
        expected = [encode(record).decode() for record in demo_records() if isinstance(record, kind)]
        assert written[name] == expected
    sink.close()


def test_old_files_are_replaced_and_others_left_alone(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("old\n", "utf-8")
    (tmp_path / "notes.txt").write_text("mine\n", "utf-8")
    JsonlSink(tmp_path).close()
    assert (tmp_path / "events.jsonl").read_bytes() == b""
    assert (tmp_path / "notes.txt").read_text("utf-8") == "mine\n"


@pytest.mark.parametrize("name", FILE_NAMES.values())
@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_what_a_link_leads_to_is_never_written_over(link: str, name: str, tmp_path: Path) -> None:
    recording, out = tmp_path / "street.wav", tmp_path / "out"
    recording.write_bytes(b"sound")
    out.mkdir()
    getattr(out / name, link)(recording)
    sink = JsonlSink(out)
    sink.write(demo_records())
    sink.close()
    assert recording.read_bytes() == b"sound"
    assert not (out / name).is_symlink()
    assert lines_in(out)[name]


@pytest.mark.parametrize("target", ["gone", "loop"])
def test_link_that_leads_nowhere_is_replaced(target: str, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "events.jsonl").symlink_to(target)
    JsonlSink(tmp_path).close()
    assert (tmp_path / "events.jsonl").read_bytes() == b""
    assert not (tmp_path / "gone").exists()


def test_pipe_and_folder_of_the_name_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "levels.jsonl")
    with pytest.raises(OutputError, match="File exists"):
        JsonlSink(tmp_path)
    (tmp_path / "levels.jsonl").unlink()
    (tmp_path / "levels.jsonl").mkdir()
    with pytest.raises(OutputError, match="File exists"):
        JsonlSink(tmp_path)


def test_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("", "utf-8")
    with pytest.raises(OutputError, match="cannot write"):
        JsonlSink(tmp_path / "taken")
    with pytest.raises(OutputError, match="cannot write"):
        JsonlSink(tmp_path / "taken" / "below")


def test_full_device_is_refused(tmp_path: Path) -> None:
    for name in FILE_NAMES.values():
        (tmp_path / name).symlink_to("/dev/full")
    sink = JsonlSink(tmp_path)
    with pytest.raises(OutputError, match="No space left"):
        sink.write(demo_records())
    sink.close()


def test_line_that_does_not_fit_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = JsonlSink(tmp_path)
    sink.write(demo_records())
    before = lines_in(tmp_path)
    write, room = os.write, [100]

    def write_until_full(descriptor: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(28, "No space left on device")
        n_written = write(descriptor, data[: room[0]])
        room[0] -= n_written
        return n_written

    monkeypatch.setattr(os, "write", write_until_full)
    with pytest.raises(OutputError):
        sink.write(demo_records())
    assert lines_in(tmp_path) == before
    sink.close()
