"""The project speaks of itself alone: no machine's paths, no registry's hosts, nothing left undone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LOCK_SOURCE = 'source = "registry+https://github.com/rust-lang/crates.io-index"'
FORBIDDEN = {
    "registry host": re.compile(
        r"\b(pypi\.org|pythonhosted\.org|crates\.io|npmjs\.org|maven\.org|maven\.apache\.org|proxy\.golang\.org|deb\.debian\.org)"
        r"|--(extra-)?index-url\b|^\s*registry\s*="
    ),
    "machine path": re.compile(r"(^|[^\w.)}*-])/(work|root|home)/|(^|[^\w.])/tmp/(wt|target|contract)\b"),
    "left undone": re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\b(todo|unimplemented|dbg)!"),
    "other business": re.compile(r"\bissue #?\d|\b(work)place\b|\b(helper|coding) session\b", re.IGNORECASE),
}
# This file spells out what it looks for.
EXEMPT = {Path("tests/house/test_words.py")}


def faults_in(text: str) -> list[str]:
    """Number, kind and matched word of every forbidden line."""
    return [
        f"{number}: {kind}: {match.group().strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if line != LOCK_SOURCE
        for kind, pattern in FORBIDDEN.items()
        if (match := pattern.search(line))
    ]


@pytest.mark.parametrize(
    "line",
    [
        "see https://pypi.org/x",
        "pip install --index-url y",
        'open("/root/x")',
        "cd /tmp/wt/a",
        "# TODO",
        "see issue #12",
    ],
)
def test_forbidden_line_is_found(line: str) -> None:
    assert len(faults_in(line)) == 1


@pytest.mark.parametrize(
    "line", [LOCK_SOURCE, "frame/work/a", "../shared", "pip install --no-index", "an issue of time"]
)
def test_ordinary_line_passes(line: str) -> None:
    assert faults_in(line) == []


def test_committed_text_is_about_the_project(root: Path, our_files: list[Path]) -> None:
    faults = []
    for path in our_files:
        content = (root / path).read_bytes()
        if b"\0" not in content and path not in EXEMPT:
            faults += [f"{path}:{fault}" for fault in faults_in(content.decode("utf-8", "replace"))]
    assert faults == []
