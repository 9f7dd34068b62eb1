"""Every metric name, in one list, and the two rules on what may stand there.

**Transport facts** may be shown at once and by sensor: they are the same whatever was heard. **What depends on what was
heard** (windows, candidates, how many of them were refused, time spent on them) carries no sensor, is shown once an
hour, and is a sum over ten sensors or more, or it is not shown at all: `Hourly` sees to that. One thing is told at
once, because an operator must know: for which reasons anything was refused in the last hour.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: A sum over fewer sensors is never shown.
LEAST_SENSORS: Final = 10
#: Sums that are told apart in an hour; more than there are reasons, so that nobody can invent more.
_MAX_SUMS: Final = 64
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric.

    Parameters
    ----------
    name : str
        As it is scraped.
    kind : str
        ``counter`` or ``gauge``.
    words : str
        What it means.
    labels : tuple of str, default=()
        Whose values are few: reasons of a closed list, sensors that the settings name.
    """

    name: str
    kind: str
    words: str
    labels: tuple[str, ...] = ()

    def is_of(self, kind: str) -> bool:
        """Return whether a kind of service has it.

        Parameters
        ----------
        kind : str
            ``worker``, ``gateway`` or ``sink``.
        """
        return self.name.split("_")[1] in _OF[kind]


#: Second words of the metrics of each kind of service.
_OF: Final = {
    "worker": ("info", "ready", "broker", "worker"),
    "gateway": ("info", "ready", "broker", "gateway", "stream"),
    "sink": ("info", "ready", "broker", "sink"),
}

METRICS: Final = {
    one.name: one
    for one in (
        Metric("sourdine_info", "gauge", "Always 1; which service and version this is.", ("service", "version")),
        Metric("sourdine_ready", "gauge", "1 if /ready says yes."),
        Metric("sourdine_broker_up", "gauge", "1 if the broker has answered lately."),
        Metric("sourdine_worker_partitions", "gauge", "Partitions that this worker has."),
        Metric("sourdine_worker_assignments_total", "counter", "How often partitions were given out anew."),
        Metric("sourdine_worker_lag_seconds", "gauge", "How long the oldest message waits, in whole steps of 15 s."),
        Metric("sourdine_worker_refuses", "gauge", "1 if a message was refused in the last hour.", ("reason",)),
        Metric("sourdine_worker_refused_total", "counter", "Messages refused; hourly, of ten sensors.", ("reason",)),
        Metric("sourdine_worker_taken_total", "counter", "Messages that the stage took; hourly, of ten sensors."),
        Metric("sourdine_worker_given_total", "counter", "What the stage made of them; hourly, of ten sensors."),
        Metric("sourdine_worker_stage_ms_total", "counter", "Time in the stage; hourly, of ten sensors."),
        Metric("sourdine_stream_up", "gauge", "1 if the sensor's sound is heard now.", ("sensor",)),
        Metric("sourdine_stream_blocks_total", "counter", "Blocks of the sensor's sound.", ("sensor",)),
        Metric("sourdine_stream_heard_seconds_total", "counter", "Seconds of the sensor's sound.", ("sensor",)),
        Metric("sourdine_stream_breaks_total", "counter", "Stretches of its sound that ended.", ("sensor", "reason")),
        Metric("sourdine_gateway_waiting_seconds", "gauge", "How long the oldest record waits, in steps of 15 s."),
        Metric("sourdine_gateway_windows_lost_total", "counter", "Windows lost; hourly, of ten sensors."),
        Metric("sourdine_sink_records_total", "counter", "Open records that came, by outcome.", ("outcome",)),
        Metric("sourdine_sink_refused_total", "counter", "Messages that are no records.", ("reason",)),
        Metric("sourdine_sink_gone_total", "counter", "Messages that the broker deleted before they were read."),
        Metric("sourdine_sink_store_up", "gauge", "1 if database or disk take records."),
    )
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a metric.

    Parameters
    ----------
    name : str
        One of `METRICS`.
    value : float
        Now.
    labels : tuple of str, default=()
        In the order of the metric's.
    """

    name: str
    value: float
    labels: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sum:
    total: int = 0
    #: Ten are enough to know that they are ten.
    sensors: set[int] = field(default_factory=set)


class Hourly:
    """Sums of what depends on what was heard, each shown when its UTC hour is over, if ten sensors have a part in it.

    A sum of fewer is dropped, not kept for the next hour: what is shown then would be theirs.

    Parameters
    ----------
    clock : callable, default=time.time
        Seconds since 1970-01-01T00:00:00Z.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._hour = self._now()
        self._open: dict[tuple[str, str], _Sum] = {}
        self._shown: Counter[tuple[str, str]] = Counter()

    def count(self, name: str, sensor_id: int, n: int = 1, label: str = "") -> None:
        """Add to a sum.

        Parameters
        ----------
        name : str
            Of the metric.
        sensor_id : int
            Whose it is; forgotten with the hour.
        n : int, default=1
            How much.
        label : str, default=''
            Value of the metric's label, if it has one.
        """
        self._turn()
        key = (name, label)
        if n <= 0 or (key not in self._open and len(self._open) >= _MAX_SUMS):
            return
        kept = self._open.setdefault(key, _Sum())
        kept.total += n
        if len(kept.sensors) < LEAST_SENSORS:
            kept.sensors.add(sensor_id)

    def samples(self) -> list[Sample]:
        """Return what may be shown: nothing of the hour that is not over."""
        self._turn()
        return [
            Sample(name, total, (label,) if METRICS[name].labels else ())
            for (name, label), total in sorted(self._shown.items())
        ]

    def _turn(self) -> None:
        hour = self._now()
        if hour == self._hour:
            return
        self._hour = hour
        for key, kept in self._open.items():
            if len(kept.sensors) >= LEAST_SENSORS and (key in self._shown or len(self._shown) < _MAX_SUMS):
                self._shown[key] += kept.total
        self._open.clear()

    def _now(self) -> int:
        return int(self._clock()) // _HOUR_S


def in_steps(seconds: float, step_s: int = 15) -> int:
    """Return a time in whole steps: what waits for less than one is 0, however much it is.

    Parameters
    ----------
    seconds : float
        How long.
    step_s : int, default=15
        Length of a step.

    Returns
    -------
    int
        In seconds.
    """
    return max(0, int(seconds)) // step_s * step_s
