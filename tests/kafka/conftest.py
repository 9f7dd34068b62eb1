"""The real broker, started once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dsp_core.zone import create_key
from tests.conftest import absent
from tests.kafka.broker.libraries import AbsentError
from tests.kafka.broker.server import Broker

from sourdine.agents.admin import Admin
from sourdine.agents.topics import apply
from sourdine.topics import layout


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Apache Kafka with its rights checked, one user, and no topics at first."""
    try:
        made = Broker(tmp_path_factory.mktemp("kafka"))
    except AbsentError as lack:
        absent(str(lack))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def city(broker: Broker) -> Broker:
    """The broker with our topics and rights, and a user for each principal."""
    for principal in layout().principals:
        broker.add_user(principal)
    assert apply(Admin(broker.settings()), layout(), lambda one: None) == []
    return broker


@pytest.fixture(scope="session")
def zone_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key of the zone, the same for all tests: states that lie at the broker open for each."""
    path = tmp_path_factory.mktemp("zone") / "zone.key"
    create_key(path)
    return path
