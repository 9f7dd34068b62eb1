"""Where the database is and who we are to it: one file, read once."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sourdine.errors import ConfigError
from sourdine.settings_file import check_names, is_loopback, read_keys, read_password

_PORT: Final = "5432"
_SECURITIES: Final = ("TLS", "PLAINTEXT")


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """A PostgreSQL database, and a user of it.

    Parameters
    ----------
    host : str
        Name or address; or, beginning with ``/``, the folder of a socket on this machine.
    port : int
        Of the server.
    database : str
        Name of it.
    user : str
        Name at the server.
    password : str or None, default=None
        The user's, shown nowhere; None where the socket says who we are.
    ca_file : pathlib.Path or None, default=None
        Certificates that the server's own must lead to; None within this machine.
    """

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    def tls(self) -> ssl.SSLContext | bool:
        """Return what the server's certificate is checked with, False within this machine.

        Returns
        -------
        ssl.SSLContext or bool
            That asks for TLS 1.2 or newer and for the host's name in the certificate.

        Raises
        ------
        ConfigError
            If the certificates cannot be read.
        """
        if self.ca_file is None:
            return False
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError):
            raise ConfigError(f"ca_file: {self.ca_file} holds no certificate in PEM") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def for_asyncpg(self) -> dict[str, Any]:
        """Return the same, as asyncpg takes it."""
        return {
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "user": self.user,
            "password": self.password,
            "ssl": self.tls(),
        }


def load(path: Path) -> DatabaseSettings:
    """Read the file that names the database.

    Parameters
    ----------
    path : pathlib.Path
        A TOML file.

    Returns
    -------
    DatabaseSettings
        Every file it points at was read, and nothing was connected to.

    Raises
    ------
    ConfigError
        If it cannot be read, or what it says does not hold.
    """
    keys = read_keys(path)
    security = keys.get("security", "TLS")
    if security not in _SECURITIES:
        raise ConfigError(f"{path}: security: expected {' or '.join(_SECURITIES)}, got {security}")
    host = keys.get("host", "")
    is_socket, is_plain = host.startswith("/"), security == "PLAINTEXT"
    if is_plain and not is_socket and not is_loopback(host):
        raise ConfigError(f"{path}: security: PLAINTEXT is for a database on this machine; {host} needs TLS")
    wanted: tuple[str, ...] = ("host", "database", "user")
    if not is_socket:
        wanted += ("password_file",) if is_plain else ("password_file", "ca_file")
    check_names(path, keys, wanted, optional=("port", "security", *(("password_file",) if is_socket else ())))
    port = keys.get("port", _PORT)
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
        raise ConfigError(f"{path}: port: expected 1 to 65535 in quotes, got {port}")
    settings = DatabaseSettings(
        host=host,
        port=int(port),
        database=keys["database"],
        user=keys["user"],
        password=read_password(path.parent / keys["password_file"]) if "password_file" in keys else None,
        ca_file=path.parent / keys["ca_file"] if "ca_file" in keys else None,
    )
    settings.tls()
    return settings
