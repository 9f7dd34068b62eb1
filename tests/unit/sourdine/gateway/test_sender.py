"""Every block that a sensor offers is counted as sent or as dropped, also one whose fate the broker never told."""

from __future__ import annotations

import asyncio
import json
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.gateways import NOWHERE
from tests.live import Notes

import sourdine.gateway.sender
from sourdine.errors import ConfigError
from sourdine.gateway.relay import BlockSender
from sourdine.gateway.store import Store


class Producer:
    """Takes three messages, of which it delivers the first; then it waits for ever."""

    n_taken = 0

    def __init__(self, **_: Any) -> None:
        self.client = self
        Producer.n_taken = 0

    async def start(self) -> None:
        """Connect at once."""

    async def send(self, topic: str, value: bytes, key: bytes) -> asyncio.Future[None]:
        """Take it, or wait for room."""
        if Producer.n_taken == 3:
            await asyncio.sleep(3600)
        Producer.n_taken += 1
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if Producer.n_taken == 1:
            future.set_result(None)
        return future

    async def stop(self) -> None:
        """Have nothing to say of what is on its way."""

    async def close(self) -> None:
        """Disconnect."""


def test_blocks_on_the_wire_when_the_producer_closes_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sourdine.gateway.sender, "AIOKafkaProducer", Producer)

    async def main(store: Store) -> BlockSender:
        sender = BlockSender(NOWHERE, store, Notes(), max_blocks=100, folder=tmp_path)
        sending = asyncio.create_task(sender.run())
        for n in range(6):
            sender.take_block(17 + n % 2, b"sealed")
        while Producer.n_taken < 3:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.01)
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending
        sender.write_counts()
        return sender

    with closing(Store(tmp_path)) as store:
        sender = asyncio.run(main(store))
    assert sender.n_windows_lost == 5
    assert json.loads((tmp_path / "sent.json").read_bytes()) == {
        "17": {"offered": 3, "sent": 1, "dropped": 2},
        "18": {"offered": 3, "sent": 0, "dropped": 3},
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"x": {"offered": 1, "sent": 1, "dropped": 0}}',
        '{"17": null}',
        '{"17": {"offered": null, "sent": 1, "dropped": 0}}',
        '{"17": {"offered": 1, "sent": "1", "dropped": 0}}',
        '{"17": {"offered": 1, "sent": -1, "dropped": 0}}',
        '{"17": {"offered": 1, "sent": true, "dropped": 0}}',
        '{"17": {"offered": 1, "sent": 1}}',
        '{"17": {"offered": 1, "sent": 1, "dropped": 0, "more": 1}}',
    ],
)
def test_counts_that_do_not_hold_cost_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "sent.json").write_text(text)
    with closing(Store(tmp_path)) as store, pytest.raises(ConfigError, match="expected counts of blocks"):
        BlockSender(NOWHERE, store, Notes(), max_blocks=100, folder=tmp_path)
