"""An archive of 1 000 clips on two cores against one, in one run; and how long the command takes to answer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

N_CLIPS = 1_000
MIN_RATIO = 1.8
MAX_HELP_S = 0.3
MAX_IMPORT_S = 0.15
COMMAND = [sys.executable, "-P", "-m", "sourdine"]


def wall_s(*command: str, cwd: Path) -> float:
    """Run a command and take its time."""
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, capture_output=True)
    return time.perf_counter() - began


def test_two_jobs_against_one(tmp_path: Path) -> None:
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one processor")
    folder = Path(os.environ["SOURDINE_DATA"]) / "data" / "city_sounds"
    if not folder.is_dir():
        pytest.skip("SOURDINE_DATA/data/city_sounds is absent")
    clips = sorted(path for path in folder.rglob("*") if path.suffix in {".flac", ".ogg", ".wav"})[:N_CLIPS]
    for number, clip in enumerate(clips):
        (tmp_path / f"{number:04d}{clip.suffix}").symlink_to(clip)
    best = {jobs: min(_run_s(jobs, tmp_path) for _ in range(3)) for jobs in (1, 2)}
    ratio = best[1] / best[2]
    print(f"\n{len(clips)} clips: {best[1]:.2f} s by one job, {best[2]:.2f} s by two: {ratio:.2f} times as fast")
    assert ratio >= MIN_RATIO


def _run_s(jobs: int, folder: Path) -> float:
    return wall_s(*COMMAND, "run", ".", "--jobs", str(jobs), "--out", "out", "--quiet", cwd=folder)


def test_help_and_import_answer_at_once(tmp_path: Path) -> None:
    help_s = min(wall_s(*COMMAND, "--help", cwd=tmp_path) for _ in range(5))
    program = "import time; t = time.perf_counter(); import dsp_core; dsp_core.log_mel; print(time.perf_counter() - t)"
    runs = [subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, check=True) for _ in range(5)]
    import_s = min(float(run.stdout) for run in runs)
    print(f"\nsourdine --help: {1000 * help_s:.0f} ms; import dsp_core with numpy: {1000 * import_s:.0f} ms")
    assert help_s <= MAX_HELP_S
    assert import_s <= MAX_IMPORT_S
