"""What is wrong before a worker or gateway starts: one line that says what to do, a code, and nothing is begun."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dsp_core.zone import create_key
from tests.kafka.broker.server import Broker

import sourdine.agents.app as worker
from sourdine.agents.preflight import check_clock
from sourdine.agents.settings import VARIABLES
from sourdine.cli import run_command
from sourdine.errors import AccessError

DAY_S = 86_400.0
POLICY = Path(worker.__file__).parents[1] / "policies" / "street.toml"


@pytest.fixture(autouse=True)
def nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test in which something is started after all."""

    def begun(*_: Any, **__: Any) -> None:
        raise AssertionError("it was begun")

    monkeypatch.setattr(worker, "make_worker", begun)
    monkeypatch.setattr(worker, "take_over", begun)
    monkeypatch.setattr(worker, "leave_no_core", lambda: None)
    monkeypatch.setattr("sourdine.gateway.gateway.run", begun)
    monkeypatch.setattr("sourdine.operations.foreign.take_over", begun)


@pytest.fixture(scope="module")
def files(city: Broker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write what is wrong in each way."""
    folder = tmp_path_factory.mktemp("wrong")
    for name in ("zone.key", "open.key"):
        create_key(folder / name)
    (folder / "open.key").chmod(0o644)
    (folder / "expired.toml").write_text(f"valid_until = 2026-01-31\n{POLICY.read_text('utf-8')}", "utf-8")
    (folder / "wrong.password").touch(mode=0o600)
    (folder / "wrong.password").write_text("another one\n", "ascii")
    for user in ("gate", "gateway"):
        good = city.file_of(user).read_text("utf-8")
        wrong = good.replace(str(city.file_of(user).with_suffix(".password")), str(folder / "wrong.password"))
        assert wrong != good
        (folder / f"{user}-password.toml").write_text(wrong, "utf-8")
        nowhere = good.replace(city.bootstrap, f"127.0.0.1:{free_port()}")
        (folder / f"{user}-nowhere.toml").write_text(nowhere, "utf-8")
    return folder


def free_port() -> int:
    """Give a port on which nobody answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def used_port() -> Iterator[int]:
    """Give a port that is taken."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one.getsockname()[1]


Refuse = Callable[..., tuple[int, str]]


@pytest.fixture
def refuse_worker(city: Broker, files: Path, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """Start a gate that cannot start; its code and its line."""

    class LeftError(Exception):
        pass

    def leave(code: int, line: str) -> None:
        raise LeftError(code, line)

    def refuse(**changes: str) -> tuple[int, str]:
        good = {"stage": "gate", "key": str(files / "zone.key"), "kafka": str(city.file_of("gate"))}
        for name, value in (good | changes).items():
            monkeypatch.setenv(VARIABLES[name], value)
        with pytest.raises(LeftError) as left:
            worker._from_environment.__wrapped__()
        code, line = left.value.args
        assert "\n" not in line
        return code, line

    monkeypatch.setattr(worker, "leave", leave)
    return refuse


def test_a_worker_that_cannot_start_says_why(
    refuse_worker: Refuse, files: Path, used_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases: dict[str, tuple[int, dict[str, str]]] = {
        "gives no answer: check bootstrap": (6, {"kafka": str(files / "gate-nowhere.toml")}),
        "password_file holds another password": (7, {"kafka": str(files / "gate-password.toml")}),
        "SOURDINE_STAGE: expected describe, classify or gate, got nothing": (2, {"stage": ""}),
        "sourdine key new FILE makes one": (2, {"key": ""}),
        "its owner alone": (2, {"key": str(files / "open.key")}),
        "steet": (3, {"policy": "steet"}),
        "valid_until": (3, {"policy": str(files / "expired.toml")}),
        "cannot be listened at: Address already in use: name another port": (2, {"metrics": str(used_port)}),
        "--metrics: expected PORT or ADDRESS:PORT": (2, {"metrics": "everywhere"}),
    }
    for words, (code, changes) in cases.items():
        with monkeypatch.context():
            found, line = refuse_worker(**changes)
            assert (found, words in line) == (code, True), line
        for name in changes:
            monkeypatch.delenv(VARIABLES[name])


@pytest.mark.parametrize(("off_s", "words"), [(DAY_S, "ahead of that"), (-DAY_S, "behind that")])
def test_a_clock_one_day_off_stops_the_start(
    off_s: float, words: str, refuse_worker: Refuse, city: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(settings: Any) -> None:
        check_clock(settings, lambda: time.time() + off_s)

    monkeypatch.setattr(worker, "check_clock", check)
    code, line = refuse_worker()
    assert code == 7
    assert words in line
    assert "86400 s" in line or "86399 s" in line
    with pytest.raises(AccessError, match=words) as refusal:
        check(city.settings("gateway"))
    assert refusal.value.reason == "clock"


@pytest.mark.parametrize("user", ["gateway", "describe", "classify", "gate"])
def test_a_clock_that_goes_right_is_no_reason(user: str, city: Broker) -> None:
    check_clock(city.settings(user))
    check_clock(city.settings(user), lambda: time.time() + 50.0)


def test_a_gateway_that_cannot_start_says_why(
    city: Broker, files: Path, used_port: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = {"placement": "gateway", "policy": "street", "kafka": str(city.file_of("gateway")),
            "key": str(files / "zone.key"), "state": "state"}  # fmt: skip
    cases: dict[str, tuple[int, dict[str, str], tuple[str, ...]]] = {
        "password_file holds another password": (7, {"kafka": str(files / "gateway-password.toml")}, ()),
        "user sink may not write": (7, {"kafka": str(city.file_of("sink"))}, ()),
        "its owner alone": (2, {"key": str(files / "open.key")}, ()),
        "valid_until": (3, {"policy": str(files / "expired.toml")}, ()),
        "name another port": (2, {}, ("--metrics", str(used_port))),
    }
    for words, (code, changes, more) in cases.items():
        lines = "".join(f'{name} = "{value}"\n' for name, value in (good | changes).items())
        stream = '[[streams]]\nsensor = 3390\nkind = "pipe"\npath = "a.pcm"\nrate = 16000\n'
        (tmp_path / "gateway.toml").write_text(lines + stream, "utf-8")
        found = run_command(["gateway", str(tmp_path / "gateway.toml"), "--quiet", *more])
        said = capsys.readouterr()
        assert (found, said.err.count("\n"), said.out) == (code, 1, ""), said
        assert words in said.err
        assert not (tmp_path / "state").exists()
