"""The picture of a run shows what left, and depends on nothing else that was heard."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.chain import FILES, call, lines_in
from tests.pictures import png_size
from tests.sounds import noise, write_wav


def picture_of(folder: Path, seed: int, level: float = 0.1) -> tuple[bytes, dict[str, list[str]]]:
    """Run over a noise; give picture and records."""
    write_wav(folder / "x.wav", noise(65.0, seed=seed, level=level))
    result = call("run", "x.wav", "--picture", cwd=folder)
    assert (result.returncode, result.stderr) == (0, "")
    return (folder / "sourdine-out" / "picture.png").read_bytes(), lines_in(folder / "sourdine-out")


def test_equal_records_give_the_same_picture_whatever_was_heard(tmp_path: Path) -> None:
    first, second = picture_of(tmp_path / "a", seed=1), picture_of(tmp_path / "b", seed=2)
    assert (tmp_path / "a" / "x.wav").read_bytes() != (tmp_path / "b" / "x.wav").read_bytes()
    assert first[1] == second[1]
    assert first[0] == second[0]
    louder = picture_of(tmp_path / "c", seed=1, level=0.4)
    assert louder[1] != first[1]
    assert louder[0] != first[0]
    width, height = png_size(first[0])
    assert width == 1800 < 3 * height


DRAW = """
import sys
from datetime import date
from pathlib import Path
from sourdine.evidence.timeline import draw_run
from sourdine.policy import load
draw_run(Path("."), load("street", today=date(2026, 1, 1)).core)
assert not {"soundfile", "dsp_core.arrays", "sourdine.evidence.spectrogram"} & set(sys.modules)
"""


def test_picture_of_a_run_is_made_without_the_recording(tmp_path: Path) -> None:
    picture, _ = picture_of(tmp_path / "a", seed=1)
    (tmp_path / "b").mkdir()
    for name in FILES:
        shutil.copy(tmp_path / "a" / "sourdine-out" / name, tmp_path / "b")
    subprocess.run([sys.executable, "-P", "-c", DRAW], cwd=tmp_path / "b", check=True)
    assert (tmp_path / "b" / "picture.png").read_bytes() == picture
