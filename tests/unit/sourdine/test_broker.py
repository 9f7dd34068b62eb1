"""The file that names the broker: read once, refused in one line, and its password shown nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sourdine.broker import VARIABLE, BrokerSettings, load
from sourdine.errors import ConfigError

PASSWORD = "correct horse battery staple"
# A certificate of nobody: it only has to be one. Made by: openssl req -x509 -newkey ec -pkeyopt
# ec_paramgen_curve:prime256v1 -nodes -keyout /dev/null -subj /CN=nobody -days 36500
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUTjR9PHxmgvG56EAwAaBOTWvQoyMwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyNDEzMDQ1OFoYDzIxMjYxMDMxMTMw
NDU4WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AARO8xQ0bJcgBsDcnN/1L5Fy41FfXLJDKCrPNWBjBbzLbHEd/grIflFlz4j7Rysv
B31wZHKEr2pyK5GGJLztbjZxo1MwUTAdBgNVHQ4EFgQUTPiO9uzxj4PJi7ILKrfi
TxdrXGswHwYDVR0jBBgwFoAUTPiO9uzxj4PJi7ILKrfiTxdrXGswDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAA4zKyHTVtruJMNk1TvnO20qffDxtQ
xXnSEtngIozOugIhANTTdJ92s26tcftixsNPEI3/HFHAsuROXBYY7ffeWgp6
-----END CERTIFICATE-----
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder as an operator has it."""
    (tmp_path / "ca.pem").write_text(CERTIFICATE, "ascii")
    password = tmp_path / "gate.password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD + "\n", "ascii")
    write(tmp_path)
    return tmp_path


def write(folder: Path, **changes: str | None) -> Path:
    """Write the file with some keys changed, or left out."""
    keys: dict[str, str | None] = {
        "bootstrap": "a.example.org:9093, b.example.org:9093",
        "ca_file": "ca.pem",
        "user": "gate",
        "password_file": "gate.password",
    }
    lines = [f'{key} = "{value}"' for key, value in (keys | changes).items() if value is not None]
    (folder / "kafka.toml").write_text("\n".join(lines), "utf-8")
    return folder / "kafka.toml"


def test_each_client_is_told_in_its_own_words(folder: Path) -> None:
    settings = load(folder / "kafka.toml")
    assert settings.bootstrap == "a.example.org:9093,b.example.org:9093"
    assert settings.for_librdkafka() == {
        "bootstrap.servers": settings.bootstrap,
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(folder / "ca.pem"),
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "gate",
        "sasl.password": PASSWORD,
    }
    options = settings.for_aiokafka()
    assert options.pop("ssl_context").check_hostname
    assert options == {
        "bootstrap_servers": settings.bootstrap,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "gate",
        "sasl_plain_password": PASSWORD,
    }


def test_password_is_not_shown(folder: Path) -> None:
    assert PASSWORD not in repr(load(folder / "kafka.toml"))


def test_environment_names_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder / "kafka.toml"))
    assert load() == load(folder / "kafka.toml")
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(ConfigError, match=f"--kafka FILE, or set {VARIABLE}"):
        load()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.9.9.9"])
def test_plain_is_for_this_machine(host: str, tmp_path: Path) -> None:
    file = tmp_path / "kafka.toml"
    file.write_text(f'bootstrap = "{host}:9092"\nsecurity = "PLAINTEXT"\n', "utf-8")
    assert load(file) == BrokerSettings(f"{host}:9092")
    assert load(file).for_aiokafka() == {"bootstrap_servers": f"{host}:9092"}
    assert load(file).for_librdkafka() == {"bootstrap.servers": f"{host}:9092"}


WRONG: dict[str, tuple[dict[str, str | None], str]] = {
    "unknown key": ({"pasword_file": "x"}, "unknown key pasword_file"),
    "missing key": ({"user": None}, "user is missing"),
    "unknown security": ({"security": "SSL"}, "security: expected SASL_SSL or PLAINTEXT, got SSL"),
    "plain with a user": ({"security": "PLAINTEXT"}, "unknown key ca_file"),
    "no port": ({"bootstrap": "a.example.org"}, "expected host:port, by commas, got a.example.org"),
    "port of nothing": ({"bootstrap": "a:0"}, "bootstrap"),
    "user in words": ({"user": "the gate"}, "user: expected"),
    "no certificate": ({"ca_file": "gate.password"}, "holds no certificate"),
    "certificate is not there": ({"ca_file": "gone.pem"}, "holds no certificate"),
    "password is not there": ({"password_file": "gone"}, "password_file: .*No such file"),
    "password is a folder": ({"password_file": "."}, "is no file"),
    "password of many lines": ({"password_file": "ca.pem"}, "may be read by others|expected one line"),
}


@pytest.mark.parametrize(("changes", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_hold_is_refused_by_its_name(changes: dict[str, str | None], words: str, folder: Path) -> None:
    (folder / "ca.pem").chmod(0o600)
    with pytest.raises(ConfigError, match=words) as refusal:
        load(write(folder, **changes))
    assert PASSWORD not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_open_password_file_is_refused(mode: int, folder: Path) -> None:
    (folder / "gate.password").chmod(mode)
    with pytest.raises(ConfigError, match=re.escape(f"chmod 600 {folder / 'gate.password'}")):
        load(folder / "kafka.toml")


def test_plain_elsewhere_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "kafka.toml"
    file.write_text('bootstrap = "10.0.0.1:9092"\nsecurity = "PLAINTEXT"\n', "utf-8")
    with pytest.raises(ConfigError, match=r"10\.0\.0\.1:9092 needs SASL_SSL"):
        load(file)


@pytest.mark.parametrize("text", ["bootstrap", "bootstrap = 9092", "\udc80"])
def test_what_is_no_file_of_texts_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "kafka.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=r"kafka\.toml"):
        load(tmp_path / "kafka.toml")
