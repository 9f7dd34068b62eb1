"""./run says in one line what is missing, finds its folder from anywhere and does what it is asked once."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PLAIN_TOOLS = ("sh", "dirname", "cat", "find", "cksum", "sort", "sed", "mkdir", "rm")


@pytest.fixture
def checkout(root: Path, tmp_path: Path) -> Path:
    """Make an empty checkout with a space in its name, and `bin` beside it with the plainest tools."""
    folder = tmp_path / "a house"
    folder.mkdir()
    shutil.copy(root / "run", folder)
    (tmp_path / "bin").mkdir()
    for tool in PLAIN_TOOLS:
        (tmp_path / "bin" / tool).symlink_to(shutil.which(tool) or tool)
    return folder


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the checkout's ./run from another folder, with nothing but the plain tools and what stands in `bin`."""
    environment = {"PATH": str(checkout.parent / "bin"), "HOME": str(checkout)}
    command = ["/bin/sh", str(checkout / "run"), *arguments]
    return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, check=False)


def provide(checkout: Path, tool: str, script: str) -> None:
    """Put a stand-in for a tool on the path."""
    file = checkout.parent / "bin" / tool
    file.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    file.chmod(0o755)


def missing(result: subprocess.CompletedProcess[str]) -> str:
    """Give the one line that ./run ended with."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("run: ")]
    assert result.returncode == 1
    assert len(lines) == 1, result.stderr
    return lines[0]


def test_help_needs_nothing(checkout: Path) -> None:
    result = run(checkout, "help")
    assert result.returncode == 0
    assert "./run demo" in result.stdout
    assert not (checkout / ".venv").exists()


def test_unknown_command_is_refused(checkout: Path) -> None:
    result = run(checkout, "dmeo")
    assert (result.returncode, result.stdout) == (2, "")


def test_missing_cargo_is_named(checkout: Path) -> None:
    assert "no cargo: install Rust" in missing(run(checkout, "demo"))


def test_old_cargo_is_named(checkout: Path) -> None:
    provide(checkout, "cargo", "echo 'cargo 1.63.0 (fd9c4297c 2022-07-01)'")
    assert "cargo 1.63 is too old" in missing(run(checkout, "demo"))


def test_missing_linker_is_named(checkout: Path) -> None:
    provide(checkout, "cargo", "echo 'cargo 1.95.0 (f2d3ce0bd 2026-03-21)'")
    assert "no C linker: install cc" in missing(run(checkout, "demo"))


def test_missing_python_is_named(checkout: Path) -> None:
    provide(checkout, "cargo", "echo 'cargo 1.95.0 (f2d3ce0bd 2026-03-21)'")
    provide(checkout, "cc", "true")
    provide(checkout, "python3", "exit 1")  # as an older Python answers the question for its version
    assert "no Python >= 3.11: install python3" in missing(run(checkout, "demo"))


def test_both_packages_come_from_the_wheels(root: Path, tmp_path: Path) -> None:
    program = "import dsp_core, sourdine; print(dsp_core.__file__); print(sourdine.__file__)"
    command = [str(root / "run"), "python", "-c", program]
    result = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=True)
    assert [Path(line).is_relative_to(root / ".venv") for line in result.stdout.splitlines()] == [True, True]
