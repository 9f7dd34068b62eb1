"""Where a broker is not as topics.toml says: found by comparing, without a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sourdine.topics import OUR_GROUPS, OUR_TOPICS, Layout, Right, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One entry of the broker's list of rights.

    Parameters
    ----------
    right : Right
        Who, what, and what on; kinds and operations that we never use come as they are.
    host : str, default="*"
        Address that it holds for.
    allows : bool, default=True
        Whether it allows or denies.
    """

    right: Right
    host: str = "*"
    allows: bool = True

    def __str__(self) -> str:
        """Return it in words."""
        words = str(self.right) if self.allows else str(self.right).replace(" may ", " may not ", 1)
        return words if self.host == "*" else f"{words} from {self.host}"


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """One topic at the broker.

    Parameters
    ----------
    partitions : int
        How many it has.
    configs : mapping of str to str
        What is in force.
    own : frozenset of str
        Names of those that were set for this topic.
    """

    partitions: int
    configs: Mapping[str, str]
    own: frozenset[str]


@dataclass(frozen=True, slots=True)
class Found:
    """What a broker has.

    Parameters
    ----------
    topics : mapping of str to FoundTopic
        Those whose names are ours.
    rules : frozenset of Rule
        All rights, of other systems too.
    brokers : mapping of int to mapping of str to str
        What each broker is set to.
    """

    topics: Mapping[str, FoundTopic]
    rules: frozenset[Rule]
    brokers: Mapping[int, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class SetConfig:
    """Set one config of one topic, or take it back to the broker's own.

    Parameters
    ----------
    topic : str
        Name of the topic.
    name : str
        Of the config.
    value : str or None
        None to take it back.
    """

    topic: str
    name: str
    value: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """Add a rule.

    Parameters
    ----------
    rule : Rule
        To add.
    """

    rule: Rule


@dataclass(frozen=True, slots=True)
class Revoke:
    """Remove a rule.

    Parameters
    ----------
    rule : Rule
        To remove.
    """

    rule: Rule


Change: TypeAlias = Topic | SetConfig | Grant | Revoke


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it should be.

    Parameters
    ----------
    found : str
        What is wrong, in words.
    remedy : str
        What `apply` does about it, or what a person must do.
    change : Change or None
        For `apply`; None where only a person can.
    """

    found: str
    remedy: str
    change: Change | None


def differences(layout: Layout, found: Found) -> list[Difference]:
    """Compare.

    Parameters
    ----------
    layout : Layout
        As it should be.
    found : Found
        As it is.

    Returns
    -------
    list of Difference
        In an order in which they can be made right: topics, then what is set, then rights.
    """
    return [*_topics(layout, found), *_configs(layout, found), *_brokers(layout, found), *_rights(layout, found)]


def _topics(layout: Layout, found: Found) -> Iterator[Difference]:
    for name, topic in layout.topics.items():
        there = found.topics.get(name)
        if there is None:
            remedy = f"make topic {name}: {topic.partitions} partitions, {_settings(topic.configs())}"
            yield Difference(f"topic {name} is missing", remedy, topic)
        elif there.partitions != topic.partitions:
            words = f"topic {name} has {there.partitions} partitions, expected {topic.partitions}"
            yield Difference(words, f"{name}: stop its workers, delete the topic by hand and apply again", None)
    for name in sorted(found.topics.keys() - layout.topics.keys()):
        yield Difference(f"topic {name} is unknown", f"{name}: delete it by hand once nothing needs it", None)


def _configs(layout: Layout, found: Found) -> Iterator[Difference]:
    for name in layout.topics.keys() & found.topics.keys():
        wanted, there = layout.topics[name].configs(), found.topics[name]
        for config, value in wanted.items():
            is_value = there.configs.get(config)
            if is_value != value:
                words = f"topic {name}: {config} is {is_value}, expected {value}"
                yield Difference(words, f"set {config}={value} on {name}", SetConfig(name, config, value))
        for config in sorted(there.own - wanted.keys()):
            words = f"topic {name}: {config} is set to {there.configs[config]}, expected the broker's own"
            yield Difference(words, f"take {config} off {name}", SetConfig(name, config, None))


def _brokers(layout: Layout, found: Found) -> Iterator[Difference]:
    longest_ms = 1000 * layout.retention_check_s
    for number, configs in sorted(found.brokers.items()):
        check = "log.retention.check.interval.ms"
        if int(configs.get(check, 0)) > longest_ms:
            words = f"broker {number}: {check} is {configs[check]}, expected at most {longest_ms}"
            yield Difference(words, f"broker {number}: set {check}={longest_ms} in its file and restart it", None)
        if configs.get("auto.create.topics.enable") != "false":
            words = f"broker {number}: auto.create.topics.enable is on, expected false"
            yield Difference(words, f"broker {number}: set it to false in its file and restart it", None)


def _rights(layout: Layout, found: Found) -> Iterator[Difference]:
    wanted = {Rule(right) for right in layout.rights}
    for rule in sorted(wanted - found.rules):
        yield Difference(f"right is missing: {rule}", f"grant: {rule}", Grant(rule))
    for rule in sorted(found.rules - wanted):
        if _is_ours(layout, rule.right) and "unknown" not in (rule.right.kind, rule.right.operation):
            yield Difference(f"right is not in the list: {rule}", f"revoke: {rule}", Revoke(rule))
        elif _is_ours(layout, rule.right) or _reaches_ours(rule.right):
            remedy = f"narrow or remove it by hand, as it may be another system's: {rule}"
            yield Difference(f"right reaches our topics or groups: {rule}", remedy, None)


def _is_ours(layout: Layout, right: Right) -> bool:
    """Whether a right is of one of our principals, or on nothing but what is ours."""
    names = {"topic": OUR_TOPICS, "group": OUR_GROUPS}
    return right.principal in layout.principals or (right.kind in names and right.name.startswith(names[right.kind]))


def _reaches_ours(right: Right) -> bool:
    """Whether a right on names of any system holds for ours too."""
    ours = {"topic": OUR_TOPICS, "group": OUR_GROUPS}.get(right.kind)
    return ours is not None and (right.name == "*" or (right.is_prefix and ours.startswith(right.name)))


def _settings(configs: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(configs.items()))
