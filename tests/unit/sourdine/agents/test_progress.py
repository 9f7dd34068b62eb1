"""Lag without progress is seen, lag with progress and silence are none; and so are two workers of one name."""

from __future__ import annotations

from types import SimpleNamespace

from sourdine.agents.assignments import Assignments
from sourdine.agents.progress import Progress
from sourdine.operations.metrics import Sample


class Watched:
    """A worker's progress under a clock that the test holds, looked at every 5 s."""

    def __init__(self) -> None:
        self.now, self.n_stalls, self.offset = 0.0, 0, 0
        self.progress = Progress(lambda: self.now, self._stalled)

    def _stalled(self) -> None:
        self.n_stalls += 1

    def take(self, n: int) -> None:
        for _ in range(n):
            self.progress.took(SimpleNamespace(partition=3, offset=self.offset), None, 0, 0.0)
            self.offset += 1

    def look(self, end: int) -> None:
        self.now += 5.0
        self.progress.look({3: 0, 4: 7}, {3: end, 4: 7})

    @property
    def lag_s(self) -> float:
        (lag,) = [one.value for one in self.progress.samples() if one.name == "sourdine_worker_lag_seconds"]
        return lag


def test_messages_that_nobody_takes_end_the_worker_after_15_s() -> None:
    watched = Watched()
    watched.look(0)
    watched.look(10)
    watched.look(10)
    assert watched.n_stalls == 0
    watched.look(11)
    assert watched.n_stalls == 1


def test_a_worker_that_reads_states_is_not_stalled() -> None:
    watched = Watched()
    watched.progress.is_waiting = lambda: True
    for _ in range(20):
        watched.look(10)
    assert watched.n_stalls == 0


def test_a_worker_that_takes_one_in_five_seconds_goes_on() -> None:
    watched = Watched()
    for _ in range(100):
        watched.take(1)
        watched.look(1_000)
    assert watched.n_stalls == 0
    assert watched.lag_s > 0


def test_silence_is_no_stall_and_no_lag() -> None:
    watched = Watched()
    for n in range(20):
        watched.take(5)
        watched.look(5 * n + 5)
    for _ in range(100):
        watched.look(100)
    assert (watched.n_stalls, watched.lag_s) == (0, 0)


def test_lag_is_the_age_of_the_oldest_that_waits() -> None:
    watched = Watched()
    watched.look(0)
    for turn in range(12):
        watched.look(100 + turn)
        watched.take(1)
    assert watched.lag_s == 45, "in steps of 15 s"
    watched.take(100)
    watched.look(112)
    assert watched.lag_s == 0


def test_reasons_are_shown_for_an_hour() -> None:
    watched = Watched()
    for number in range(1_000):
        watched.progress.refused(number, f"invented_{number}")
    shown = [one for one in watched.progress.samples() if one.name == "sourdine_worker_refuses"]
    assert len(shown) == 32
    assert {one.value for one in shown} == {1.0}
    watched.now += 3601
    assert Sample("sourdine_worker_refuses", 0.0, ("invented_1",)) in watched.progress.samples()


class Fights:
    """Assignments as they come to a worker."""

    def __init__(self) -> None:
        self.now, self.is_over = 0.0, False
        self.assignments = Assignments("one", lambda: self.now, self._fights)

    def _fights(self) -> None:
        self.is_over = True

    def n_until_over(self, every_s: float, generation_step: int) -> int:
        for number in range(1, 100):
            self.now += every_s
            self.assignments.came(12, 5 + generation_step * number)
            if self.is_over:
                return number
        return 0


def test_a_newcomer_gives_in_before_the_one_that_was_there() -> None:
    newcomer, resident = Fights(), Fights()
    resident.assignments.came(12, 5)
    resident.now += 31.0
    assert 7 <= newcomer.n_until_over(2.0, 0) < resident.n_until_over(2.0, 0)


def test_rebalances_are_no_fight_however_many() -> None:
    assert Fights().n_until_over(3.0, 1) == 0


def test_rare_assignments_are_no_fight() -> None:
    assert Fights().n_until_over(11.0, 0) == 0


def test_a_worker_that_sends_what_came_of_one_message_goes_on() -> None:
    watched, n_delivered = Watched(), iter(range(100))
    watched.progress.n_delivered = lambda: next(n_delivered)
    for _ in range(100):
        watched.look(10)
    assert watched.n_stalls == 0
