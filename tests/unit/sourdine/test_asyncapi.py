"""docs/asyncapi.json is what topics.toml says, and an AsyncAPI 3 document."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import shutil
import subprocess
import tarfile
from typing import Any

import pytest
from jsonschema import Draft7Validator
from tests.chain import demo_records
from tests.conftest import ROOT, absent

from sourdine.asyncapi import document
from sourdine.outgoing.cloudevents import encode
from sourdine.topics import layout

#: The standard's own schemas, Apache-2.0: too large to keep a copy of, and pinned by what npm calls integrity.
PACKAGE = "@asyncapi/specs@6.11.1"
INTEGRITY = "A3WBLqAKGoJ2+6FWFtpjBlCQ1oFCcs4GxF7zsIGvNqp/klGUHjlA3aAcZ9XMMpLGE8zPeYDz2x9FmO6DSuKraQ=="
FOLDER = ROOT / "target" / "asyncapi-specs"


@pytest.fixture(scope="module")
def standard() -> Any:
    """Fetch the standard's schema, once."""
    packed = FOLDER / "asyncapi-specs-6.11.1.tgz"
    if not packed.exists():
        npm = shutil.which("npm")
        if npm is None:
            absent("npm")
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=FOLDER, check=True, capture_output=True)
    assert base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() == INTEGRITY
    with tarfile.open(packed) as archive:
        member = archive.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        return Draft7Validator(json.load(member))


@pytest.fixture
def made() -> dict[str, Any]:
    """Make the document."""
    parsed: dict[str, Any] = json.loads(document())
    return parsed


def test_kept_document_is_the_made_one() -> None:
    assert (ROOT / "docs" / "asyncapi.json").read_text("utf-8") == document(), "./run docs makes it anew"


def test_document_is_asyncapi_3(standard: Any, made: dict[str, Any]) -> None:
    assert made["asyncapi"] == "3.0.0"
    assert [error.message for error in standard.iter_errors(made)] == []


@pytest.mark.parametrize("path", [("info", "title"), ("channels", "events", "bindings", "kafka", "partitions")])
def test_standard_would_find_a_fault(path: tuple[str, ...], standard: Any, made: dict[str, Any]) -> None:
    broken = copy.deepcopy(made)
    part = broken
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = ["wrong"]
    assert list(standard.iter_errors(broken)) != []


def test_every_topic_and_every_use_is_in_it(made: dict[str, Any]) -> None:
    assert {channel["address"] for channel in made["channels"].values()} == set(layout().topics)
    uses = {(one["title"], one["action"]) for one in made["operations"].values()}
    rights = {right for right in layout().rights if right.kind == "topic" and not right.is_prefix}
    assert uses == {(str(right), {"read": "receive", "write": "send"}[right.operation]) for right in rights}


def test_references_lead_somewhere(made: dict[str, Any]) -> None:
    assert {one["channel"]["$ref"] for one in made["operations"].values()} <= {
        f"#/channels/{name}" for name in made["channels"]
    }


def test_released_records_are_the_payloads(made: dict[str, Any]) -> None:
    payloads = {
        form: message["payload"]
        for channel in made["channels"].values()
        for form, message in channel["messages"].items()
    }
    for record in demo_records():
        sent = json.loads(encode(record))
        form = sent["type"].split(".")[2]
        Draft7Validator(payloads[form]).validate(sent)
