"""A gateway, as its pages show it: transport facts of the sensors that its settings name, nothing of what it heard."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from sourdine.operations.metrics import LEAST_SENSORS, Sample, in_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sourdine.gateway.gateway import Gateway
    from sourdine.live.listener import Listener

_HOUR_S: Final = 3600


class ShownGateway:
    """What /ready and /metrics are asked.

    Parameters
    ----------
    gateway : Gateway
        At work.
    is_stopping : callable
        Says whether it was told to end.
    clock : callable, default=time.time
        Seconds since 1970-01-01T00:00:00Z.
    """

    def __init__(
        self, gateway: Gateway, is_stopping: Callable[[], bool], clock: Callable[[], float] = time.time
    ) -> None:
        self._gateway, self._is_stopping, self._clock = gateway, is_stopping, clock
        self._hour, self._n_lost = self._now(), 0

    def unready(self) -> str | None:
        """Return in one word why it is not ready."""
        if self._is_stopping():
            return "stopping"
        if not self._gateway.sender.answers:
            return "broker_away"
        hears = any(listener.is_hearing for listener in self._gateway.listeners.values())
        return None if hears else "no_sound"

    def samples(self) -> Iterator[Sample]:
        """Return the values of its metrics."""
        gateway = self._gateway
        yield Sample("sourdine_broker_up", float(gateway.sender.answers))
        oldest_s = gateway.oldest_s
        waiting_s = 0.0 if oldest_s is None else self._clock() - oldest_s
        yield Sample("sourdine_gateway_waiting_seconds", in_steps(waiting_s))
        # It depends on what was heard: of ten sensors or more, and anew once an hour.
        if len(gateway.listeners) >= LEAST_SENSORS:
            if self._now() != self._hour:
                self._hour, self._n_lost = self._now(), gateway.sender.n_windows_lost
            yield Sample("sourdine_gateway_windows_lost_total", self._n_lost)
        for sensor_id, listener in gateway.listeners.items():
            yield from _of_stream(str(sensor_id), listener)

    def _now(self) -> int:
        return int(self._clock()) // _HOUR_S


def _of_stream(sensor: str, listener: Listener) -> Iterator[Sample]:
    ledger = listener.ledger
    yield Sample("sourdine_stream_up", float(listener.is_hearing), (sensor,))
    yield Sample("sourdine_stream_blocks_total", ledger.n_blocks, (sensor,))
    yield Sample("sourdine_stream_heard_seconds_total", ledger.n_samples // listener.sample_rate, (sensor,))
    for reason, n in listener.n_breaks.items():
        yield Sample("sourdine_stream_breaks_total", n, (sensor, reason))
