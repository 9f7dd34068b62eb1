"""What a worker or gateway needs at the broker is looked at before it begins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.kafka.broker.server import SUPER_USER, Broker

from sourdine.agents.preflight import require
from sourdine.errors import AccessError, TransportError
from sourdine.topics import Right, layout

STAGES = ("sensor", "gateway", "describe", "classify", "gate", "sink", "console")


@pytest.mark.parametrize("principal", STAGES)
def test_each_principal_has_what_it_needs(principal: str, city: Broker) -> None:
    require(city.settings(principal), layout(), principal)
    require(city.settings(SUPER_USER), layout(), principal)


@pytest.mark.parametrize(
    ("user", "principal", "words"),
    [
        ("sink", "gate", "no topic sourdine.candidates.v1 for user sink"),
        ("describe", "console", "may not read topic sourdine.rejects.v1: name the file of user console"),
    ],
)
def test_missing_right_is_named(user: str, principal: str, words: str, city: Broker) -> None:
    wanted = replace(layout(), rights=frozenset(one for one in layout().rights if one.name not in EVERYBODYS))
    with pytest.raises(AccessError, match=words) as refusal:
        require(city.settings(user), wanted, principal)
    assert refusal.value.reason in {"topic", "right"}


#: Left out, so that the first thing that is missing is the one that is meant.
EVERYBODYS = {"sourdine.events.v1", "sourdine.levels.v1", "sourdine.health.v1", "sourdine.ledger.v1"}


def test_missing_group_is_named(city: Broker) -> None:
    other = Right("gate", "group", "sourdine-classify", False, "read")
    with pytest.raises(AccessError, match="user gate may not read group sourdine-classify"):
        require(city.settings("gate"), replace(layout(), rights=frozenset({other})), "gate")


def test_missing_topic_is_named(city: Broker) -> None:
    absent = Right("gate", "topic", "sourdine.absent.v1", False, "read")
    with pytest.raises(AccessError, match=r"no topic sourdine\.absent\.v1 for user operator") as refusal:
        require(city.settings(SUPER_USER), replace(layout(), rights=frozenset({absent})), "gate")
    assert refusal.value.reason == "topic"


def test_wrong_count_of_partitions_is_named(city: Broker) -> None:
    topics = {name: replace(topic, partitions=7) for name, topic in layout().topics.items()}
    with pytest.raises(AccessError, match="has 12 partitions, expected 7") as refusal:
        require(city.settings("gate"), replace(layout(), topics=topics), "gate")
    assert refusal.value.reason == "partitions"


def test_unreachable_broker_is_named(city: Broker) -> None:
    nowhere = replace(city.settings("gate"), bootstrap="127.0.0.1:1")
    with pytest.raises(TransportError, match="gives no answer") as refusal:
        require(nowhere, layout(), "gate")
    assert refusal.value.reason == "unreachable"
