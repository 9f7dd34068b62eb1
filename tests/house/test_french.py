"""The French policy files say what the shipped ones do: other comments, the same keys and values."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest


@pytest.mark.parametrize("name", ["street", "strict", "noise"])
def test_french_policies_are_the_shipped_ones(name: str, root: Path) -> None:
    shipped = (root / "pipeline/sourdine/policies" / f"{name}.toml").read_text("utf-8")
    french = (root / "docs/fr/policies" / f"{name}.toml").read_text("utf-8")
    assert tomllib.loads(french) == tomllib.loads(shipped)
    comments = {line for line in shipped.splitlines() if line.startswith("# ") and "=" not in line}
    assert not comments & set(french.splitlines()), "a comment is not translated"
