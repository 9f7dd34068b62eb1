"""A sensor that only seals, by a clock that the test holds: whole blocks in memory alone, boots that grow, counts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dsp_core.records import Event
from dsp_core.zone import Sealer, sealed_header
from tests.chain import blocks_of, classifier, street
from tests.gateways import PCM, Player, Town, file_stream, pipe_stream
from tests.relay import values
from tests.sounds import RATE, eventful, noise, pcm16, write_wav

from sourdine.cut import Message
from sourdine.flow import Flow
from sourdine.gateway.relay import BlockSender, block_s_of, encoding_of
from sourdine.hearings import Hearings
from sourdine.outgoing.cloudevents import encode

#: Some whole minute.
START = 29_631_667 * 60


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, bytes]]:
    """Watch what is given to the sender."""
    taken: list[tuple[int, bytes]] = []
    take = BlockSender.take_block

    def spy(sender: BlockSender, sensor_id: int, sealed: bytes) -> None:
        taken.append((sensor_id, sealed))
        take(sender, sensor_id, sealed)

    monkeypatch.setattr(BlockSender, "take_block", spy)
    return taken


def sent(town: Town) -> dict[str, dict[str, int]]:
    """Read the counts."""
    found: dict[str, dict[str, int]] = json.loads((town.settings.state / "sent.json").read_bytes())
    return found


def test_its_blocks_give_the_levels_of_one_process(tmp_path: Path, blocks: list[tuple[int, bytes]]) -> None:
    sound = np.concatenate([eventful(30.0), noise(40.0)])
    town = Town(tmp_path, file_stream(17, write_wav(tmp_path / "street.wav", sound)), placement="relay")
    town.run(START - 0.6, 80.0)
    headers = [sealed_header(sealed) for _, sealed in blocks]
    assert {header.boot_ns for header in headers} == {START * 10**9}
    assert [header.sequence for header in headers] == list(range(70))
    assert len({len(sealed) for _, sealed in blocks}) == 1, "all of one size"
    hearings = Hearings(Sealer(tmp_path / "zone.key"), street().core, lambda sensor_id: None)
    outputs: list[Any] = []
    for n, (sensor_id, sealed) in enumerate(blocks):
        outputs += hearings.push(Message(sensor_id, sealed, 1000 * (START + n + 1) + 200, n))
    flow = Flow(sensor_id=17, sample_rate=RATE, start_slot=START, policy=street().core, classify=classifier())
    records = [record for block in blocks_of(sound, sensor_id=17) for record in flow.push(block)]
    expected = [encode(record) for record in records if not isinstance(record, Event)]
    assert [value for value in values(outputs) if value.startswith(b"{")] == expected
    assert len(expected) == 2
    assert town.waiting() == [], "no record comes of it here"


def test_over_an_outage_whole_blocks_are_dropped_and_nothing_is_on_the_disk(
    tmp_path: Path, blocks: list[tuple[int, bytes]]
) -> None:
    sound = noise(20.0)
    town = Town(tmp_path, file_stream(17, write_wav(tmp_path / "x.wav", sound)), placement="relay")
    town.settings = replace(town.settings, max_blocks=5)
    town.run(START + 0.5, 16.0)
    assert sent(town) == {"17": {"offered": len(blocks), "sent": 0, "dropped": len(blocks)}}
    town.run(START + 30.5, 8.0)
    assert sent(town)["17"]["offered"] == len(blocks) > 20
    pcm = pcm16(sound)
    on_disk = [file.read_bytes() for file in town.settings.state.rglob("*") if file.is_file()]
    assert on_disk
    for n, (_, sealed) in enumerate(blocks[:10]):
        for piece in (sealed[100:140], pcm[32_000 * n + 100 :][:40]):
            assert not any(piece in text for text in on_disk)


def test_boots_grow_over_restarts_and_pauses(tmp_path: Path, blocks: list[tuple[int, bytes]]) -> None:
    stream = pipe_stream(17, tmp_path / "17.pcm")
    town = Town(tmp_path, stream, placement="relay")
    town.run(START + 0.5, 30.0, Player(stream, noise(8.0)), Player(stream, noise(6.3), start=20.0))
    town.run(START - 1000.5, 6.0, Player(stream, noise(5.0)), is_crash=True)  # a clock that was put back
    town.run(START + 60.5, 6.0, Player(stream, noise(5.0)))
    places = [(header.boot_ns, header.sequence) for header in (sealed_header(sealed) for _, sealed in blocks)]
    assert places == sorted(set(places))
    boots = sorted({boot // 10**9 - START for boot, _ in places})
    assert len(boots) >= 3
    assert boots[0] == 1
    assert boots[-1] > 60
    for boot in boots:
        sequences = [sequence for at, sequence in places if at == (boot + START) * 10**9]
        assert sequences == list(range(len(sequences)))


@pytest.mark.parametrize(
    ("changed", "channel", "block_s", "encoding"),
    [
        ({}, "1", 1.0, "s16le"),
        ({"sample_rate": 48_000}, "1", 0.25, "s16le"),
        ({"encoding": "s24le"}, "1", 0.25, "s24le"),
        ({"n_channels": 2, "sample_rate": 8_000}, "mix", 1.0, "f32le"),
    ],
)
def test_blocks_are_as_their_stream_is(changed: dict[str, Any], channel: str, block_s: float, encoding: str) -> None:
    pcm = replace(PCM, **changed)
    assert (block_s_of(pcm), encoding_of(pcm, channel)) == (block_s, encoding)
