"""A test that needs recordings skips by name where they are absent, and fails where everything is required."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def outcome(folder: Path, data: Path, require: str) -> str:
    """Run one test that needs the city sounds, in a folder of its own, and give pytest's last words."""
    (folder / "tests").mkdir()
    shutil.copy(Path(__file__).parents[1] / "conftest.py", folder / "tests")
    (folder / "tests" / "test_one.py").write_text("def test_one(city_sounds):\n    pass\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", "tests"]
    environment = os.environ | {"SOURDINE_DATA": str(data), "SOURDINE_REQUIRE": require}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(("require", "words"), [("", "1 skipped"), ("all", "1 error")])
def test_absence(tmp_path: Path, require: str, words: str) -> None:
    output = outcome(tmp_path, tmp_path / "nowhere", require)
    assert words in output
    assert "SOURDINE_DATA/data/city_sounds is absent" in output


def test_presence(tmp_path: Path) -> None:
    (tmp_path / "here" / "data" / "city_sounds").mkdir(parents=True)
    assert "1 passed" in outcome(tmp_path, tmp_path / "here", "all")
