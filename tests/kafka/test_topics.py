"""`sourdine topics` on the real broker, as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)
from tests.chain import call, one_line
from tests.kafka.broker.server import SUPER_USER, Broker, make_certificate
from tests.kafka.processes import wait_until

LEVELS, REJECTS = "sourdine.levels.v1", "sourdine.rejects.v1"


def topics(broker: Broker, action: str, *arguments: str, user: str = "admin") -> Any:
    """Run the command as a user of the broker."""
    file = broker.file_of(user)
    return call("topics", action, "--kafka", file, *arguments, cwd=file.parent)


def wait_for(futures: dict[Any, Any]) -> None:
    """Wait until the broker has done it."""
    for future in futures.values():
        future.result(timeout=30)


def spoil(client: AdminClient) -> None:
    """Change one thing of each kind behind the application's back."""
    entry = ConfigEntry("retention.ms", "86400000", incremental_operation=AlterConfigOpType.SET)
    wait_for(
        client.incremental_alter_configs([ConfigResource(ResourceType.TOPIC, LEVELS, incremental_configs=[entry])])
    )
    sink = (ResourcePatternType.LITERAL, "User:sink", "*", AclOperation.READ, AclPermissionType.ALLOW)
    wait_for(client.create_acls([AclBinding(ResourceType.TOPIC, "sourdine.sound.v1", *sink)]))
    gate = (ResourcePatternType.LITERAL, "User:gate", "*", AclOperation.WRITE, AclPermissionType.ALLOW)
    wait_for(client.delete_acls([AclBindingFilter(ResourceType.TOPIC, REJECTS, *gate)]))
    wait_for(client.delete_topics([REJECTS]))
    wait_until(lambda: REJECTS not in client.list_topics(timeout=10).topics, "the topic is gone")
    wait_for(client.create_topics([NewTopic("sourdine.clips.v1", 1)]))


SPOILED = {
    f"topic {REJECTS} is missing": f"make topic {REJECTS}: 12 partitions",
    "topic sourdine.clips.v1 is unknown": "delete it by hand once nothing needs it",
    f"topic {LEVELS}: retention.ms is 86400000, expected 604800000": f"set retention.ms=604800000 on {LEVELS}",
    f"right is missing: gate may write topic {REJECTS}": f"grant: gate may write topic {REJECTS}",
    "right is not in the list: sink may read topic sourdine.sound.v1": "revoke: sink may read topic sourdine.sound.v1",
}


def test_what_differs_is_named_planned_and_made_right(city: Broker) -> None:
    assert topics(city, "check").stdout == "all is as it should be\n"
    client = city.admin()
    spoil(client)
    wait_until(lambda: len(topics(city, "check").stdout.splitlines()) == len(SPOILED), "all of it is seen")
    check = topics(city, "check")
    assert (check.returncode, set(check.stdout.splitlines())) == (1, set(SPOILED))
    plan = topics(city, "plan")
    assert plan.returncode == 0
    assert all(remedy in plan.stdout for remedy in SPOILED.values())
    apply = topics(city, "apply", "--json")
    assert apply.returncode == 1, "what is left is for a person"
    answer = json.loads(apply.stdout)
    assert len(answer["made"]) == len(SPOILED) - 1
    assert [one["what"] for one in answer["found"] if one["by_hand"]] == ["topic sourdine.clips.v1 is unknown"]
    wait_for(client.delete_topics(["sourdine.clips.v1"]))
    wait_until(lambda: topics(city, "check").returncode == 0, "nothing differs")
    assert topics(city, "apply", "--quiet").stdout == ""


def test_count_of_partitions_is_left_to_a_person(city: Broker) -> None:
    client = city.admin()
    wait_for(client.delete_topics([REJECTS]))
    wait_until(lambda: REJECTS not in client.list_topics(timeout=10).topics, "the topic is gone")
    wait_for(client.create_topics([NewTopic(REJECTS, 3)]))
    wait_until(lambda: REJECTS in client.list_topics(timeout=10).topics, "the topic is there")
    apply = topics(city, "apply")
    assert apply.returncode == 1
    assert f"by hand: topic {REJECTS} has 3 partitions, expected 12" in apply.stdout
    wait_for(client.delete_topics([REJECTS]))
    wait_until(lambda: topics(city, "apply").returncode == 0, "the topic is made anew")


def edited(broker: Broker, folder: Path, **changes: str) -> Path:
    """Copy the administrator's file with some keys changed."""
    text = broker.file_of("admin").read_text("utf-8")
    keys = dict(line.split(" = ") for line in text.splitlines()) | {key: f'"{value}"' for key, value in changes.items()}
    file = folder / "kafka.toml"
    file.write_text("".join(f"{key} = {value}\n" for key, value in keys.items()), "utf-8")
    return file


def refusal(file: Path) -> tuple[int, str]:
    """Run a check that must fail, and give its code and its one line."""
    result = call("topics", "check", "--kafka", file, cwd=file.parent)
    assert result.stdout == ""
    return result.returncode, one_line(result)


def test_wrong_password_is_7(city: Broker, tmp_path: Path) -> None:
    password = tmp_path / "wrong.password"
    password.touch(mode=0o600)
    password.write_text("not the password", "ascii")
    code, line = refusal(edited(city, tmp_path, password_file=str(password)))
    assert code == 7
    assert "refuses user admin: no such user, or password_file holds another password" in line


def test_foreign_certificate_is_7(city: Broker, tmp_path: Path) -> None:
    other = make_certificate(tmp_path / "other.p12", "irrelevant")
    code, line = refusal(edited(city, tmp_path, ca_file=str(other)))
    assert code == 7
    assert "check bootstrap and ca_file" in line


def test_missing_right_is_7(city: Broker) -> None:
    code, line = refusal(city.file_of("gate"))
    assert code == 7
    assert "user gate may not see or change topics and rights, as admin may: name the file of user admin" in line


def test_unreachable_broker_is_6(city: Broker, tmp_path: Path) -> None:
    code, line = refusal(edited(city, tmp_path, bootstrap="127.0.0.1:1"))
    assert code == 6
    assert "Kafka at 127.0.0.1:1 gives no answer: check bootstrap, and that it runs" in line


def test_broker_that_checks_no_rights_is_7(broker: Broker, tmp_path: Path) -> None:
    lax = Broker(tmp_path / "lax", authorizer_class_name="")
    lax.start()
    try:
        code, line = refusal(lax.file_of(SUPER_USER))
    finally:
        lax.stop()
    assert code == 7
    assert "set authorizer.class.name and allow.everyone.if.no.acl.found=false" in line
