"""The core is pure: no Python in it and, without `std-io`, nothing but arithmetic."""

from __future__ import annotations

import subprocess
from pathlib import Path

# A crate that joins the core joins the zone: name it here, with what it is for.
ARITHMETIC = {
    "dsp-core",
    "libm",  # the same transcendental functions on every platform
    "num-bigint",  # capacity, counted exactly
    "num-integer",
    "num-traits",
    "zeroize",  # wipes samples
}


def crates(root: Path, *arguments: str) -> set[str]:
    """Names of the crates that are linked into the core (build-time crates run on the developer's machine alone)."""
    command = ["cargo", "tree", "-p", "dsp-core", "--locked", "-e", "normal", "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run([*command, *arguments], cwd=root, capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in tree.splitlines() if line}


def test_core_without_io_is_arithmetic_alone(root: Path) -> None:
    assert crates(root, "--no-default-features") - ARITHMETIC == set()


def test_core_knows_no_python_broker_or_runtime(root: Path) -> None:
    names = crates(root, "--all-features")
    assert any(name.startswith("symphonia") for name in names), "the decoders come with std-io"
    foreign = ("async", "numpy", "pyo3", "rand", "rdkafka", "tokio", "tracing")
    assert {name for name in names if name.startswith(foreign)} == set()
