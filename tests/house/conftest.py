"""The files that the house is made of, as its own tests see them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

NOT_OURS = {".git", ".venv", ".cache", "target", "dist", "sourdine-out", "__pycache__"}


@pytest.fixture(scope="session")
def root() -> Path:
    """Root of the checkout."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def our_files(root: Path) -> list[Path]:
    """Every file that is committed or about to be, relative to the root; without git, all but what is built."""
    try:
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
        names = {name for name in listed if name}
    except (OSError, subprocess.CalledProcessError):
        names = set()
        for folder, folders, files in os.walk(root):
            folders[:] = [name for name in folders if name not in NOT_OURS and not name.endswith("_cache")]
            names |= {str((Path(folder) / file).relative_to(root)) for file in files}
    return sorted(Path(name) for name in names if (root / name).is_file())
