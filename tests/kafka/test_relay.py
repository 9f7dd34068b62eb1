"""Sensors that only seal, at the real broker: the records of one process though workers are killed, and no sound."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from dsp_core.records import Event
from tests.chain import SOURDINE, blocks_of, call, classifier, street
from tests.kafka.broker.server import Broker
from tests.kafka.city import CANDIDATES, EVENTS, REJECTS, WINDOWS, City
from tests.kafka.pages import free_port, read
from tests.kafka.processes import wait_until
from tests.sentinel import forms_of
from tests.sounds import RATE, eventful, noise, pcm16, write_wav

from sourdine.cut import Message
from sourdine.flow import Flow
from sourdine.hearing import SealedWindow
from sourdine.hearings import Hearings
from sourdine.outgoing.cloudevents import encode

SOUND, LEVELS, HEALTH, LEDGER = (f"sourdine.{name}.v1" for name in ("sound", "levels", "health", "ledger"))
SEALED = (SOUND, WINDOWS, CANDIDATES)
SENSORS = range(3000, 3006)
#: Heard by a gateway that only seals.
SEALING = range(3050, 3053)
#: Sends what nobody has sealed.
ROGUE = 3060
GATEWAY_PORT = free_port()
_ALL_SENT = {"offered": 65, "sent": 65, "dropped": 0}


@pytest.fixture
def town(city: Broker, zone_key: Path, tmp_path: Path) -> Iterator[City]:
    """End the workers that are left."""
    made = City(city, tmp_path, zone_key)
    yield made
    made.end()


@pytest.fixture
def gateway(city: Broker, zone_key: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a gateway that only seals, and end it if the test has not."""
    sound = write_wav(tmp_path / "x.wav", noise(9.0))
    (tmp_path / "sensor.toml").write_text(_settings(city, zone_key, sound), "utf-8")
    command = [*SOURDINE, "gateway", "sensor.toml", "--metrics", str(GATEWAY_PORT)]
    log = tmp_path / "gateway.log"
    with log.open("wb") as file, subprocess.Popen(command, cwd=tmp_path, stdout=file, stderr=file) as process:
        yield process
        process.kill()


def last_full_minute() -> int:
    """Wait for a time at which the whole minute before is over by some seconds, and every second of it still counts."""
    while not 6 <= time.time() % 60 <= 40:
        time.sleep(0.5)
    return int(time.time()) // 60 * 60 - 60


def records_of(sensor_id: int, samples: Any, start_slot: int) -> list[bytes]:
    """Hear a sound in one process; what leaves while it lasts, and its events."""
    flow = Flow(
        sensor_id=sensor_id, sample_rate=RATE, start_slot=start_slot, policy=street().core, classify=classifier()
    )
    records = [record for block in blocks_of(samples, sensor_id=sensor_id) for record in flow.push(block)]
    records += [record for record in flow.finish() if isinstance(record, Event)]
    return [encode(record) for record in records]


def sealed_blocks(town: City, sensor_id: int, samples: Any, start_slot: int) -> list[bytes]:
    """Seal a sound as its sensor does, in blocks of a second."""
    blocks = blocks_of(samples, 1.0, sensor_id=sensor_id)
    return [
        town.sealer.seal_block(block, encoding="s16le", boot_ns=start_slot * 10**9, sequence=n)
        for n, block in enumerate(blocks)
    ]


def fold_of(town: City, log: list[Message]) -> tuple[set[bytes], dict[int, Any]]:
    """Give the windows that a worker makes of what the broker took when it took it, undisturbed, and its ledger."""
    windows, ledger = set(), {}
    for partition in {message.sensor_id % 12 for message in log}:
        hearings = Hearings(town.sealer, street().core, lambda sensor_id: None)
        for message in log:
            if message.sensor_id % 12 == partition:
                outputs = hearings.push(message)
                windows |= {output.sealed for output in outputs if isinstance(output, SealedWindow)}
                ledger[message.sensor_id] = orjson.loads(hearings.ledger(message.sensor_id).facts)
    return windows, ledger


def _settings(city: Broker, zone_key: Path, path: Path) -> str:
    streams = "".join(f'[[streams]]\nsensor = {sensor}\nkind = "file"\npath = "{path}"\n' for sensor in SEALING)
    return f'placement = "relay"\nkafka = "{city.file_of("sensor")}"\nkey = "{zone_key}"\nstate = "state"\n{streams}'


def test_workers_that_are_killed_hear_what_one_process_hears(
    town: City, city: Broker, gateway: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    town.enrol(SENSORS)
    ports = {name: free_port() for name in ("describe-1", "describe-2", "classify-1", "gate-1")}
    for name, port in ports.items():
        town.start(*name.split("-"), SOURDINE_METRICS=str(port))
    wait_until(lambda: len(town.members("sourdine-describe")) == 2, "two workers that describe")
    start = last_full_minute()
    sound = np.concatenate([eventful(30.0), noise(35.0)])
    sealed = {sensor: sealed_blocks(town, sensor, sound, start) for sensor in SENSORS}
    send_amid_kills(town, sealed)
    expected = [record for sensor in SENSORS for record in records_of(sensor, sound, start)]
    n_events = sum(b"sourdine.event" in record for record in expected)
    told = [set(town.wait_for(topic, n, SENSORS)) for topic, n in ((LEVELS, 6), (HEALTH, 6), (EVENTS, n_events))]
    assert set().union(*told) == set(expected)
    log = town.log_of(SOUND, SENSORS)
    windows, ledger = fold_of(town, log)
    assert set(town.wait_for(WINDOWS, len(windows), SENSORS)) == windows
    wait_until(lambda: ledger_of(town) == ledger, "the workers' ledger is that of one process")
    rogue = noise(0.5, seed=9)
    refused = send_unsealed(town, rogue, sealed[SENSORS[0]][0])
    ports_up = [GATEWAY_PORT, *(ports[name] for name in ("describe-2", "classify-1", "gate-1"))]
    pages = [read(port, page)[1].encode() for port in ports_up for page in ("metrics", "ready")]
    assert all(pages)
    assert b'refuses{reason="bad_key"} 1.0' in pages[2]
    assert town.workers["describe-2"].end() == 0, "in order"
    assert all((one["processed"], one["duplicate"], one["gap"]) == (65, 3, 0) for one in ledger.values())
    gateway.terminate()
    assert gateway.wait(30) == 0
    town.send(LEDGER, SENSORS[0], b"no counts")
    town.flush()
    compare(city, tmp_path)
    # The last 2 s of each sensor, and what lies behind them in their partitions, are read again; not all.
    assert 0 < town.lag("sourdine-describe", SOUND) < len(log)
    texts = [worker.log.read_bytes() for worker in town.workers.values()]
    assert not any(b"Traceback" in text for text in texts)
    files = {file: file.read_bytes() for file in files_of(city, tmp_path)}
    find_no_sound(sound[5 * RATE : 6 * RATE], [*pages, *files.values()])
    find_no_sound(rogue, [*pages, *refused, *(text for file, text in files.items() if not is_of(file, SEALED))])


def send_unsealed(town: City, rogue: Any, sealed: bytes) -> list[bytes]:
    """Send sound that nobody has sealed, as values and as keys; what workers tell of it."""
    raw = pcm16(rogue)
    for topic in SEALED:
        for value in (raw, raw[:200], sealed + raw, sealed[:40] + raw, raw.hex().encode(), sealed[:-1], b""):
            town.send(topic, ROGUE, value)
            town.send(topic, ROGUE, value, raw[:200])
    town.flush()
    told = town.wait_for(REJECTS, 1, [0, ROGUE])

    def n_told() -> int:
        nonlocal told
        told = town.wait_for(REJECTS, 1, [0, ROGUE])
        return sum(orjson.loads(value)["count"] for value in told)

    wait_until(lambda: n_told() >= 14 * len(SEALED), "all of it is refused")
    for value in told:
        assert orjson.loads(value).keys() == {"sensor_id", "slot", "reason", "count"}
    return told


def send_amid_kills(town: City, sealed: dict[int, list[bytes]]) -> None:
    """Send everything, some of it twice; one worker is killed and stays away, the other one comes back."""
    first, second = town.workers["describe-1"], town.workers["describe-2"]
    for begin, end in ((0, 22), (22, 45), (45, 65)):
        for n in range(begin, end):
            for sensor in SENSORS:
                town.send(SOUND, sensor, sealed[sensor][n])
                if n % 20 == 7:  # a network that doubles
                    town.send(SOUND, sensor, sealed[sensor][n])
        town.flush()
        if end == 22:
            wait_until(lambda: bool(town.wait_for(WINDOWS, 1, SENSORS)), "a window")
            first.end(signal.SIGKILL)  # and stays away: the other one takes over
        if end == 45:
            second.end(signal.SIGKILL)
            second.start()


def compare(city: Broker, tmp_path: Path) -> None:
    """Compare what was sent with what was counted: doubled blocks, and nothing else, are named."""
    (tmp_path / "others.json").write_bytes(orjson.dumps({str(sensor): _ALL_SENT for sensor in SENSORS}))
    files = ("state/sent.json", "others.json")
    compared = call("ledger", *files, "--kafka", city.file_of("console"), cwd=tmp_path)
    assert compared.returncode == 1, compared.stderr
    ours = [line for line in compared.stdout.splitlines() if line.startswith("sensor 30")]
    assert f"in {LEDGER} are no worker's counts" in compared.stdout
    assert ours == [f"sensor {sensor}: 3 blocks came again, and it sends each once" for sensor in SENSORS]
    sent = orjson.loads((tmp_path / "state" / "sent.json").read_bytes())
    assert sent == {str(sensor): {"offered": 9, "sent": 9, "dropped": 0} for sensor in SEALING}


def ledger_of(town: City) -> dict[int, Any]:
    """Give the newest line of each sensor."""
    lines = [orjson.loads(line) for line in town.wait_for(LEDGER, 1, SENSORS)]
    return {line["sensor_id"]: line for line in sorted(lines, key=lambda line: line["kafka_offset"])}


def files_of(city: Broker, folder: Path) -> list[Path]:
    """All that the broker and the workers have written."""
    return [file for root in (city.storage, folder) for file in root.rglob("*") if file.is_file()]


def is_of(file: Path, topics: tuple[str, ...]) -> bool:
    """Whether a file holds messages of one of the topics."""
    return any(part.startswith(f"{topic}-") for part in file.parts for topic in topics)


def find_no_sound(samples: Any, texts: list[bytes]) -> None:
    """Look for some samples as anyone might have written them."""
    assert any(len(text) > 10**6 for text in texts), "the broker's files are looked through"
    for form in forms_of(samples):
        assert not any(form in text for text in texts)
