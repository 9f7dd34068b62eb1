"""What depends on what was heard is shown hourly and of ten sensors, or not at all."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any

import pytest

from sourdine.errors import ConfigError
from sourdine.operations.metrics import METRICS, Hourly, Sample, in_steps
from sourdine.operations.page import Pages, listen

TAKEN, REFUSED = "sourdine_worker_taken_total", "sourdine_worker_refused_total"


class Clock:
    """Stands still unless the test moves it."""

    def __init__(self) -> None:
        self.seconds = 1_777_900_000.0

    def __call__(self) -> float:
        return self.seconds

    def next_hour(self) -> None:
        self.seconds += 3600


def test_a_sum_is_shown_when_its_hour_is_over() -> None:
    clock = Clock()
    hourly = Hourly(clock)
    for sensor in range(10):
        hourly.count(TAKEN, sensor, 2)
        assert hourly.samples() == []
    clock.next_hour()
    assert hourly.samples() == [Sample(TAKEN, 20)]
    hourly.count(TAKEN, 1, 5)
    assert hourly.samples() == [Sample(TAKEN, 20)]


def test_a_sum_over_nine_sensors_is_never_shown() -> None:
    clock = Clock()
    hourly = Hourly(clock)
    for _ in range(3):
        for sensor in range(9):
            hourly.count(TAKEN, sensor, 1000)
        clock.next_hour()
        assert hourly.samples() == []
    for sensor in range(10):
        hourly.count(TAKEN, sensor)
    clock.next_hour()
    assert hourly.samples() == [Sample(TAKEN, 10)], "nothing of the hours before"


def test_each_sum_needs_its_own_ten() -> None:
    clock = Clock()
    hourly = Hourly(clock)
    for sensor in range(10):
        hourly.count(TAKEN, sensor)
    hourly.count(REFUSED, 1, label="bad_seal")
    clock.next_hour()
    assert hourly.samples() == [Sample(TAKEN, 10)]


def test_sensors_and_reasons_that_someone_invents_take_no_memory() -> None:
    clock = Clock()
    hourly = Hourly(clock)
    for sensor in range(100_000):
        hourly.count(REFUSED, sensor, label=f"invented_{sensor % 5_000}")
    assert len(hourly._open) <= 64
    assert max(len(kept.sensors) for kept in hourly._open.values()) <= 10
    clock.next_hour()
    assert len(hourly.samples()) <= 64


def test_only_transport_facts_carry_a_sensor() -> None:
    by_sensor = {name for name, metric in METRICS.items() if "sensor" in metric.labels}
    assert by_sensor == {
        "sourdine_stream_up",
        "sourdine_stream_blocks_total",
        "sourdine_stream_heard_seconds_total",
        "sourdine_stream_breaks_total",
    }


@pytest.mark.parametrize(("seconds", "shown"), [(0, 0), (14.9, 0), (15, 15), (44, 30), (-3, 0)])
def test_waiting_is_shown_in_steps(seconds: float, shown: int) -> None:
    assert in_steps(seconds) == shown


class Service:
    """A service that the test makes ready or not."""

    reason: str | None = None

    def unready(self) -> str | None:
        return self.reason

    def samples(self) -> Iterable[Sample]:
        return [Sample("sourdine_worker_refuses", 1, ("bad_seal",))]


def get(port: int, page: str, method: str = "GET") -> tuple[int, str]:
    """Ask for a page."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{page}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read().decode()


def test_pages_say_live_ready_and_metrics_and_nothing_else() -> None:
    service, answers = Service(), {}

    async def main() -> None:
        taken = listen("0")
        port = taken.getsockname()[1]
        assert taken.getsockname()[0] == "127.0.0.1"
        pages = Pages(taken, service, kind="worker", service="gate", version="1.2.3")
        await pages.start()

        async def ask(*words: Any) -> tuple[int, str]:
            return await asyncio.to_thread(get, port, *words)

        answers["live"], answers["ready"] = await ask("live"), await ask("ready")
        service.reason = "broker_away"
        answers["not ready"], answers["metrics"] = await ask("ready"), await ask("metrics")
        answers["root"], answers["post"] = await ask(""), await ask("metrics", "POST")
        with pytest.raises(ConfigError, match="cannot be listened at"):
            listen(str(port))
        await pages.stop()

    asyncio.run(main())
    assert answers["live"] == (200, '{"live": true}')
    assert answers["ready"] == (200, '{"ready": true}')
    assert (answers["not ready"][0], json.loads(answers["not ready"][1])) == (
        503,
        {"ready": False, "reason": "broker_away"},
    )
    assert (answers["root"][0], answers["post"][0]) == (404, 405)
    page = answers["metrics"][1].splitlines()
    assert 'sourdine_info{service="gate",version="1.2.3"} 1.0' in page
    assert "sourdine_ready 0.0" in page
    assert 'sourdine_worker_refuses{reason="bad_seal"} 1.0' in page
    assert not [line for line in page if line.startswith(("process_", "python_", "sourdine_sink", "sourdine_stream"))]


@pytest.mark.parametrize("address", ["", "x", "127.0.0.1", "127.0.0.1:70000", "1:2:3", "here:-1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="expected PORT or ADDRESS:PORT"):
        listen(address)


@pytest.mark.parametrize("host", ["a..b", ".", "no-such-host.invalid", "x" * 64])
def test_a_name_that_is_no_address_is_said_in_words(host: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        listen(f"{host}:9464")
    assert str(refusal.value) == f"--metrics: {host}:9464 cannot be listened at: no address has this name"


def test_an_address_of_another_machine_is_said_in_words() -> None:
    with pytest.raises(ConfigError, match="Cannot assign requested address: name another port"):
        listen("192.0.2.1:9464")
