"""`./run bench kafka`: everything that may go wrong in a datacentre, as often as asked, and what a foreign reader saw.

Two workers of each stage run under traffic while it happens. Each part prints one line. With options only the parts
that are named run, as often as they say; without, all of them.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benches import loads, onsets
from benches.cities import FIRST_SENSOR, Bench
from tests.kafka.chaos import mischief
from tests.kafka.chaos.history import latencies_s, too_late
from tests.kafka.chaos.proxy import Proxy
from tests.kafka.chaos.town import Chaos
from tests.kafka.city import CANDIDATES, WINDOWS
from tests.kafka.processes import wait_until


def result(name: str, town: Chaos, *figures: str) -> bool:
    """Print a part's line; say whether nothing went wrong."""
    faults = town.faults()
    history = town.history
    n_candidates, n_events = history.n_twice
    facts = [
        f"{len(faults)} faults",
        *figures,
        f"{len(history.expected)} events of {len(history.sent)} windows, as in the calm run"
        if not faults
        else f"{kinds_of(faults)} of {len(history.expected)} events and {len(history.sent)} windows; {faults[0]}",
        f"{n_events} events and {n_candidates} candidates came twice",
        f"{town.n_restarts()} workers ended by themselves",
    ]
    if late := too_late(history):
        facts.append(f"{len(late)} sensors left out, whose windows came to the broker too late to count")
    if faults:  # far behind, they lose what is deleted before they come to it: then the machine is at fault
        facts.append(f"at the end {town.lag('sourdine-classify', WINDOWS)} windows waited to be scored")
    print(f"{name}: {'; '.join(facts)}", flush=True)
    return not faults


def kinds_of(faults: list[str]) -> str:
    """Count faults of each kind: the words before the first number."""
    kinds = Counter(re.split(r"[0-9]", fault)[0].strip() or "contents" for fault in faults)
    return ", ".join(f"{n} × {kind}" for kind, n in kinds.items())


def spans(seconds: list[float], what: str) -> str:
    """Say how long things took."""
    return f"{what} {median(seconds):.1f} s (median), {max(seconds):.1f} s (longest)"


def repeated(bench: Bench, n: int, do: Callable[[Chaos], float], name: str, what: str, each_s: float) -> bool:
    """Do one thing so many times, at random distances."""
    with bench.town(n * each_s) as town:
        took = []
        for _ in range(n):
            time.sleep(town.chance.uniform(0.2, 2.0))
            took.append(do(town))
        return result(f"{name} × {n}", town, spans(took, what))


def kills(bench: Bench, n: int) -> bool:
    """Kill a random worker and start it again."""
    return repeated(bench, n, mischief.kill, "kill -9 and restart", "back after", 12.0)


def takeovers(bench: Bench, n: int) -> bool:
    """Kill a random worker and let another take over."""
    return repeated(bench, n, mischief.take_over, "kill -9 and takeover", "taken over after", 25.0)


def sigterms(bench: Bench, n: int) -> bool:
    """Tell a random worker to end."""
    return repeated(bench, n, mischief.tell_to_end, "SIGTERM under load", "ended after", 12.0)


def brokers(bench: Bench, n: int) -> bool:
    """Kill the broker."""
    return repeated(bench, n, mischief.kill_broker, "broker kill -9 and restart", "at work after", 40.0)


def unsent(bench: Bench, n: int) -> bool:
    """Take the right to send away under way."""
    return repeated(bench, n, lambda town: mischief.revoke(town, 3.0), "sends refused for 3 s", "at work after", 40.0)


def freezes(bench: Bench, n: int) -> bool:
    """Stop a gate for a minute."""
    return repeated(bench, n, lambda t: mischief.freeze(t, 60.0), "gate stopped for 60 s", "taken over after", 90.0)


def cuts(bench: Bench, n: int, longest_s: float = 120.0) -> bool:
    """Cut the network between the workers and the broker, silently or hard, for 1 s to `longest_s`."""
    with bench.town(n * (longest_s / math.log(longest_s) + 30.0), is_behind=True) as town:
        took, lengths = [], []
        for turn in range(n):
            lengths.append(longest_s ** town.chance.random())
            took.append(mischief.cut(town, bench.proxy, lengths[-1], is_hard=turn % 2 == 1))
            time.sleep(town.chance.uniform(0.5, 3.0))
        cut_s = f"cut off for {min(lengths):.0f} to {max(lengths):.0f} s"
        return result(f"network cut × {n}", town, cut_s, spans(took, "at work after"))


def storm(bench: Bench, for_s: float) -> bool:
    """Let workers come and go."""
    with bench.town(for_s) as town:
        with mischief.storm(town):
            time.sleep(for_s)
        n = sum(one.worker.endswith("-3") for one in town.history.happenings)
        return result(f"rebalance storm, {for_s:.0f} s", town, f"{n} comings and goings")


def slow(bench: Bench, for_s: float) -> bool:
    """Slow both classifiers down to a tenth."""
    with bench.town(for_s + 60) as town:
        workers = [town.workers["classify-1"], town.workers["classify-2"]]
        before = max(worker.rss_mb() for worker in workers)
        with mischief.slowed(workers[0]), mischief.slowed(workers[1]):
            time.sleep(for_s)
            lag, after = town.lag("sourdine-classify", WINDOWS), max(worker.rss_mb() for worker in workers)
        return result(f"classify at a tenth, {for_s:.0f} s", town, f"lag {lag}", f"RSS {before:.0f} to {after:.0f} MB")


def rogue(bench: Bench, for_s: float) -> bool:
    """Let one sensor send 1 000 malformed messages a second."""
    with bench.town(2 * for_s + 30) as town:
        time.sleep(for_s)
        n_calm = len(town.history.windows)
        mischief.send_rubbish(town, range(FIRST_SENSOR - 5, FIRST_SENSOR - 4), int(1000 * for_s), 1000.0)
        town.traffic.end()
        good = [seen for seen in town.history.windows if seen.place in town.history.sent]
        calm_until = good[min(n_calm, len(good)) - 1].appended_ms
        waits = [latencies_s(town.history, until) for until in ((0, calm_until), (calm_until, math.inf))]
        words = [f"{word} p50 {w[len(w) // 2]:.2f} p99 {w[len(w) * 99 // 100]:.2f} s"
                 for word, w in zip(("calm", "beside it"), waits, strict=True)]  # fmt: skip
        return result(f"a rogue with {1000 * for_s:.0f} malformed messages in {for_s:.0f} s", town, *words)


def malformed(bench: Bench, n: int) -> bool:
    """Send rubbish as fast as it goes, to both stages, and watch their memory."""
    with bench.town(n / 1500 + 60) as town:
        samples: list[tuple[int, dict[str, float]]] = []
        n_sent, step = 0, max(1, min(50_000, n // 10))

        def lag() -> int:
            return town.lag("sourdine-classify", WINDOWS) + town.lag("sourdine-gate", CANDIDATES)

        while n_sent < n:
            mischief.send_rubbish(town, range(FIRST_SENSOR - 24, FIRST_SENSOR - 12), step)
            n_sent += step
            wait_until(lambda: lag() < 5_000, "the workers keep up", 600.0)
            samples.append((n_sent, {name: worker.rss_mb() for name, worker in town.workers.items()}))
        half = len(samples) // 2  # what a process takes at first is not a slope
        first, last = samples[half], samples[-1]
        per_million = 1e6 / max(1, last[0] - first[0])
        words = [f"{name} {rss:.0f} MB ({(rss - first[1][name]) * per_million:+.1f} MB per 10⁶)"
                 for name, rss in sorted(last[1].items())]  # fmt: skip
        return result(f"{n} malformed messages", town, *words)


@dataclass(frozen=True)
class Part:
    """What can be asked for."""

    run: Callable[[Bench, int], bool]
    whole: int
    what: str
    least: int = 1


PARTS = {
    "kills": Part(kills, 100, "kill -9 of a random worker, and restart"),
    "takeovers": Part(takeovers, 10, "kill -9 without a restart"),
    "brokers": Part(brokers, 20, "kill -9 of the broker, and restart"),
    "storm": Part(storm, 300, "seconds of workers that come and go every 3 s"),
    "freezes": Part(freezes, 1, "SIGSTOP of a gate for 60 s"),
    "cuts": Part(cuts, 50, "network cuts of 1 to 120 s"),
    "sigterms": Part(sigterms, 50, "SIGTERM under load"),
    "unsent": Part(unsent, 10, "sends refused for 3 s"),
    "slow": Part(slow, 120, "seconds at a tenth of the speed"),
    "rogue": Part(rogue, 60, "seconds beside a rogue sensor"),
    "malformed": Part(malformed, 1_000_000, "malformed messages"),
    "load": Part(loads.load, 300, "seconds of `sourdine load`", least=30),
    "load-kills": Part(loads.load_amid_kills, 300, "seconds of the same, a worker killed every half minute", least=60),
    "relay": Part(loads.relay, 600, "seconds of `sourdine load` in placement relay", least=120),
    "onsets": Part(
        onsets.onsets, 300, "seconds of real-time sound in each placement, until events can be read", least=60
    ),
}


def done(name: str, part: Part, bench: Bench, n: int) -> bool:
    """Run a part; one that hangs is told of, and the next begins."""
    try:
        return part.run(bench, n)
    except AssertionError as fault:
        print(f"{name}: {fault}", flush=True)
        return False


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run bench kafka", description=__doc__)
    for name, part in PARTS.items():
        words = f"{part.what} (the whole: {part.whole})"
        parser.add_argument(f"--{name}", dest=name, metavar="N", type=int, help=words)
    words = "sensors of the loads (default: 1000, in placement relay 500)"
    parser.add_argument("--sensors", metavar="N", type=int, help=words)
    asked = vars(parser.parse_args())
    n_load_sensors = asked.pop("sensors")
    for name, part in PARTS.items():
        if 0 < (asked[name] or 0) < part.least:
            parser.error(f"--{name}: expected at least {part.least}, or it shows nothing")
    if all(n is None for n in asked.values()):
        asked = {name: part.whole for name, part in PARTS.items()}
    proxy = Proxy()
    with tempfile.TemporaryDirectory(prefix="sourdine-chaos-") as folder:
        bench = Bench(Path(folder), proxy, n_load_sensors)
        is_well = [done(name, PARTS[name], bench, n) for name, n in asked.items() if n]
    proxy.close()
    return 0 if all(is_well) else 1


if __name__ == "__main__":
    sys.exit(main())
