"""How many instructions the core's kernels take, held against the counts that are stored: what a timed test cannot say.

``./run counts`` counts each piece of ``core/counts.rs`` on the baseline and the AVX2 path by callgrind (valgrind knows
no AVX-512) and ends with 1 where one takes more than 3 % above its stored count; then, where the CPU has AVX-512, asks
that this path be faster than AVX2 in the same run. ``./run counts --accept`` stores what was counted. Counts belong to
a compiler: for one without stored counts nothing is compared, which SOURDINE_REQUIRE=all makes a failure.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

STORED = Path(__file__).parent / "core" / "counts.json"
#: Widest last. Counted under valgrind, which tells the program of no AVX-512.
PATHS = ("baseline", "avx2")
MAX_RISE = 0.03
MIN_WIDE_RATIO = 1.1
#: A machine that others use may spoil a ratio; it cannot make a slow path fast.
N_TRIES = 5

#: By path and piece.
Counts: TypeAlias = dict[str, dict[str, int]]


def compiler() -> str:
    """Name what compiles, as counts are stored for it."""
    said = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    fields = dict(line.split(": ", 1) for line in said.splitlines()[1:])
    return f"{said.splitlines()[0]}, LLVM {fields['LLVM version']}, {fields['host']}"


def build() -> Path:
    """Compile the pieces and return the program.

    With fat link-time optimisation, as the wheel, whatever the settings of the machine: without it, or with the thin
    one, some kernels differ by up to a third.
    """
    command = ["cargo", "bench", "--quiet", "--locked", "-p", "dsp-core", "--bench", "counts", "--no-run"]
    env = {**os.environ, "CARGO_PROFILE_BENCH_LTO": "fat"}
    done = subprocess.run(
        [*command, "--message-format", "json"], check=True, stdout=subprocess.PIPE, text=True, env=env
    )
    built = (json.loads(line) for line in done.stdout.splitlines())
    programs = [one["executable"] for one in built if one.get("executable")]
    return Path(programs[-1])


def own_instructions(lines: Iterable[str], program: str) -> int:
    """Sum the instructions of the program's own functions in a callgrind file; libc's depend on the CPU.

    A line of costs belongs to the object named last by ``ob=``; after ``calls=`` comes the cost of what was called.
    """
    names: dict[str, str] = {}
    total, is_own, is_called = 0, False, False
    for line in lines:
        if found := re.match(r"ob=\((\d+)\)(?: (.*))?", line):
            name = names.setdefault(found[1], (found[2] or "").strip())
            is_own = Path(name).name == program
        elif found := re.match(r"cob=\((\d+)\) (.*)", line):
            names[found[1]] = found[2].strip()
        elif line.startswith("calls="):
            is_called = True
        elif re.match(r"[\d+*-]", line):
            total += int(line.split()[1]) if is_own and not is_called else 0
            is_called = False
    return total


def count(program: Path, path: str, piece: str) -> int:
    """Count one piece on one path."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--toggle-collect=counts::counted*"]
        done = subprocess.run(
            [*valgrind, str(program), path, piece], capture_output=True, check=False, text=True, cwd=folder
        )
        if done.returncode != 0:
            raise SystemExit(f"counts: {piece} by {path} under valgrind: {done.stderr.strip().splitlines()[-1]}")
        n = own_instructions(out.read_text("utf-8").splitlines(), program.name)
    if n == 0:
        raise SystemExit(f"counts: {piece} by {path}: nothing was counted")
    return n


def count_all(program: Path) -> Counts:
    """Count every piece on every path, two at a time."""
    pieces = subprocess.run([program, "pieces"], check=True, capture_output=True, text=True).stdout.splitlines()
    wanted = [(path, piece) for path in PATHS for piece in pieces]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda one: count(program, *one), wanted))
    return {path: {p: n for (of, p), n in zip(wanted, found, strict=True) if of == path} for path in PATHS}


def rises(stored: Counts, found: Counts) -> list[str]:
    """Say which pieces take more than they may, one line each; a piece that only one side knows is told too."""
    lines = []
    for path, pieces in found.items():
        before = stored.get(path, {})
        for piece in sorted({*before, *pieces}):
            if piece not in before or piece not in pieces:
                lines.append(f"{piece} by {path}: {'not stored' if piece in pieces else 'stored, but not counted'}")
            elif pieces[piece] > (1 + MAX_RISE) * before[piece]:
                rise = pieces[piece] / before[piece] - 1
                lines.append(f"{piece} by {path}: {before[piece]} instructions rose to {pieces[piece]}, {rise:+.1%}")
    return lines


def accept(name: str, found: Counts) -> None:
    """Store what was counted, beside what other compilers' are."""
    stored = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
    stored[name] = found
    STORED.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", "utf-8")
    print(f"counts: stored for {name} in {STORED.name}")


def check(name: str, found: Counts) -> bool:
    """Compare with what is stored, and say what came of it."""
    stored = json.loads(STORED.read_text("utf-8")) if STORED.exists() else {}
    if name not in stored:
        is_required = os.environ.get("SOURDINE_REQUIRE") == "all"
        print(f"counts: {'failed' if is_required else 'skipped'}: none stored for {name}: ./run counts --accept")
        return not is_required
    lines = rises(stored[name], found)
    for line in lines:
        print(f"counts: {line}; if that is meant: ./run counts --accept")
    if not lines:
        n = sum(len(pieces) for pieces in found.values())
        print(f"counts: {n} within {MAX_RISE:.0%} of those stored for {name}")
    return not lines


def is_wide_faster(program: Path) -> bool:
    """Ask that AVX-512 be faster than AVX2 in the same run, where the CPU has it."""
    best: dict[str, float] = {}
    for _ in range(N_TRIES):
        said = subprocess.run([program, "wide"], check=True, capture_output=True, text=True).stdout
        if said.strip() == "absent":
            print("counts: AVX-512 against AVX2 skipped: this CPU has no AVX-512")
            return True
        for line in said.splitlines():
            word, piece = line.split(" ", 1)
            best[piece] = max(float(word), best.get(piece, 0.0))
        if all(ratio >= MIN_WIDE_RATIO for ratio in best.values()):
            break
    for piece, ratio in best.items():
        is_met = "wanted" if ratio >= MIN_WIDE_RATIO else f"too little in {N_TRIES} runs: wanted"
        print(f"counts: {piece}: AVX-512 is {ratio:.2f} times as fast as AVX2, {is_met} {MIN_WIDE_RATIO}")
    return all(ratio >= MIN_WIDE_RATIO for ratio in best.values())


def main() -> int:
    """Count, then compare or store."""
    parser = argparse.ArgumentParser(prog="./run counts", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--accept", action="store_true", help="store what is counted, for this compiler")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("counts: no valgrind: install it from your system's packages")
        return 1
    name, program = compiler(), build()
    found = count_all(program)
    if arguments.accept:
        accept(name, found)
        return 0
    is_within = check(name, found)
    return 0 if is_wide_faster(program) and is_within else 1


if __name__ == "__main__":
    sys.exit(main())
