"""The import rules bite: each forbidden import, in a house made for it, breaks the rule that forbids it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOMS = (
    "cli",
    "cut",
    "flow",
    "hearing",
    "hearings",
    "local/run",
    "live/listener",
    "gateway/front",
    "gateway/sender",
    "agents/app",
    "sinks/reader",
    "outgoing/jsonl",
    "outgoing/kafka",
    "console/page",
    "evidence/attack",
)
FACES = ("arrays", "records", "zone")


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Make both packages with a file in each room and nothing in it."""
    for module in (*(f"sourdine/{room}" for room in ROOMS), *(f"dsp_core/{face}" for face in FACES)):
        file = tmp_path / f"{module}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        (file.parent / "__init__.py").touch()
    return tmp_path


def broken_rules(house: Path, root: Path) -> list[str]:
    """Check the made house by the project's own rules, and name those that it breaks."""
    command = [Path(sys.executable).parent / "lint-imports", "--no-logo", "--no-cache"]
    command += ["--config", root / "pyproject.toml"]
    result = subprocess.run([str(word) for word in command], cwd=house, capture_output=True, text=True, check=False)
    output = result.stdout.replace("\n", " ")
    assert "Contracts: " in output, output + result.stderr
    words = [name for name in ("two faces", "Handles", "order of the flow", "no output", "Faust") if name in output]
    assert len(words) == 5
    return [line.removesuffix(" BROKEN") for line in result.stdout.splitlines() if line.endswith(" BROKEN")]


ALLOWED = {
    "cut": "from dsp_core.zone import Gate",
    "flow": "from dsp_core.zone import Gate",
    "hearing": "from dsp_core.zone import Describe",
    "hearings": "from dsp_core.zone import Sealer\nfrom sourdine import cut, hearing",
    "local/run": "from dsp_core.zone import Source\nfrom sourdine.flow import Flow",
    "outgoing/jsonl": "from dsp_core.records import Event",
    "outgoing/kafka": "import aiokafka",
    "gateway/front": "from dsp_core.zone import Describe\nfrom sourdine.live import listener",
    "gateway/sender": "import aiokafka",
    "live/listener": "from dsp_core.zone import Source\nfrom sourdine.flow import Flow",
    "agents/app": "import faust",
    "sinks/reader": "import aiokafka\nfrom sourdine.outgoing import jsonl",
    "console/page": "from sourdine.outgoing import jsonl",
    "evidence/attack": "import dsp_core\nfrom dsp_core.arrays import log_mel",
}


def test_allowed_imports_pass(house: Path, root: Path) -> None:
    for room, lines in ALLOWED.items():
        (house / "sourdine" / f"{room}.py").write_text(lines + "\n", "utf-8")
    assert broken_rules(house, root) == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("flow", "import dsp_core"),
        ("flow", "from dsp_core import Source"),
        ("flow", "from dsp_core._dsp_core import Source"),
        ("flow", "from dsp_core.arrays import log_mel"),
        ("flow", "from sourdine.outgoing import jsonl"),
        ("hearing", "from sourdine import hearings"),
        ("hearings", "from sourdine.outgoing import jsonl"),
        ("local/run", "import faust"),
        ("live/listener", "from sourdine.local import run"),
        ("gateway/front", "import aiokafka"),
        ("gateway/front", "from sourdine.local import run"),
        ("outgoing/jsonl", "from dsp_core.zone import Gate"),
        ("outgoing/jsonl", "from sourdine.flow import Flow"),
        ("outgoing/jsonl", "import aiokafka"),
        ("console/page", "from dsp_core.zone import Source"),
        ("console/page", "from sourdine.flow import Flow"),
        ("console/page", "from sourdine.local import run"),
        ("sinks/reader", "from dsp_core.zone import Source"),
        ("sinks/reader", "from sourdine.local import run"),
        ("sinks/reader", "import faust"),
        ("cli", "from dsp_core.zone import Source"),
    ],
)
def test_forbidden_import_is_found(house: Path, root: Path, room: str, line: str) -> None:
    (house / "sourdine" / f"{room}.py").write_text(line + "\n", "utf-8")
    assert len(broken_rules(house, root)) == 1
