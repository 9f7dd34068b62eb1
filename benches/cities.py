"""A broker of its own for each part of a bench, and cities that stand before it."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dsp_core.zone import create_key
from tests.kafka.broker.server import Broker
from tests.kafka.chaos.proxy import Proxy
from tests.kafka.chaos.town import Chaos

from sourdine.agents.admin import Admin
from sourdine.agents.topics import apply
from sourdine.topics import layout

FIRST_SENSOR = 20_000
#: Sensors that hold nothing but what the traffic of a second needs, with some to spare.
SENSORS_PER_S = 2.5


class Bench:
    """A broker, and a new city for each part."""

    def __init__(self, folder: Path, proxy: Proxy, n_load_sensors: int | None) -> None:
        self.folder, self.proxy, self.n_load_sensors = folder, proxy, n_load_sensors
        self._first = FIRST_SENSOR
        self._n_parts = 0
        self.key = folder / "zone.key"
        create_key(self.key)

    @contextmanager
    def broker(self, *, is_behind: bool = False) -> Iterator[Broker]:
        """Start a broker with our topics and rights; behind the proxy, if a part cuts the network."""
        self._n_parts += 1
        made = Broker(self.folder / f"broker-{self._n_parts}", self.proxy.port if is_behind else 0)
        self.proxy.to_port = made.inner_port
        made.start()
        try:
            for principal in layout().principals:
                made.add_user(principal)
            assert apply(Admin(made.settings()), layout(), lambda one: None) == []
            yield made
        finally:
            made.stop()

    @contextmanager
    def town(self, for_s: float, *, is_behind: bool = False) -> Iterator[Chaos]:
        """Start workers and traffic for about so long."""
        n_sensors = 60 + 12 * math.ceil(for_s * SENSORS_PER_S / 12)
        sensors, self._first = range(self._first, self._first + n_sensors), self._first + n_sensors
        with self.broker(is_behind=is_behind) as broker:
            folder = Path(tempfile.mkdtemp(dir=self.folder))
            with Chaos(broker, folder, self.key, sensors, has_sink=True) as town:
                time.sleep(5.0)
                yield town
