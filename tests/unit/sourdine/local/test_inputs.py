from __future__ import annotations

import os
from pathlib import Path

import pytest
from dsp_core.zone import Source
from tests.sounds import noise, write_wav

from sourdine.errors import ConfigError, printable
from sourdine.local.inputs import Input, Refusal, find_inputs, open_source


def names(inputs: tuple[Input, ...], root: Path) -> list[str]:
    """Give the found paths relative to the test's folder, in the order of their numbers."""
    assert [item.sensor_id for item in inputs] == list(range(1, len(inputs) + 1))
    return [str(item.path and item.path.absolute().relative_to(root)) for item in inputs]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of empty files, some of them deep down."""
    for name in ("b.wav", "a.wav", "deep/down/c.flac", "deep/b.wav", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_folders_are_searched_and_numbered_in_sorted_order(folder: Path) -> None:
    found = names(find_inputs([folder], folder / "out", {}), folder)
    assert found == ["a.wav", "b.wav", "deep/b.wav", "deep/down/c.flac", "notes.txt"]


def test_order_does_not_depend_on_how_files_are_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    one = find_inputs([Path("deep"), Path("b.wav"), Path("a.wav")], Path("out"), {})
    other = find_inputs([folder / "a.wav", folder / "deep", Path("b.wav"), Path("./deep/../a.wav")], Path("out"), {})
    assert names(one, folder)[:2] == ["a.wav", "b.wav"]
    assert len(other) == len(one) == 4


def test_own_output_is_no_input(folder: Path) -> None:
    for name in ("events.jsonl", "levels.jsonl", "health.jsonl", "kept.wav"):
        (folder / "deep" / name).touch()
    found = names(find_inputs([folder], folder / "deep", {}), folder)
    assert found == ["a.wav", "b.wav", "deep/b.wav", "deep/down/c.flac", "deep/kept.wav", "notes.txt"]


def test_folder_without_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no files in"):
        find_inputs([tmp_path], tmp_path / "out", {})


def test_missing_file_is_an_input_that_is_refused(tmp_path: Path) -> None:
    (item,) = find_inputs([tmp_path / "gone.wav"], tmp_path, {})
    refusal = open_source(item, None)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "unreadable"


def test_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refusal = open_source(Input(1, tmp_path / "pipe"), None)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "unreadable"


def test_good_file_is_opened(tmp_path: Path) -> None:
    source = open_source(Input(3, write_wav(tmp_path / "x.wav", noise(1.0))), None)
    assert isinstance(source, Source)
    assert (source.sample_rate, source.n_samples) == (16_000, 16_000)


def test_names_are_shown_on_one_line() -> None:
    assert printable("a\nb\x1b[31m\udcff.wav") == "a?b?[31m?.wav"
    assert Input(1, Path("caf\u00e9/\x07.wav")).name == "café/?.wav"
    assert Input(1, None).name == "standard input"
