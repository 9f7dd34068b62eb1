"""Whoever lacks a right is told whose it is, and where to get it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sourdine.agents.connection import Connection

MISSING = "may not see or change topics and rights, as admin may"


@pytest.mark.parametrize(
    ("user", "remedy"),
    [
        ("gate", "name the file of user admin or of a super user"),
        ("admin", "let a super user of the broker run `sourdine topics apply`"),
    ],
)
def test_a_refusal_names_whose_rights_are_missing(user: str, remedy: str) -> None:
    settings: Any = SimpleNamespace(bootstrap="127.0.0.1:1", user=user, for_librdkafka=dict)
    refusal = Connection(settings).denied()
    assert str(refusal) == f"Kafka at 127.0.0.1:1: user {user} {MISSING}: {remedy}"
