"""The pages of a service, as whoever watches it reads them."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request


def free_port() -> int:
    """Give a port on which nobody answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def read(port: int, page: str) -> tuple[int, str]:
    """Read a page; code 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{page}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode()
    except OSError:
        return 0, ""
