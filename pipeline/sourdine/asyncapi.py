"""docs/asyncapi.json: the topics as an AsyncAPI 3 document, made from topics.toml and the records' own schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sourdine import __version__
from sourdine.topics import Layout, Right, Topic, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

_Json: TypeAlias = dict[str, Any]

_SCHEMAS: Final = Path(__file__).parent / "outgoing" / "schemas"
_ABOUT: Final = (
    "What crosses the Kafka broker when the stages run as consumers. Sealed messages are opaque to everything but the "
    "zone's workers; open ones are closed records of a few bits. What is not listed here is denied by the broker."
)
_CONTENT_TYPES: Final = {
    "sealed": "application/octet-stream",
    "reject": "application/json",
    "ledger": "application/json",
}
_CLOUD_EVENT: Final = "application/cloudevents+json"
_SEALED: Final[_Json] = {
    "type": "string",
    "format": "binary",
    "description": "XChaCha20-Poly1305 under a key for this topic and sensor; sensor, boot, sequence, topic and "
    "version are bound to it.",
}
#: The two messages that are neither sealed nor minted by a gate: transport facts, and closed as well.
_REJECT: Final[_Json] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["sensor_id", "slot", "reason", "count"],
    "properties": {
        "sensor_id": {"type": "integer", "minimum": 0, "maximum": 4294967295},
        "slot": {"type": "integer", "minimum": 0, "maximum": 253402300799},
        "reason": {"type": "string", "maxLength": 40, "pattern": "^[a-z][a-z_]*$"},
        "count": {"type": "integer", "minimum": 1, "maximum": 4294967295},
    },
}
_COUNT: Final[_Json] = {"type": "integer", "minimum": 0}
_COUNTS: Final = (
    "slot",
    "kafka_offset",
    "processed",
    "late",
    "duplicate",
    "gap",
    "held",
    "reordered",
    "reboots",
    "clock_back",
)
_LEDGER: Final[_Json] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["sensor_id", *_COUNTS, "rejected"],
    "properties": {
        "sensor_id": {"type": "integer", "minimum": 0, "maximum": 4294967295},
        **dict.fromkeys(_COUNTS, _COUNT),
        "rejected": {
            "type": "object",
            "propertyNames": {"maxLength": 40, "pattern": "^[a-z][a-z_]*$"},
            "additionalProperties": _COUNT,
        },
    },
}
_KEY: Final[_Json] = {"type": "string", "pattern": "^(0|[1-9][0-9]{0,9})$", "description": "The sensor's number."}
_STATE_KEY: Final[_Json] = {
    "type": "string",
    "pattern": "^(0|[1-9][0-9]{0,9}) [a-z]+ [0-9a-f]{16}$",
    "description": "The sensor's number, the stage, and who writes: a state that a frozen process writes late replaces "
    "no other one's. The newest is told by its position.",
}
_PAYLOADS: Final = {"sealed": _SEALED, "reject": _REJECT, "ledger": _LEDGER}
_BINDING: Final = "0.5.0"
#: What AsyncAPI calls what a principal does.
_ACTIONS: Final = {"read": "receive", "write": "send"}
#: Members that belong to a schema as a file of its own.
_OF_A_FILE: Final = ("$schema", "$id", "$defs")


def document() -> str:
    """Return the document.

    Returns
    -------
    str
        JSON, the same for the same topics and rights.
    """
    wanted = layout()
    parts = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sourdine's topics",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "servers": {"broker": _server()},
        "channels": {_short(name): _channel(topic) for name, topic in wanted.topics.items()},
        "operations": dict(_operations(wanted)),
        "components": {
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "A user for each principal."}}
        },
    }
    return json.dumps(parts, indent=2) + "\n"


def _server() -> _Json:
    return {
        "host": "kafka.example.org:9093",
        "protocol": "kafka-secure",
        "description": "The city's broker: SASL_SSL, no topic but these.",
        "security": [{"$ref": "#/components/securitySchemes/scram"}],
    }


def _channel(topic: Topic) -> _Json:
    configs = topic.configs()
    return {
        "address": topic.name,
        "title": topic.name,
        "description": _words(topic),
        "messages": {topic.form: _message(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": topic.cleanup.split(","),
                    "retention.ms": int(configs["retention.ms"]),
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _words(topic: Topic) -> str:
    words = f"{topic.holds} The time of a message is when the broker took it."
    if topic.gone_after_s is not None:
        words += f" No message is on the broker's disk for longer than {topic.gone_after_s} s."
    return words


def _message(topic: Topic) -> _Json:
    key = _STATE_KEY if topic.form == "sealed" and topic.compacted_after_s else _KEY
    return {
        "name": topic.form,
        "contentType": _CONTENT_TYPES.get(topic.form, _CLOUD_EVENT),
        "payload": _PAYLOADS.get(topic.form) or _payload(topic.form),
        "bindings": {"kafka": {"key": key, "bindingVersion": _BINDING}},
    }


def _payload(form: str) -> _Json:
    """Return a record's schema without references and without what makes it a file, as AsyncAPI takes it."""
    schema: _Json = json.loads((_SCHEMAS / f"{form}.json").read_text("utf-8"))
    parts = {f"#{part['$anchor']}": part for part in schema.get("$defs", {}).values()}
    for name, member in schema["properties"].items():
        if "$ref" in member:
            part = parts[member["$ref"]]
            schema["properties"][name] = {key: value for key, value in part.items() if key != "$anchor"}
    return {key: value for key, value in schema.items() if key not in _OF_A_FILE}


def _operations(wanted: Layout) -> Iterator[tuple[str, _Json]]:
    """Walk who sends what and who receives what."""
    for principal, words in wanted.principals.items():
        rights = sorted(right for right in wanted.rights if right.principal == principal)
        groups = [right for right in rights if right.kind == "group"]
        for right in rights:
            if right.kind == "topic" and right.operation in _ACTIONS:
                yield f"{principal}_{right.operation}s_{_short(right.name)}", _operation(right, words, groups)


def _operation(right: Right, words: str, groups: list[Right]) -> _Json:
    operation: _Json = {
        "action": _ACTIONS[right.operation],
        "channel": {"$ref": f"#/channels/{_short(right.name)}"},
        "title": str(right),
        "description": words,
    }
    if right.operation == "read" and groups:
        patterns = [f"{group.name.replace('.', '[.]')}{'.+' if group.is_prefix else ''}" for group in groups]
        group_id = {"type": "string", "pattern": f"^({'|'.join(patterns)})$"}
        operation["bindings"] = {"kafka": {"groupId": group_id, "bindingVersion": _BINDING}}
    return operation


def _short(name: str) -> str:
    """Return what is left of ``sourdine.events.v1`` in a document of ours."""
    return name.split(".")[1]
