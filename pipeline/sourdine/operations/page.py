"""The pages of a service: `/metrics` for Prometheus, `/live` and `/ready` for whoever starts it again.

A server of its own, because Faust's serves more than is to be shown. Nothing listens unless a port is named.
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from sourdine.errors import ConfigError
from sourdine.operations.metrics import METRICS, Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric as Family

_HERE: Final = "127.0.0.1"
_ADDRESS: Final = re.compile(r"(?:(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):)?([0-9]{1,5})")
_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Shown(Protocol):
    """A service, as its pages ask it."""

    def unready(self) -> str | None:
        """Return in one word why it is not ready; None if it is."""

    def samples(self) -> Iterable[Sample]:
        """Return the values of its metrics."""


def listen(address: str) -> socket.socket:
    """Take a port, before anything is started.

    Parameters
    ----------
    address : str
        ``PORT``, on this machine alone, or ``ADDRESS:PORT``.

    Returns
    -------
    socket.socket
        That nobody answers at yet.

    Raises
    ------
    ConfigError
        If it is no address, or the port cannot be had.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match[2]) > 65_535:
        raise ConfigError(f"--metrics: expected PORT or ADDRESS:PORT, got {address}")
    host, port = (match[1] or _HERE).strip("[]"), int(match[2])
    refusal = f"--metrics: {address} cannot be listened at"
    try:
        socket.getaddrinfo(host, port)
    except (socket.gaierror, UnicodeError):
        raise ConfigError(f"{refusal}: no address has this name") from None
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigError(f"{refusal}: {os.strerror(error.errno or 0)}: name another port") from None


class Pages:
    """The pages of one service.

    Parameters
    ----------
    taken : socket.socket
        From `listen`.
    shown : Shown
        The service.
    kind : str
        ``worker``, ``gateway`` or ``sink``.
    service : str
        Its name.
    version : str
        Its version.
    """

    def __init__(self, taken: socket.socket, shown: Shown, *, kind: str, service: str, version: str) -> None:
        self._taken, self._shown, self._kind = taken, shown, kind
        self._info = Sample("sourdine_info", 1, (service, version))
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Answer, in the loop that the service runs in: one that hangs is not live."""
        app = web.Application(client_max_size=1)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/live", self._live)
        app.router.add_get("/ready", self._ready)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.SockSite(self._runner, self._taken).start()

    async def stop(self) -> None:
        """Answer no more."""
        if self._runner is not None:
            with suppress(OSError):
                await self._runner.cleanup()

    def collect(self) -> Iterator[Family]:
        """Return the metrics as Prometheus's client takes them, also those that have no value yet."""
        ready = Sample("sourdine_ready", float(self._shown.unready() is None))
        by_name: dict[str, list[Sample]] = {}
        for sample in (self._info, ready, *self._shown.samples()):
            by_name.setdefault(sample.name, []).append(sample)
        for metric in METRICS.values():
            if not metric.is_of(self._kind):
                continue
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = kind(metric.name, metric.words, labels=metric.labels)
            for sample in sorted(by_name.get(metric.name, ()), key=lambda one: one.labels):
                family.add_metric(sample.labels, sample.value)
            yield family

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": _TEXT})

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"live": True})

    async def _ready(self, _: web.Request) -> web.Response:
        reason = self._shown.unready()
        if reason is None:
            return web.json_response({"ready": True})
        return web.json_response({"ready": False, "reason": reason}, status=503)
