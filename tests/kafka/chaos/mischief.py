"""What is done to a city: each fault is a function that returns when it is over, and gives its figure in seconds."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tests.kafka.chaos.proxy import Proxy
from tests.kafka.chaos.town import Chaos
from tests.kafka.city import CANDIDATES, EVENTS, WINDOWS
from tests.kafka.processes import Worker, wait_until

from sourdine.agents.admin import Admin
from sourdine.agents.difference import Grant, Revoke, Rule
from sourdine.topics import layout

#: How long a worker runs and rests in turn, to work at a tenth of its speed.
_RUN_S: Final = 0.02
_REST_S: Final = 0.18


def kill(town: Chaos) -> float:
    """Kill a worker and start it again at once; until everything it had is worked on."""
    worker = any_worker(town)
    killed = town.kill(worker)
    town.start_again(worker)
    return town.wait_until_back(killed)


def take_over(town: Chaos) -> float:
    """Kill a worker, and let another take over what it had; until it is worked on. Then start the lost one again."""
    worker = any_worker(town)
    killed = town.kill(worker)
    took_s = town.wait_until_back(killed)
    town.start_again(worker)
    wait_for_shares(town, worker)
    return took_s


def tell_to_end(town: Chaos) -> float:
    """Tell a worker to end and start it again; until it has ended."""
    worker = any_worker(town)
    begin = time.monotonic()
    told = town.kill(worker, signal.SIGTERM)
    took_s = time.monotonic() - begin
    town.start_again(worker)
    town.wait_until_back(told)
    return took_s


def kill_broker(town: Chaos) -> float:
    """Kill the broker and start it again; until both stages are at work."""
    town.broker.kill()
    begin = time.monotonic()
    town.broker.start()
    wait_for_progress(town)
    return time.monotonic() - begin


def freeze(town: Chaos, for_s: float) -> float:
    """Stop a gate as a machine does that hangs, until another has taken over and longer; then let it go on."""
    frozen, other = town.workers["gate-1"], town.workers["gate-2"]
    if town.chance.random() < 0.5:
        frozen, other = other, frozen
    begin = time.monotonic()
    frozen.freeze()
    wait_until(lambda: len(town.shares("gate").get(other.instance, ())) == 12, "another gate has taken over")
    took_s = time.monotonic() - begin
    time.sleep(max(0.0, for_s - took_s))
    frozen.thaw()
    wait_for_shares(town, frozen)
    return took_s


def cut(town: Chaos, proxy: Proxy, for_s: float, *, is_hard: bool) -> float:
    """Cut all workers off; until both stages are at work again."""
    proxy.cut(is_hard=is_hard)
    time.sleep(for_s)
    proxy.mend()
    begin = time.monotonic()
    wait_for_progress(town)
    return time.monotonic() - begin


def revoke(town: Chaos, for_s: float) -> float:
    """Take a stage's right to send its output away, and give it back; until both stages are at work again."""
    stage, topic = town.chance.choice([("classify", CANDIDATES), ("gate", EVENTS)])
    rights = [one for one in layout().rights if (one.principal, one.name, one.operation) == (stage, topic, "write")]
    admin = Admin(town.broker.settings())
    for right in rights:
        admin.make(Revoke(Rule(right)))
    time.sleep(for_s)
    for right in rights:
        admin.make(Grant(Rule(right)))
    begin = time.monotonic()
    wait_for_progress(town)
    return time.monotonic() - begin


@contextmanager
def storm(town: Chaos, pause_s: float = 3.0) -> Iterator[None]:
    """Let a third worker of each stage come and go, one of them every few seconds."""
    is_over = threading.Event()

    def blow() -> None:
        names = [("classify", "3"), ("gate", "3")]
        turn = 0
        while not is_over.wait(pause_s):
            stage, number = names[turn % 2]
            worker = town.workers.get(f"{stage}-{number}")
            if worker is None or turn % 4 < 2:
                town.start(stage, number)
                town.note(town.workers[f"{stage}-{number}"], "started")
            else:
                town.kill(worker, signal.SIGTERM if town.chance.random() < 0.5 else signal.SIGKILL)
            turn += 1

    thread = threading.Thread(target=blow)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


@contextmanager
def slowed(worker: Worker) -> Iterator[None]:
    """Let a worker work at a tenth of its speed."""
    is_over = threading.Event()

    def hold_back() -> None:
        while not is_over.is_set():
            worker.freeze()
            time.sleep(_REST_S)
            worker.thaw()
            time.sleep(_RUN_S)

    thread = threading.Thread(target=hold_back)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def send_rubbish(town: Chaos, sensors: range, n: int, per_s: float = float("inf")) -> None:
    """Send messages that are cut short, noise, or nothing, evenly or as fast as the broker takes them."""
    begin = time.monotonic()
    header = os.urandom(34)
    for one in range(n):
        value = (header[: one % 34], header + os.urandom(66), os.urandom(120), b"")[one % 4]
        town.send((WINDOWS, CANDIDATES)[one // 4 % 2], sensors[one % len(sensors)], value)
        if one % 100 == 99:
            town.make_room()
            time.sleep(max(0.0, begin + one / per_s - time.monotonic()))
    town.flush()


def any_worker(town: Chaos) -> Worker:
    """Choose a worker."""
    return town.workers[town.chance.choice(sorted(town.workers))]


def wait_for_shares(town: Chaos, worker: Worker) -> None:
    """Wait until a worker has its share again."""
    stage = worker.instance.split("-")[0]
    wait_until(lambda: worker.instance in town.shares(stage), f"{worker.instance} has its share", 120.0)


def wait_for_progress(town: Chaos) -> None:
    """Wait until every partition brings candidates and events that are new."""
    history = town.history
    n_candidates, n_events = len(history.candidates), len(history.events)

    def is_at_work() -> bool:
        candidates = {seen.partition for seen in history.candidates[n_candidates:]}
        return len(candidates) == 12 and len({seen.partition for seen in history.events[n_events:]}) >= 8

    wait_until(is_at_work, "both stages are at work", 240.0)
