"""Makes the golden sound and what the chain releases for it; run it anew, with `./run python`, when the model changes.

    ./run python tests/golden/flow/make.py [--sound]

Without ``--sound`` the sound that lies here is kept, and only what is released for it is written.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from sourdine.cli import run_command
from sourdine.local.scene import SAMPLE_RATE, street_scene

FOLDER = Path(__file__).resolve().parent
SOUND = FOLDER / "glass.flac"
FILES = ("events.jsonl", "levels.jsonl", "health.jsonl")


def make_sound() -> None:
    """Write eleven seconds of the demo scene, in which glass breaks."""
    excerpt = street_scene()[38 * SAMPLE_RATE : 49 * SAMPLE_RATE]
    soundfile.write(SOUND, np.round(excerpt * 32767.0).astype(np.int16), SAMPLE_RATE, subtype="PCM_16")


def main(arguments: list[str]) -> int:
    """Write the golden files; return the chain's exit code."""
    if "--sound" in arguments:
        make_sound()
    with tempfile.TemporaryDirectory() as out:
        code = run_command(["run", str(SOUND), "--policy", "noise", "--out", out])
        for name in FILES:
            (FOLDER / name).write_bytes((Path(out) / name).read_bytes())
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
