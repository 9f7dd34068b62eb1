"""The broker of the tests is what it claims to be: encrypted, and asking who one is."""

from __future__ import annotations

import socket
import ssl

import pytest
from tests.kafka.broker.server import Broker


def handshake(broker: Broker, tls: ssl.SSLContext) -> str | None:
    """Greet the broker, and give the version of TLS that it agreed to."""
    with (
        socket.create_connection(("127.0.0.1", broker.port)) as plain,
        tls.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        return secured.version()


def test_speaks_tls_with_its_own_certificate(broker: Broker) -> None:
    assert handshake(broker, broker.settings().tls()) in {"TLSv1.2", "TLSv1.3"}
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(broker, ssl.create_default_context())


def test_user_without_rights_sees_no_topic(broker: Broker) -> None:
    broker.add_user("nobody")
    assert broker.admin("nobody").list_topics(timeout=10).topics == {}
