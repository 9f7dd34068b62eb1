"""A set of instructions can be forced, a wrong name stops the import, and what tells of sound holds on each path."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from dsp_core.zone import simd_path

ROOT = Path(__file__).resolve().parents[3]
PATHS = ("baseline", "avx2", "avx512")
#: The golden sound, the fold's laws, and the report of the levels.
ON_EACH_PATH = (
    "tests/flow/test_golden.py",
    "tests/standards/test_conformance.py",
    "tests/unit/dsp_core/test_describe_many.py",
    "tests/unit/dsp_core/arrays/test_levels.py",
    "tests/unit/dsp_core/arrays/test_spectra.py",
    "tests/unit/dsp_core/arrays/test_accuracy.py",
    "tests/unit/dsp_core/arrays/test_fractional_octave.py",
)


def on_path(name: str, arguments: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Call Python with the setting."""
    env = {**os.environ, "DSP_CORE_SIMD": name}
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, check=False, text=True)


def path_of(name: str, cwd: Path) -> str:
    """Ask which set of instructions is used under the setting; empty if the import stops."""
    return on_path(name, ("-P", "-c", "import dsp_core.zone as z; print(z.simd_path())"), cwd).stdout.strip()


def test_the_path_is_one_of_them_and_the_widest_by_itself(tmp_path: Path) -> None:
    assert simd_path() in PATHS
    assert path_of("baseline", tmp_path) == "baseline"
    here = [name for name in PATHS if path_of(name, tmp_path)]
    assert here == list(PATHS[: len(here)])
    assert all(path_of(name, tmp_path) == name for name in here)
    if "DSP_CORE_SIMD" not in os.environ:
        assert simd_path() == here[-1]


@pytest.mark.parametrize("wrong", ["", "AVX2", "sse", "avx2 "])
def test_a_wrong_name_stops_the_import_in_one_line(wrong: str, tmp_path: Path) -> None:
    done = on_path(wrong, ("-P", "-c", "import dsp_core"), tmp_path)
    assert done.returncode == 1
    expected = f"ImportError: DSP_CORE_SIMD: expected one of baseline, avx2, avx512, got {wrong}"
    assert done.stderr.splitlines()[-1].rstrip() == expected.rstrip()


@pytest.mark.skipif("DSP_CORE_SIMD" in os.environ, reason="this run is of one path")
@pytest.mark.parametrize("name", PATHS)
def test_levels_spectra_and_records_hold_on_each_path(name: str) -> None:
    if name == simd_path():
        pytest.skip("the path of this run: its tests ran by themselves")
    if not path_of(name, ROOT):
        pytest.skip(f"this CPU has no {name}")
    done = on_path(name, ("-m", "pytest", "-q", "-p", "no:cacheprovider", *ON_EACH_PATH), ROOT)
    assert done.returncode == 0, done.stdout[-2000:]
