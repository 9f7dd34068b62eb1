"""What every test shares: the recordings, which stand beside the checkout, and what their absence means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import dsp_core
import pytest

ROOT = Path(__file__).resolve().parents[1]


def pytest_configure() -> None:
    """Stop at once where the Rust crate's folder, an empty namespace, would pass for the installed package."""
    if dsp_core.__file__ is None:
        raise pytest.UsageError("dsp_core is not installed: run the tests with ./run test")


def absent(what: str) -> NoReturn:
    """Skip by name, or fail where everything is required."""
    if os.environ.get("SOURDINE_REQUIRE") == "all":
        pytest.fail(f"{what} is absent, and SOURDINE_REQUIRE=all")
    pytest.skip(f"{what} is absent")


def _folder(name: str) -> Path:
    folder = Path(os.environ.get("SOURDINE_DATA") or ROOT.parent / "shared") / name
    if not folder.is_dir():
        absent(f"SOURDINE_DATA/{name}")
    return folder


@pytest.fixture(scope="session")
def city_sounds() -> Path:
    """Folder of the labelled clips of city sounds: `free/` and `eval_nc/`."""
    return _folder("data/city_sounds")


@pytest.fixture(scope="session")
def speech() -> Path:
    """Folder of real voices, for the attacks."""
    return _folder("data/speech")


@pytest.fixture(scope="session")
def models() -> Path:
    """Folder of other models: yardsticks, not shipped."""
    return _folder("models")
