"""The operator's page names every event and every metric, with the words of the code."""

from __future__ import annotations

from tests.conftest import ROOT

from sourdine.operations.metrics import METRICS
from sourdine.operations.told import MEANINGS

PAGE = (ROOT / "docs" / "operate.md").read_text("utf-8").splitlines()


def test_events_stand_in_the_page() -> None:
    rows = [f"| `{told}` | {level} | {words} |" for told, (level, words) in MEANINGS.items()]
    assert [row for row in rows if row not in PAGE] == []


def test_metrics_stand_in_the_page() -> None:
    rows = []
    for metric in METRICS.values():
        labels = "{" + ", ".join(metric.labels) + "}" if metric.labels else ""
        rows.append(f"| `{metric.name}{labels}` | {metric.words} |")
    assert [row for row in rows if row not in PAGE] == []
