"""The man page says what the command line says."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_man_page_is_that_of_the_parser(root: Path) -> None:
    made = subprocess.run([root / "run", "man-page"], capture_output=True, text=True, check=True).stdout
    assert made.startswith(".TH SOURDINE")
    kept = (root / "pipeline" / "man" / "sourdine.1").read_text("utf-8")
    assert ".nf\n  sourdine run street.wav " in made
    assert made.count(".nf\n") == made.count("\n.fi\n") > 10
    assert kept == made, "./run docs makes it anew"
