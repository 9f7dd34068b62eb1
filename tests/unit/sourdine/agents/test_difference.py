"""What is not as it should be is found, named and made right, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sourdine.agents.difference import (
    Change,
    Difference,
    Found,
    FoundTopic,
    Grant,
    Revoke,
    Rule,
    SetConfig,
    differences,
)
from sourdine.agents.topics import apply, plan
from sourdine.topics import Right, Topic, layout

EVENTS = "sourdine.events.v1"


class StandIn:
    """A broker in memory, which does what it is asked."""

    def __init__(self, found: Found) -> None:
        self.found = found

    def read(self) -> Found:
        return self.found

    def make(self, change: Change) -> None:
        topics, rules = dict(self.found.topics), self.found.rules
        match change:
            case Topic():
                topics[change.name] = found_topic(change)
            case SetConfig(topic, name, value):
                there = topics[topic]
                configs = {**there.configs, name: value or "the broker's"}
                own = there.own - {name} if value is None else there.own | {name}
                topics[topic] = replace(there, configs=configs, own=own)
            case Grant(rule):
                rules |= {rule}
            case Revoke(rule):
                rules -= {rule}
        self.found = replace(self.found, topics=topics, rules=rules)


def found_topic(topic: Topic) -> FoundTopic:
    """Make a topic as it is found when it is as it should be."""
    return FoundTopic(topic.partitions, {**topic.configs(), "retention.bytes": "-1"}, frozenset(topic.configs()))


def as_it_should_be() -> Found:
    """Make a broker at which nothing differs."""
    return Found(
        topics={name: found_topic(topic) for name, topic in layout().topics.items()},
        rules=frozenset(Rule(right) for right in layout().rights),
        brokers={1: {"auto.create.topics.enable": "false", "log.retention.check.interval.ms": "60000"}},
    )


def with_topic(name: str, topic: FoundTopic) -> Found:
    """Make a broker that differs in one topic."""
    return replace(as_it_should_be(), topics={**as_it_should_be().topics, name: topic})


def with_rule(right: Right, host: str = "*", *, allows: bool = True) -> Found:
    """Make a broker that has one right more."""
    return replace(as_it_should_be(), rules=as_it_should_be().rules | {Rule(right, host, allows)})


def with_broker(**configs: str) -> Found:
    """Make a broker that is set otherwise."""
    set_to = {name.replace("_", "."): value for name, value in configs.items()}
    return replace(as_it_should_be(), brokers={1: {**as_it_should_be().brokers[1], **set_to}})


SHIPPED = found_topic(layout().topics[EVENTS])
GATE_WRITES = Rule(Right("gate", "topic", EVENTS, False, "write"))
SINK_WRITES = Right("sink", "topic", EVENTS, False, "write")

BY_MACHINE = {
    "missing topic": (
        replace(as_it_should_be(), topics={name: t for name, t in as_it_should_be().topics.items() if name != EVENTS}),
        f"topic {EVENTS} is missing",
    ),
    "other config": (
        with_topic(EVENTS, replace(SHIPPED, configs={**SHIPPED.configs, "retention.ms": "1"})),
        f"topic {EVENTS}: retention.ms is 1, expected 604800000",
    ),
    "config too many": (
        with_topic(EVENTS, replace(SHIPPED, own=SHIPPED.own | {"retention.bytes"})),
        f"topic {EVENTS}: retention.bytes is set to -1, expected the broker's own",
    ),
    "missing right": (
        replace(as_it_should_be(), rules=as_it_should_be().rules - {GATE_WRITES}),
        f"right is missing: gate may write topic {EVENTS}",
    ),
    "right too many": (with_rule(SINK_WRITES), f"right is not in the list: sink may write topic {EVENTS}"),
    "right of a stranger": (
        with_rule(Right("stranger", "topic", "sourdine.sound.v1", False, "read"), "10.0.0.9"),
        "right is not in the list: stranger may read topic sourdine.sound.v1 from 10.0.0.9",
    ),
    "denied right": (
        with_rule(GATE_WRITES.right, allows=False),
        f"right is not in the list: gate may not write topic {EVENTS}",
    ),
    "right elsewhere": (
        with_rule(Right("gate", "topic", "payroll", False, "read")),
        "right is not in the list: gate may read topic payroll",
    ),
}

BY_HAND = {
    "partitions": (with_topic(EVENTS, replace(SHIPPED, partitions=3)), f"topic {EVENTS} has 3 partitions, expected 12"),
    "unknown topic": (with_topic("sourdine.clips.v1", SHIPPED), "topic sourdine.clips.v1 is unknown"),
    "broker looks seldom": (
        with_broker(log_retention_check_interval_ms="300000"),
        "broker 1: log.retention.check.interval.ms is 300000, expected at most 60000",
    ),
    "broker makes topics": (
        with_broker(auto_create_topics_enable="true"),
        "broker 1: auto.create.topics.enable is on, expected false",
    ),
    "right on everything": (
        with_rule(Right("monitor", "topic", "*", False, "describe")),
        "right reaches our topics or groups: monitor may describe topic *",
    ),
    "right on what begins so": (
        with_rule(Right("monitor", "group", "sour", True, "read")),
        "right reaches our topics or groups: monitor may read groups sour…",
    ),
}


def test_nothing_differs() -> None:
    assert differences(layout(), as_it_should_be()) == []


def test_other_systems_are_left_alone() -> None:
    other = Right("payroll", "topic", "payroll.v1", False, "read")
    assert differences(layout(), with_rule(other)) == []


@pytest.mark.parametrize(("found", "words"), BY_MACHINE.values(), ids=BY_MACHINE.keys())
def test_difference_is_named_and_made_right(found: Found, words: str) -> None:
    broker = StandIn(found)
    assert [one.found for one in plan(broker, layout())] == [words]
    made: list[Difference] = []
    assert apply(broker, layout(), made.append) == []
    assert [one.found for one in made] == [words]
    assert broker.found.rules == as_it_should_be().rules


@pytest.mark.parametrize(("found", "words"), BY_HAND.values(), ids=BY_HAND.keys())
def test_what_only_a_person_can_do_is_left(found: Found, words: str) -> None:
    broker = StandIn(found)
    made: list[Difference] = []
    left = apply(broker, layout(), made.append)
    assert [(one.found, one.change) for one in left] == [(words, None)]
    assert made == []
    assert broker.found == found


def test_an_empty_broker_gets_everything() -> None:
    broker = StandIn(Found({}, frozenset(), as_it_should_be().brokers))
    assert apply(broker, layout(), lambda one: None) == []
    assert broker.found == as_it_should_be()
