"""The file that names the database, and the tables: refused in one line, and as closed as the schemas."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dsp_core.records import HEALTH_STATES, METRICS, SOUND_CLASSES

from sourdine.errors import ConfigError
from sourdine.sinks.database import DatabaseSettings, load
from sourdine.sinks.postgres import SCHEMA

PASSWORD = "correct horse battery staple"


def write(folder: Path, **changes: str | None) -> Path:
    """Write the file of a database on this machine with some keys changed, or left out."""
    secret = folder / "db.password"
    secret.touch(mode=0o600)
    secret.write_text(PASSWORD + "\n", "ascii")
    keys: dict[str, str | None] = {
        "host": "127.0.0.1",
        "security": "PLAINTEXT",
        "database": "city",
        "user": "sourdine",
        "password_file": "db.password",
    }
    lines = [f'{key} = "{value}"' for key, value in (keys | changes).items() if value is not None]
    (folder / "db.toml").write_text("\n".join(lines), "utf-8")
    return folder / "db.toml"


def test_a_file_is_read(tmp_path: Path) -> None:
    assert load(write(tmp_path)) == DatabaseSettings("127.0.0.1", 5432, "city", "sourdine", PASSWORD)
    assert load(write(tmp_path, port="6543")).port == 6543


def test_a_socket_knows_who_we_are(tmp_path: Path) -> None:
    file = write(tmp_path, host="/run/postgresql", security=None, password_file=None)
    assert load(file) == DatabaseSettings("/run/postgresql", 5432, "city", "sourdine")


def test_the_password_is_shown_nowhere(tmp_path: Path) -> None:
    assert PASSWORD not in repr(load(write(tmp_path)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"host": "db.example.org"}, "db.example.org needs TLS"),
        ({"host": "db.example.org", "security": None}, "ca_file is missing"),
        ({"host": "db.example.org", "security": None, "ca_file": "none.pem"}, "holds no certificate"),
        ({"security": "NONE"}, "security: expected TLS or PLAINTEXT"),
        ({"password_file": None}, "password_file is missing"),
        ({"database": None}, "database is missing"),
        ({"password": "x"}, "unknown key password"),
        ({"port": "0"}, "port: expected 1 to 65535"),
        ({"port": "many"}, "port: expected 1 to 65535"),
    ],
)
def test_what_does_not_hold_is_named(tmp_path: Path, changes: dict[str, str | None], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as refusal:
        load(write(tmp_path, **changes))
    assert "\n" not in str(refusal.value)


def test_a_password_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path)
    (tmp_path / "db.password").chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        load(file)


@pytest.mark.parametrize(
    ("column", "names"),
    [("sound_class", SOUND_CLASSES), ("metric", METRICS), ("state", HEALTH_STATES), ("scale", ("dbfs", "db"))],
)
def test_tables_hold_the_lists_of_the_core(column: str, names: tuple[str, ...]) -> None:
    found = re.findall(rf"CHECK \({column} IN \(([^)]*)\)\)", SCHEMA.read_text("utf-8"))
    assert found
    for text in found:
        assert re.findall(r"'(\w+)'", text) == list(names)
