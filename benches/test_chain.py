"""The whole chain as times real time on one core, and the time from the command to its first event.

Process time, not wall time: the machine is shared. Each figure is the best of a few runs of the same input.
"""

import resource
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from dsp_core.records import Event, Policy
from dsp_core.zone import AudioBlock, Classify, Source

from sourdine.flow import Flow
from sourdine.local.scene import SAMPLE_RATE, glass, rain, traffic
from sourdine.policy import load

MINUTES = 10
N_RUNS = 3


@pytest.fixture(scope="module")
def street_mix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of traffic and rain, in which glass breaks once a minute."""
    rng = np.random.default_rng(20)
    street = 0.02 * traffic(rng, 60.0 * MINUTES) + 0.006 * rain(rng, 60.0 * MINUTES)
    for minute in range(MINUTES):
        broken = glass(rng)
        first = int((60 * minute + 30) * SAMPLE_RATE)
        street[first : first + broken.size] += 0.3 * broken / np.abs(broken).max()
    path = tmp_path_factory.mktemp("chain") / "street-mix.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes((np.clip(street, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def hear(path: Path, policy: Policy, classify: Classify) -> int:
    """Hear a file through the chain; return how many events were released."""
    source = Source.open(path, sensor_id=1)
    flow = Flow(sensor_id=1, sample_rate=source.sample_rate, start_slot=0, policy=policy, classify=classify)
    n_events = 0
    while True:
        block: AudioBlock | None = source.read(source.sample_rate // 2)
        records = flow.finish() if block is None else flow.push(block)
        n_events += sum(isinstance(record, Event) for record in records)
        if block is None:
            return n_events


def best_s(work: Callable[[], object]) -> float:
    """Return the least CPU time of a few runs."""
    seconds = []
    for _ in range(N_RUNS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)


def every_window(policy: Policy) -> Policy:
    """Return the policy with its dial open: every window is classified."""
    levels = [{"metric": metric, "period_s": period_s} for metric, period_s in policy.levels]
    names = ("name", "sound_classes", "full_band_classes", "voice_classes", "alert_classes", "max_per_minute")
    more = ("max_per_hour", "reserved_per_minute", "reserved_per_hour", "merge_gap_s", "repeat_s", "speech_band_hz")
    fields = {name: getattr(policy, name) for name in (*names, *more, "max_bit_per_s")}
    return Policy(**fields, levels=levels, health={"period_s": policy.health_period_s}, alarms_per_day=float("inf"))


@pytest.mark.parametrize(("is_every_window", "least"), [(False, 1000), (True, 50)])
def test_times_real_time(street_mix: Path, is_every_window: bool, least: float) -> None:
    """Ten minutes of street, with one alarm a minute and with every window classified."""
    policy = load("street", today=date(2026, 1, 1)).core
    policy = every_window(policy) if is_every_window else policy
    classify = Classify(policy=policy)
    ratio = 60.0 * MINUTES / best_s(lambda: hear(street_mix, policy, classify))
    n_events = hear(street_mix, policy, classify)
    what = "every window classified" if is_every_window else "one alarm a minute"
    print(f"\nwhole chain, {what}: {ratio:,.0f} x real time on one core, {n_events} events")
    assert n_events > 0
    assert ratio >= least


def test_start_to_first_event(tmp_path: Path, street_mix: Path) -> None:
    """From the command to an event on disk, in CPU seconds of the whole process, imports and model included."""
    cut = tmp_path / "cut.wav"
    with wave.open(str(street_mix)) as long, wave.open(str(cut), "wb") as short:
        short.setparams(long.getparams())
        short.writeframes(long.readframes(40 * SAMPLE_RATE))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-P", "-m", "sourdine", "run", str(cut), "--out", str(tmp_path / "out")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(f"\nstart to first event, the whole run of 40 s of sound included: {seconds:.2f} s")
    assert (tmp_path / "out" / "events.jsonl").read_bytes().count(b"\n") >= 1
    assert seconds <= 2.0
