"""The wheel, and the wheel built from the source distribution, work in an empty environment from an empty folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest

# What a stranger does first: it must come from the wheel, and the core behind each face must answer.
PROGRAM = """
import sys
from importlib.metadata import version
import dsp_core, dsp_core.records, dsp_core.zone, numpy
assert dsp_core.__file__ is not None and dsp_core.__file__.startswith(sys.prefix), dsp_core.__file__
assert dsp_core.__version__ == version("dsp-core")
tone = numpy.sin(2 * numpy.pi * 1000 * numpy.arange(16_000) / 16_000).astype("f4")
bands = dsp_core.log_mel(tone, sample_rate=16_000)
assert bands.shape[-1] == 64 and numpy.isfinite(bands).all(), bands.shape
assert abs(dsp_core.leq(dsp_core.a_weighting(tone, sample_rate=16_000), sample_rate=16_000) + 3.01) < 0.2
print(dsp_core.__version__)
"""


RICH_NEEDS = {"markdown-it-py", "mdurl", "pygments"}


def settings(path: Path) -> dict[str, Any]:
    """Read a TOML file."""
    return tomllib.loads(path.read_text("utf-8"))


def call(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command, show what it said if it failed, give back what it printed."""
    names = [str(word) for word in command]
    result = subprocess.run(names, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def pinned(root: Path, name: str) -> str:
    """Take the lines of one package, with their hashes, out of requirements.txt."""
    blocks = re.findall(r"^[a-z](?:.*\\\n)*.*", (root / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    return "\n".join(block for block in blocks if re.match(rf"{name}==", block)) + "\n"


@pytest.fixture(scope="module")
def version(root: Path) -> str:
    """Version that the workspace states."""
    return str(settings(root / "Cargo.toml")["workspace"]["package"]["version"])


@pytest.fixture(scope="module")
def wheel(root: Path) -> Path:
    """Wheel that ./run built and installed."""
    (found,) = (root / "dist").glob("dsp_core-*.whl")
    return found


@pytest.fixture(scope="module")
def wheel_from_sdist(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel built from the source distribution, as an installer does it; crates already built are reused."""
    made = tmp_path_factory.mktemp("made")
    tools = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    call(sys.executable, "-m", "maturin", "sdist", "--out", made, cwd=root, **tools)
    (sdist,) = made.glob("dsp_core-*.tar.gz")
    target = os.environ.get("CARGO_TARGET_DIR", str(root / "target"))
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation")
    call(*pip, "-w", made, sdist, cwd=made, CARGO_TARGET_DIR=target, **tools)
    (found,) = made.glob("dsp_core-*.whl")
    return found


@pytest.mark.parametrize("origin", ["wheel", "wheel_from_sdist"])
def test_wheel_works_in_an_empty_environment(
    origin: str, request: pytest.FixtureRequest, root: Path, version: str, tmp_path: Path
) -> None:
    built: Path = request.getfixturevalue(origin)
    empty = tmp_path / "empty folder"
    empty.mkdir()
    call(sys.executable, "-m", "venv", tmp_path / "env", cwd=empty)
    python = tmp_path / "env" / "bin" / "python"
    pins = tmp_path / "numpy.txt"
    pins.write_text(pinned(root, "numpy"), "utf-8")
    call(python, "-m", "pip", "install", "--require-hashes", "--no-deps", "-r", pins, cwd=empty)
    call(python, "-m", "pip", "install", "--no-deps", "--no-index", built, cwd=empty)
    call(python, "-m", "pip", "check", cwd=empty)
    assert call(python, "-c", PROGRAM, cwd=empty).strip() == version


def test_both_distributions_run_the_demo_in_an_empty_environment(
    wheel: Path, root: Path, version: str, tmp_path: Path
) -> None:
    call(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", tmp_path,
         root / "pipeline", cwd=tmp_path)  # fmt: skip
    (application,) = tmp_path.glob("sourdine-*.whl")
    call(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    needs = settings(root / "pipeline" / "pyproject.toml")["project"]["dependencies"]
    names = {re.split(r"[<>=]", need)[0] for need in needs} - {"dsp-core"} | RICH_NEEDS
    pins = tmp_path / "needs.txt"
    pins.write_text("".join(pinned(root, name) for name in sorted(names)), "utf-8")
    pip = (tmp_path / "env" / "bin" / "python", "-m", "pip")
    call(*pip, "install", "--require-hashes", "--no-deps", "-r", pins, cwd=tmp_path)
    call(*pip, "install", "--no-deps", "--no-index", wheel, application, cwd=tmp_path)
    call(*pip, "check", cwd=tmp_path)
    command = tmp_path / "env" / "bin" / "sourdine"
    assert version in call(command, "--version", cwd=tmp_path)
    report = json.loads(call(command, "demo", "--json", cwd=tmp_path))
    assert (report["n_heard"], report["n_refused"]) == (1, 0)
    assert report["n_events"] > 0


def test_both_wheels_hold_the_same_files(wheel: Path, wheel_from_sdist: Path) -> None:
    names = [sorted(zipfile.ZipFile(path).namelist()) for path in (wheel, wheel_from_sdist)]
    assert names[0] == names[1]


def test_numpy_is_the_only_dependency(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    assert [re.split(r"[<>=]", need)[0] for need in metadata.get_all("Requires-Dist", [])] == ["numpy"]
    assert metadata["License-Expression"] == "Apache-2.0"


def test_versions_are_one(root: Path, version: str) -> None:
    assert settings(root / "pyproject.toml")["project"]["dynamic"] == ["version"]
    pipeline = settings(root / "pipeline" / "pyproject.toml")["project"]
    assert pipeline["version"] == version
    assert f"dsp-core=={version}" in pipeline["dependencies"]


def test_everything_we_depend_on_is_pinned(root: Path) -> None:
    files = (root / "pyproject.toml", root / "pipeline" / "pyproject.toml")
    projects = [settings(file)["project"] for file in files]
    extras = [
        need for project in projects for needs in project.get("optional-dependencies", {}).values() for need in needs
    ]
    stated = [need for project in projects for need in project["dependencies"]] + extras
    needs = {re.split(r"[<>=]", need)[0] for need in stated}
    tools = {re.split(r"[<>=;]", need)[0] for need in settings(root / "pyproject.toml")["dependency-groups"]["tools"]}
    assert {name for name in (needs | tools) - {"dsp-core"} if "--hash=" not in pinned(root, name)} == set()


def test_nothing_hides_the_installed_package(root: Path) -> None:
    assert [path for path in (root / "dsp_core").rglob("__init__.py")] == []
