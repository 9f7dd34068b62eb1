from __future__ import annotations

from pathlib import Path

import pytest

from sourdine.errors import ConfigError
from sourdine.local.find import WRITTEN, number, search


def names(paths: list[Path], out: Path, root: Path) -> list[str]:
    """Give the found paths relative to the test's folder, in the order of their numbers."""
    inputs = number(search(paths, out).files, {})
    assert [item.sensor_id for item in inputs] == list(range(1, len(inputs) + 1))
    return [str(item.path and item.path.absolute().relative_to(root)) for item in inputs]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of empty files, some of them deep down."""
    for name in ("b.wav", "a.wav", "deep/down/c.flac", "deep/b.WAV", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_folders_are_searched_and_numbered_in_sorted_order(folder: Path) -> None:
    assert names([folder], folder / "out", folder) == ["a.wav", "b.wav", "deep/b.WAV", "deep/down/c.flac"]


def test_order_does_not_depend_on_how_files_are_given(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    one = [Path("deep"), Path("b.wav"), Path("a.wav")]
    other = [folder / "a.wav", folder / "deep", Path("b.wav"), Path("./deep/../a.wav")]
    assert names(one, Path("out"), folder) == names(other, Path("out"), folder)
    assert len(names(one, Path("out"), folder)) == 4


def test_what_lies_beside_recordings_is_left_aside_and_told(folder: Path) -> None:
    for name in ("CONFIG.TXT", "log.csv", ".DS_Store", "._a.wav", "README", ".cache/x.wav", "deep/.hidden.wav"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    (folder / "elsewhere").symlink_to(folder / "deep")
    found = search([folder, folder / "deep"], folder / "out")
    assert len(found.files) == 4
    assert found.aside == {
        ".txt file": 2,
        ".csv file": 1,
        "hidden file": 3,
        "file without a suffix": 1,
        "hidden folder": 1,
        "linked folder": 1,
    }
    assert found.aside_words.startswith("3 hidden files, 2 .txt files, 1 ")
    assert found.aside_words.endswith(", 1 other file")


def test_a_file_that_is_named_is_heard_whatever_it_is_called(folder: Path) -> None:
    named = [folder / "notes.txt", folder / "deep"]
    assert names(named, folder / "out", folder) == ["deep/b.WAV", "deep/down/c.flac", "notes.txt"]


def test_own_output_is_no_input_and_not_left_aside(folder: Path) -> None:
    for name in (*WRITTEN, "kept.wav"):
        (folder / "deep" / name).touch()
    (folder / "same").symlink_to("deep")
    found = search([folder / "deep"], folder / "same")
    assert [file.name for file in found.files] == ["b.WAV", "c.flac", "kept.wav"]
    assert not found.aside


def test_file_that_would_be_replaced_is_no_input(folder: Path) -> None:
    (folder / "deep" / "events.jsonl").touch()
    for out in (folder / "deep", folder / "deep" / "down" / ".."):
        with pytest.raises(ConfigError, match=r"events\.jsonl would be replaced"):
            search([folder / "a.wav", folder / "deep" / "events.jsonl"], out)


def test_folder_without_recordings_is_named_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(ConfigError, match=r"no recordings in .*, left aside: 1 \.txt file"):
        search([tmp_path], tmp_path / "out")


def test_paths_that_are_not_there_are_named(folder: Path) -> None:
    (folder / "loose.wav").symlink_to("gone")
    with pytest.raises(ConfigError, match=r"no such file or folder: \S+gone\.wav, \S+loose\.wav"):
        search([folder / "gone.wav", folder / "a.wav", folder / "loose.wav"], folder / "out")
