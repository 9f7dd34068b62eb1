"""What is refused counts for no sensor in what is shown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from dsp_core.zone import Sealer, create_key

from sourdine.agents.progress import Progress
from sourdine.agents.rejects import Rejects
from sourdine.cut import Message


class Noted(Progress):
    """Keeps the sensors that counted."""

    def __init__(self) -> None:
        super().__init__()
        self.sensors: list[int | None] = []

    def took(self, came: Any, message: Message | None, n_given: int, seconds: float) -> None:
        self.sensors.append(None if message is None else message.sensor_id)


def test_invented_numbers_do_not_make_up_the_ten(tmp_path: Path) -> None:
    create_key(tmp_path / "zone.key")
    sealer, noted, outbox = Sealer(tmp_path / "zone.key"), Noted(), SimpleNamespace()

    def push(message: Message) -> list[bytes]:
        if message.sensor_id == 17:
            return [b"candidate"]
        sealer.open_window(message.sealed, sensor_id=message.sensor_id, received_ms=0)
        raise AssertionError("rubbish does not open")

    rejects = Rejects(outbox, "classify", noted)  # type: ignore[arg-type]
    for sensor_id in (17, 901, 902):
        came = SimpleNamespace(partition=0, offset=sensor_id, timestamp=0.0)
        rejects.guard(push, Message(sensor_id, b"rubbish", 0, sensor_id), came)
    assert noted.sensors == [17, None, None]
