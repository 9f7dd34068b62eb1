"""What someone sees who watches a service, and not its records, is the same whatever is said in the street."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from prometheus_client import generate_latest
from tests.gateways import Player, Town, pipe_stream
from tests.live import Clock
from tests.sounds import noise

from sourdine.gateway.gateway import Gateway
from sourdine.gateway.shown import ShownGateway
from sourdine.operations.metrics import Hourly
from sourdine.operations.page import Pages, listen

HOUR = 1_777_903_200
SECONDS = 40.0


def scenes(speech: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make a calm street, and the same street in which people talk loudly all the time."""
    calm = noise(SECONDS - 2.0, level=0.01)
    files = sorted((speech / "many_speakers").glob("*.flac"))
    voices = np.concatenate([soundfile.read(file)[0] for file in files[:12]])
    return calm, np.clip(calm + np.resize(0.9 * voices / np.abs(voices).max(), len(calm)), -1.0, 1.0)


def watch(town: Town, player: Player) -> list[bytes]:
    """Let a gateway hear a scene, and read its pages, and what a broker sees of sealed blocks, all the time."""
    seen: list[bytes] = []

    def look(passed: float) -> None:
        assert town.gateway is not None
        seen.append(page_of(town.gateway, HOUR + passed))
        if town.settings.placement == "relay":
            sizes = [(sensor_id, len(sealed)) for _, sensor_id, sealed in town.gateway.sender._windows]
            seen.append(repr(sizes).encode())

    town.run(float(HOUR), SECONDS, player, each_look=look)
    return seen


def page_of(gateway: Gateway, seconds: float) -> bytes:
    """Read /metrics and /ready of a gateway, as they are without a connection."""
    shown = ShownGateway(gateway, lambda: False, lambda: seconds)
    with listen("0") as taken:
        pages = Pages(taken, shown, kind="gateway", service="gateway", version="1")
        return generate_latest(pages._registry) + str(shown.unready()).encode()


@pytest.mark.parametrize("placement", ["gateway", "cluster", "relay"])
def test_two_scenes_that_differ_in_speech_look_the_same_from_outside(
    placement: str, speech: Path, tmp_path: Path
) -> None:
    pages, logs, n_windows, sent = [], [], [], []
    for name, sound in zip(("calm", "talk"), scenes(speech), strict=True):
        (tmp_path / name).mkdir()
        stream = pipe_stream(17, tmp_path / name / "17.pcm")
        town = Town(tmp_path / name, stream, placement=placement)
        pages.append(watch(town, Player(stream, sound)))
        logs.append(town.notes.lines)
        n_windows.append(len(town.windows))
        sent += [file.read_bytes() for file in (tmp_path / name / "state").glob("sent.json")]
    assert len(pages[0]) > 100
    assert pages[0] == pages[1]
    assert logs[0] == logs[1] != []
    if placement == "cluster":
        assert n_windows[0] < n_windows[1], "what is not to be seen differs"
    if placement == "relay":
        assert sent[0] == sent[1]
        assert b'"offered": 37' in sent[0]


def test_the_last_page_of_an_hour_and_the_first_of_the_next_tell_of_ten_sensors_alone() -> None:
    """What is counted of nine sensors leaves no trace, however the pages are read."""
    clock = Clock(float(HOUR))
    silent, nine = Hourly(clock), Hourly(clock)
    for minute in range(180):
        for sensor in range(9):
            nine.count("sourdine_worker_taken_total", sensor, minute)
            nine.count("sourdine_worker_refused_total", sensor, label="wrong_key")
        clock.seconds += 60.0
        assert nine.samples() == silent.samples() == []
