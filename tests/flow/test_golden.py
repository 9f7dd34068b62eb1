"""The chain releases the same bytes for the golden sound on every processor."""

from __future__ import annotations

from pathlib import Path

from tests.chain import call, lines_in

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "flow"


def test_golden_sound_releases_the_golden_records(tmp_path: Path) -> None:
    assert call("run", GOLDEN / "glass.flac", "--policy", "noise", cwd=tmp_path).returncode == 0
    expected = lines_in(GOLDEN)
    assert len(expected["events.jsonl"]) == 1
    assert lines_in(tmp_path / "sourdine-out") == expected
