"""What a broker has, read over the network, and changes to it. aiokafka knows no rights, so this is confluent-kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from sourdine.agents.connection import ANSWER_S, Connection
from sourdine.agents.difference import Change, Found, FoundTopic, Grant, Rule, SetConfig
from sourdine.errors import AccessError
from sourdine.topics import OUR_TOPICS, Kind, Right, Topic

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sourdine.broker import BrokerSettings

_EVERY_RULE: Final = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)
#: How Kafka's kinds of things are called here, where the two differ.
_KINDS: Final[dict[str, Kind]] = {"BROKER": "cluster"}
_RESOURCES: Final = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP, "cluster": ResourceType.BROKER}
_PRINCIPAL: Final = "User:"


class Admin:
    """A connection to one broker, by a user that may look at it and change it.

    Parameters
    ----------
    settings : BrokerSettings
        Where it is, and who we are.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._connection = Connection(settings)
        self._client = self._connection.client

    def read(self) -> Found:
        """Return what the broker has.

        Returns
        -------
        Found
            Topics of ours, all rights, and what each broker is set to.

        Raises
        ------
        BrokerError
            If it cannot be reached, refuses, or checks no rights.
        """
        metadata = self._connection.greet()
        self._require_sight()
        brokers = self._configs(ResourceType.BROKER, [str(number) for number in metadata.brokers])
        if not all(_values(configs).get("authorizer.class.name") for configs in brokers.values()):
            words = "checks no rights: set authorizer.class.name and allow.everyone.if.no.acl.found=false in its file"
            raise AccessError("no_authorizer", f"{self._connection} {words}")
        names = [name for name in metadata.topics if name.startswith(OUR_TOPICS)]
        configs = self._configs(ResourceType.TOPIC, names)
        topics = {name: _found_topic(len(metadata.topics[name].partitions), configs[name]) for name in names}
        rules = self._connection.answer(self._client.describe_acls(_EVERY_RULE, request_timeout=ANSWER_S))
        return Found(
            topics=topics,
            rules=frozenset(_rule(binding) for binding in rules),
            brokers={int(number): _values(configs) for number, configs in brokers.items()},
        )

    def make(self, change: Change) -> None:
        """Change one thing.

        Parameters
        ----------
        change : Change
            As found by comparing.

        Raises
        ------
        BrokerError
            If it cannot be reached or refuses.
        """
        if isinstance(change, Topic):
            new = NewTopic(change.name, change.partitions, replication_factor=-1, config=change.configs())
            futures = self._client.create_topics([new], request_timeout=ANSWER_S)
        elif isinstance(change, SetConfig):
            how = AlterConfigOpType.DELETE if change.value is None else AlterConfigOpType.SET
            entry = ConfigEntry(change.name, change.value, incremental_operation=how)
            resource = ConfigResource(ResourceType.TOPIC, change.topic, incremental_configs=[entry])
            futures = self._client.incremental_alter_configs([resource], request_timeout=ANSWER_S)
        elif isinstance(change, Grant):
            futures = self._client.create_acls([_binding(change.rule)], request_timeout=ANSWER_S)
        else:
            futures = self._client.delete_acls([_filter(change.rule)], request_timeout=ANSWER_S)
        for future in futures.values():
            self._connection.answer(future)

    def _require_sight(self) -> None:
        """Make sure that no rights in sight means that there are none: to who may not look, the list comes empty."""
        cluster = self._connection.answer(
            self._client.describe_cluster(include_authorized_operations=True, request_timeout=ANSWER_S)
        )
        if AclOperation.DESCRIBE not in (cluster.authorized_operations or ()):
            raise self._connection.denied()

    def _configs(self, kind: Any, names: list[str]) -> dict[str, dict[str, ConfigEntry]]:
        if not names:
            return {}
        resources = [ConfigResource(kind, name) for name in names]
        futures = self._client.describe_configs(resources, request_timeout=ANSWER_S)
        return {resource.name: self._connection.answer(future) for resource, future in futures.items()}


def _values(configs: Mapping[str, ConfigEntry]) -> dict[str, str]:
    return {name: entry.value or "" for name, entry in configs.items()}


def _found_topic(n_partitions: int, configs: Mapping[str, ConfigEntry]) -> FoundTopic:
    own = {name for name, entry in configs.items() if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value}
    return FoundTopic(n_partitions, _values(configs), frozenset(own))


def _rule(binding: AclBinding) -> Rule:
    kind = binding.restype.name
    right = Right(
        principal=binding.principal.removeprefix(_PRINCIPAL),
        kind=_KINDS.get(kind, kind.lower()),  # kinds that we never use come as they are
        name=binding.name,
        is_prefix=binding.resource_pattern_type == ResourcePatternType.PREFIXED,
        operation=binding.operation.name.lower(),
    )
    return Rule(right, binding.host, binding.permission_type == AclPermissionType.ALLOW)


def _parts(rule: Rule) -> tuple[Any, ...]:
    right = rule.right
    return (
        _RESOURCES.get(right.kind) or ResourceType[right.kind.upper()],
        right.name,
        ResourcePatternType.PREFIXED if right.is_prefix else ResourcePatternType.LITERAL,
        f"{_PRINCIPAL}{right.principal}",
        rule.host,
        AclOperation[right.operation.upper()],
        AclPermissionType.ALLOW if rule.allows else AclPermissionType.DENY,
    )


def _binding(rule: Rule) -> AclBinding:
    return AclBinding(*_parts(rule))


def _filter(rule: Rule) -> AclBindingFilter:
    return AclBindingFilter(*_parts(rule))
