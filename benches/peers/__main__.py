"""Ours beside its peers in one run of one process: agreement first, then speed, a table and a picture.

``./run bench peers [FOLDER]`` installs the peers into an environment of their own and writes ``table.md`` and
``peers.svg`` into the folder (default ``dist/peers``). Calls take turns, each is timed by the processor time of the
whole process, and the least of many counts: what a core does when nothing disturbs it. Ends with 1 where a ratio that
is wanted is not met.
"""

from __future__ import annotations

import platform
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from benches.peers.definitions import Float32Array, Setting
from benches.peers.front_ends import FRONT_ENDS, FrontEnd, LogMel
from benches.peers.picture import draw
from dsp_core.zone import simd_path

N_ROUNDS, N_CALLS = 20, 3
DURATION_S = 10
N_SENSORS, TICK_S = 50, 0.1
#: Both sides in float32, bands within 40 dB of the frame's strongest.
MAX_DIFFERENCE_DB = 0.01


@dataclass(frozen=True)
class Row:
    """One comparison: what is computed, and the ratios and the speed that are wanted."""

    name: str
    setting: Setting
    wanted: dict[str, float] = field(default_factory=dict)
    wanted_speed: float | None = None
    is_tick: bool = False
    is_one_call: bool = False

    def sounds(self) -> Float32Array:
        """Make noise: one array, or a block of each sensor with what its stream kept of the one before."""
        n_rows = N_SENSORS if self.is_tick else 1
        kept = self.setting.win_length - self.setting.hop
        n = round(TICK_S * self.setting.sample_rate) + kept if self.is_tick else DURATION_S * self.setting.sample_rate
        return np.random.default_rng(1).normal(0, 0.1, (n_rows, n)).astype(np.float32)

    def seconds(self) -> float:
        """Seconds of sound in one call."""
        return N_SENSORS * TICK_S if self.is_tick else DURATION_S


SHORT = Setting(16_000, 512, 400, 160, fmax=7_500.0)
LONG = Setting(16_000, 1_024, 1_024, 512, fmax=7_500.0)
HIGH = Setting(48_000, 2_048, 2_048, 1_024, fmax=20_000.0)
FASTEST = "the fastest peer"
ROWS = (
    Row("400/160 → 512, 16 kHz", SHORT, {"librosa": 8.0, FASTEST: 1.6}, 25_000.0),
    Row("1024/512, 16 kHz", LONG, {FASTEST: 2.0}, 40_000.0),
    Row("2048/1024, 48 kHz", HIGH),
    Row("50 sensors × 100 ms, a call each", SHORT, is_tick=True),
    Row("50 sensors × 100 ms, one call", SHORT, is_tick=True, is_one_call=True),
)


def one_by_one(log_mel: LogMel, rows: Float32Array) -> None:
    """Call it for each sensor's block."""
    for row in rows:
        log_mel(row)


def least_s(row: Row, functions: dict[str, LogMel]) -> dict[str, float]:
    """Return the least seconds of one call of each. A turn is some calls: the first finds caches that others filled."""
    sounds = row.sounds()
    least = dict.fromkeys(functions, float("inf"))
    for _ in range(N_ROUNDS):
        for name, log_mel in functions.items():
            for _ in range(N_CALLS):
                began = time.process_time()
                log_mel(sounds) if row.is_one_call else one_by_one(log_mel, sounds)
                least[name] = min(least[name], time.process_time() - began)
    return least


def check_agreement(one: FrontEnd, row: Row, log_mel: LogMel) -> float:
    """Return by how many dB it misses its own definition in float64; too much stops the run."""
    y = row.sounds()[0, : 3 * row.setting.sample_rate]
    worst = one.define(row.setting).worst_db(log_mel(y), y, row.setting)
    if not worst <= MAX_DIFFERENCE_DB:
        sys.exit(f"{one.name}, {row.name}: {worst:.3g} dB from its definition: it is no fair peer")
    return worst


def unmet(row: Row, least: dict[str, float]) -> list[str]:
    """Say in plain words which wanted figures are met, and return those ratios that are not."""
    peers = {name: seconds for name, seconds in least.items() if name != "dsp_core"}
    failures = []
    for against, wanted in row.wanted.items():
        name = min(peers, key=peers.__getitem__) if against == FASTEST else against
        if name not in peers:
            print(f"{row.name}: {name} is absent: the ratio that is wanted was not measured")
            continue
        ratio = peers[name] / least["dsp_core"]
        line = f"{row.name}: {ratio:.2f} × {against}{f' ({name})' if against == FASTEST else ''}, wanted {wanted}"
        print(line, "met" if ratio >= wanted else "NOT MET", sep=": ")
        failures += [line] if ratio < wanted else []
    if row.wanted_speed is not None:
        speed = row.seconds() / least["dsp_core"]
        is_met = "met" if speed >= row.wanted_speed else "not met in this run"
        print(f"{row.name}: {speed:,.0f} × real time, wanted {row.wanted_speed:,.0f} when quiet: {is_met}")
    return failures


def cell(row: Row, name: str, least: dict[str, float]) -> str:
    """Write one result: times real time or milliseconds, and how many times as long as ours."""
    if name not in least:
        return "–"
    figure = f"{1e3 * least[name]:.2f} ms" if row.is_tick else f"{row.seconds() / least[name]:,.0f} ×".replace(",", " ")
    return figure if name == "dsp_core" else f"{figure} ({least[name] / least['dsp_core']:.1f})"


def table(
    results: dict[str, dict[str, float]], agreement: dict[str, float], absent: dict[str, str], versions: dict[str, str]
) -> str:
    """Write the table."""
    lines = [
        "| | " + " | ".join(row.name for row in ROWS) + " | off its definition | differs from ours by |",
        "| --- |" + " --- |" * (len(ROWS) + 2),
    ]
    for one in FRONT_ENDS:
        if one.name in absent:
            lines.append(f"| {one.name} | " + "absent | " * (len(ROWS) + 1) + f"{absent[one.name]} |")
            continue
        cells = [cell(row, one.name, results[row.name]) for row in ROWS]
        name = f"{one.name} {versions[one.name]}"
        lines.append(f"| {name} | {' | '.join(cells)} | {agreement[one.name]:.0e} dB | {one.differences} |")
    return "\n".join(lines) + "\n"


def main(folder: Path) -> int:
    """Run all rows; return how many ratios are not met."""
    absent = {one.name: reason for one in FRONT_ENDS if (reason := one.absence()) is not None}
    present = [one for one in FRONT_ENDS if one.name not in absent]
    results: dict[str, dict[str, float]] = {}
    agreement: dict[str, float] = {}
    print(f"{platform.machine()}, Python {platform.python_version()}, dsp_core by {simd_path()}, one thread each")
    for name, reason in absent.items():
        print(f"{name} is absent: {reason}")
    failures = []
    for row in ROWS:
        made = {one: one.make(row.setting) for one in present}
        asked = {one: log_mel for one, log_mel in made.items() if one.takes_rows or not row.is_one_call}
        functions = {one.name: log_mel for one, log_mel in asked.items() if log_mel is not None}
        for one in present:
            if one.name in functions:
                worst = check_agreement(one, row, functions[one.name])
                agreement[one.name] = max(worst, agreement.get(one.name, 0.0))
        results[row.name] = least_s(row, functions)
        failures += unmet(row, results[row.name])
    text = table(results, agreement, absent, {one.name: one.version() for one in present})
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(text, "utf-8")
    speeds = {row.name: {n: row.seconds() / s for n, s in results[row.name].items()} for row in ROWS}
    draw(speeds, folder / "peers.svg")
    print(text)
    return len(failures)


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist/peers")) else 0)
