"""From the onset in the sound to an event that a foreign client can read: streams played in real time, one watch."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import numpy as np
from benches.cities import Bench
from confluent_kafka import Consumer, TopicPartition
from numpy.typing import NDArray
from tests.gateways import Town, file_stream
from tests.kafka.broker.server import Broker
from tests.kafka.city import EVENTS, City
from tests.kafka.processes import wait_until
from tests.sounds import RATE, noise, write_wav

from sourdine.load import sounds
from sourdine.topics import layout

#: Real clips, where they are there.
RECORDINGS = Path(os.environ.get("SOURDINE_DATA") or "../shared") / "data" / "city_sounds" / "free"
N_STREAMS = 48
#: A clip of each stream in so many seconds: three a minute may be told, and twenty an hour.
EVERY_S = 21
#: Sound comes in pieces, as from a sound card.
PIECE_S = 0.05
FIRST_SENSOR = 60_000
#: An event names the second of its window; a clip's onset lies no further from it.
NEAR_S = 3.0
STAGES = {"gateway": (), "cluster": ("classify", "gate"), "relay": ("describe", "classify", "gate")}
#: Design figures, at p50 and p99.
LIMITS_S = {"gateway": (2.0, 3.5), "cluster": (2.0, 3.5), "relay": (math.inf, 4.5)}


def onsets(bench: Bench, for_s: float) -> bool:
    """Play streams in each placement, one after the other; whether the figures are met."""
    return all([is_soon(bench, placement, for_s) for placement in STAGES])


def is_soon(bench: Bench, placement: str, for_s: float) -> bool:
    """Play streams in one placement."""
    with bench.broker() as broker, ExitStack() as open_ones:
        folder = Path(tempfile.mkdtemp(dir=bench.folder))
        heard_there = sounds.recorded(RECORDINGS) if RECORDINGS.is_dir() else sounds.synthetic()
        streets = [Street(FIRST_SENSOR + n, heard_there, for_s, folder) for n in range(N_STREAMS)]
        sensors = [street.sensor_id for street in streets]
        town = City(broker, folder, bench.key)
        open_ones.callback(town.end)
        town.enrol(sensors)
        for stage in STAGES[placement]:
            for number in ("1", "2"):
                town.start(stage, number)
        wait_until(lambda: all(one.said('"event":"assigned"') for one in town.workers.values()), "workers are ready")
        open_ones.enter_context(heard(broker, bench.key, folder, placement, streets))
        reader = open_ones.enter_context(Reader(broker, set(sensors)).reading())
        n_lost = play(streets)
        time.sleep(6.0)
    waits = sorted(wait for street in streets for wait in street.waits(reader.read))
    p50, p99 = (waits[min(len(waits) - 1, len(waits) * share // 100)] for share in (50, 99)) if waits else (9e9, 9e9)
    n_onsets = sum(len(street.onsets_s) for street in streets)
    print(
        f"onset to readable, {placement}, {N_STREAMS} streams, {for_s:.0f} s: {len(waits)} events of {n_onsets} clips; "
        f"p50 {p50:.2f} s, p90 {waits[len(waits) * 9 // 10]:.2f} s, p99 {p99:.2f} s, longest {waits[-1]:.2f} s; "
        f"{n_lost} pieces of sound not taken",
        flush=True,
    )
    return p50 <= LIMITS_S[placement][0] and p99 <= LIMITS_S[placement][1] and not n_lost


class Street:
    """One stream: what sounds when, and the pipe that it is played into."""

    def __init__(self, sensor_id: int, heard: sounds.Sounds, for_s: float, folder: Path) -> None:
        self.sensor_id, self.pipe = sensor_id, folder / f"{sensor_id}.pcm"
        os.mkfifo(self.pipe)
        chance = random.Random(sensor_id)
        bed = np.concatenate([heard.ambience[n % len(heard.ambience)] for n in range(math.ceil(for_s))])
        pcm = bed.astype(np.float64)
        #: Seconds since the first sample.
        self.onsets_s: list[float] = []
        for cell in range(1, int(for_s / EVERY_S)):
            clip = chance.choice(heard.clips)
            begin = int(RATE * (EVERY_S * cell + chance.uniform(0.0, EVERY_S - 6.0)))
            pcm[begin : begin + clip.size] += 0.7 * clip
            self.onsets_s.append(begin / RATE + onset_s(clip))
        self.pieces = np.clip(pcm, -32_768, 32_767).astype("<i2").reshape(-1, int(PIECE_S * RATE))
        #: When the first sample sounded.
        self.began_s = math.inf

    def waits(self, read: list[tuple[float, bytes]]) -> Iterator[float]:
        """Give the seconds from each clip's onset to its event; of some, none is told."""
        times = [self.began_s + onset for onset in self.onsets_s]
        told: set[float] = set()
        for at_s, value in read:
            event = json.loads(value)
            if event["data"]["sensor_id"] != self.sensor_id:
                continue
            slot = datetime.fromisoformat(event["time"]).timestamp()
            onset = max(times[: bisect_right(times, slot + NEAR_S)], default=-math.inf)
            if slot - onset < NEAR_S and onset not in told:
                told.add(onset)
                yield at_s - onset


def onset_s(clip: NDArray[np.int16]) -> float:
    """Find where a clip first comes within 20 dB of its loudest hundredth of a second."""
    n_frame = RATE // 100
    frames = clip[: clip.size // n_frame * n_frame].reshape(-1, n_frame).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    return int(np.argmax(power > 0.01 * power.max())) * n_frame / RATE


def play(streets: list[Street]) -> int:
    """Play all streams side by side, each piece when its last sample has sounded; how many pieces were not taken."""
    pipes = [opened(street.pipe) for street in streets]
    began_s, n_lost = time.time(), 0
    for street in streets:
        street.began_s = began_s
    for n in range(len(streets[0].pieces)):
        time.sleep(max(0.0, began_s + (n + 1) * PIECE_S - time.time()))
        for pipe, street in zip(pipes, streets, strict=True):
            try:
                os.write(pipe, street.pieces[n].tobytes())
            except BlockingIOError:
                n_lost += 1
    for pipe in pipes:
        os.close(pipe)
    return n_lost


def opened(pipe: Path) -> int:
    """Open a pipe that someone reads, as soon as someone does."""
    found: list[int] = []

    def is_read() -> bool:
        with suppress(OSError):
            found.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(found)

    wait_until(is_read, f"someone reads {pipe.name}")
    return found[0]


@contextmanager
def heard(broker: Broker, key: Path, folder: Path, placement: str, streets: list[Street]) -> Iterator[None]:
    """Start the gateway of all streams; where it judges itself, from a state in which nothing was told yet."""
    if placement == "gateway":
        quiet = write_wav(folder / "quiet.wav", noise(2.0))
        (folder / "zone.key").symlink_to(key)
        before = Town(folder, *(file_stream(street.sensor_id, quiet) for street in streets))
        before.run(time.time() - 7200.0, 4.0)
    user = broker.file_of("sensor" if placement == "relay" else "gateway")
    rows = [f'placement = "{placement}"', f'kafka = "{user}"', f'key = "{key}"', f'state = "{folder / "state"}"']
    for street in streets:
        rows += ["[[streams]]", f"sensor = {street.sensor_id}", 'kind = "pipe"']
        rows += [f'path = "{street.pipe}"', f"rate = {RATE}"]
    (folder / "gateway.toml").write_text("\n".join(rows) + "\n", "utf-8")
    command = [sys.executable, "-P", "-m", "sourdine", "gateway", str(folder / "gateway.toml"), "--quiet"]
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


class Reader:
    """A client that is not ours, and when it had each event."""

    def __init__(self, broker: Broker, sensors: set[int]) -> None:
        self.read: list[tuple[float, bytes]] = []
        self._keys = {b"%d" % sensor for sensor in sensors}
        self._consumer = Consumer(broker.settings().for_librdkafka() | {"group.id": "watch", "log_level": 0})
        self._is_over = threading.Event()

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Read all that is told from now on."""
        partitions = range(layout().topics[EVENTS].partitions)
        self._consumer.assign([TopicPartition(EVENTS, number) for number in partitions])
        thread = threading.Thread(target=self._follow)
        thread.start()
        try:
            yield self
        finally:
            self._is_over.set()
            thread.join()
            self._consumer.close()

    def _follow(self) -> None:
        while not self._is_over.is_set():
            message = self._consumer.poll(0.2)
            if message is not None and message.error() is None and message.key() in self._keys:
                self.read.append((time.time(), message.value()))
