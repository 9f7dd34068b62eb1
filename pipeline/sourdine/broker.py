"""Where the Kafka broker is and who we are to it: one file, read once, and said to each client library in its words."""

from __future__ import annotations

import os
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sourdine.errors import ConfigError
from sourdine.settings_file import check_names, is_loopback, read_keys, read_password

#: Names the file where no option does: `faust worker` takes none of ours.
VARIABLE: Final = "SOURDINE_KAFKA"
#: The one mechanism in which the password itself never crosses the network.
MECHANISM: Final = "SCRAM-SHA-512"

_SECURED: Final = ("bootstrap", "ca_file", "user", "password_file")
_PLAIN: Final = ("bootstrap",)
_SECURITIES: Final = ("SASL_SSL", "PLAINTEXT")
_ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_USER: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """A broker, and a user of it.

    Parameters
    ----------
    bootstrap : str
        Addresses ``host:port``, by commas.
    ca_file : pathlib.Path or None, default=None
        Certificates that the broker's own must lead to; None on a plain connection.
    user : str or None, default=None
        Name at the broker; None on a plain connection.
    password : str or None, default=None
        The user's; shown nowhere.
    """

    bootstrap: str
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def is_plain(self) -> bool:
        """Whether the connection is neither encrypted nor asks who we are: to a broker on this machine alone."""
        return self.user is None

    def tls(self) -> ssl.SSLContext:
        """Return what the broker's certificate is checked with.

        Returns
        -------
        ssl.SSLContext
            That asks for TLS 1.2 or newer and for the host's name in the certificate.

        Raises
        ------
        ConfigError
            If the certificates cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError):
            raise ConfigError(f"ca_file: {self.ca_file} holds no certificate in PEM") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def for_aiokafka(self) -> dict[str, Any]:
        """Return the same, as aiokafka's clients take it."""
        if self.is_plain:
            return {"bootstrap_servers": self.bootstrap}
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_SSL",
            "ssl_context": self.tls(),
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
        }

    def for_librdkafka(self) -> dict[str, Any]:
        """Return the same, as confluent-kafka's clients take it."""
        if self.is_plain:
            return {"bootstrap.servers": self.bootstrap}
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": str(self.ca_file),
            "sasl.mechanism": MECHANISM,
            "sasl.username": self.user,
            "sasl.password": self.password,
        }


def load(path: Path | None = None) -> BrokerSettings:
    """Read the file that names the broker.

    Parameters
    ----------
    path : pathlib.Path or None, default=None
        A TOML file; None for the one that the environment names.

    Returns
    -------
    BrokerSettings
        Every file it points at was read, and nothing was connected to.

    Raises
    ------
    ConfigError
        If no file is named, it cannot be read, or what it says does not hold.
    """
    if path is None:
        named = os.environ.get(VARIABLE)
        if not named:
            raise ConfigError(f"no broker is named: give --kafka FILE, or set {VARIABLE} to the file")
        path = Path(named)
    keys = read_keys(path)
    security = keys.get("security", "SASL_SSL")
    if security not in _SECURITIES:
        raise ConfigError(f"{path}: security: expected {' or '.join(_SECURITIES)}, got {security}")
    check_names(path, keys, _PLAIN if security == "PLAINTEXT" else _SECURED, optional=("security",))
    bootstrap = _check_bootstrap(path, keys["bootstrap"], is_plain=security == "PLAINTEXT")
    if security == "PLAINTEXT":
        return BrokerSettings(bootstrap)
    if not _USER.fullmatch(keys["user"]):
        raise ConfigError(f"{path}: user: expected 1 to 64 signs of a-z, A-Z, 0-9, '.', '_' and '-'")
    settings = BrokerSettings(
        bootstrap, path.parent / keys["ca_file"], keys["user"], read_password(path.parent / keys["password_file"])
    )
    settings.tls()
    return settings


def _check_bootstrap(path: Path, text: str, *, is_plain: bool) -> str:
    """Return the addresses; what is not encrypted may not leave the machine."""
    addresses = [part.strip() for part in text.split(",")]
    for address in addresses:
        match = _ADDRESS.fullmatch(address)
        if not match or not 1 <= int(match[2]) <= 65535:
            raise ConfigError(f"{path}: bootstrap: expected host:port, by commas, got {address}")
        if is_plain and not is_loopback(match[1].strip("[]")):
            raise ConfigError(f"{path}: security: PLAINTEXT is for a broker on this machine; {address} needs SASL_SSL")
    return ",".join(addresses)
