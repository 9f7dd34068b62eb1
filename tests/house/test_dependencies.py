"""The core is pure: no Python in it and, without `std-io`, nothing but computing."""

from __future__ import annotations

import subprocess
from pathlib import Path

# A crate that joins the core joins the zone: name it here, with what it is for.
PURE = {
    "dsp-core",
    # the same transcendental functions on every platform
    "libm",
    # capacity, counted exactly
    "num-bigint",
    "num-integer",
    "num-traits",
    # names the weights and the state by their contents
    "sha2",
    "block-buffer",
    "cfg-if",
    "cpufeatures",
    "crypto-common",
    "digest",
    "hybrid-array",
    "typenum",
    # wipes samples
    "zeroize",
    # seals the state: XChaCha20-Poly1305 and HKDF
    "aead",
    "chacha20",
    "chacha20poly1305",
    "cipher",
    "cmov",
    "ctutils",
    "hkdf",
    "hmac",
    "inout",
    "poly1305",
    "universal-hash",
}


def crates(root: Path, *arguments: str) -> set[str]:
    """Names of the crates that are linked into the core (build-time crates run on the developer's machine alone)."""
    command = ["cargo", "tree", "-p", "dsp-core", "--locked", "-e", "normal", "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run([*command, *arguments], cwd=root, capture_output=True, text=True, check=True).stdout
    return {line.split()[0] for line in tree.splitlines() if line}


def test_core_without_io_computes_and_does_nothing_else(root: Path) -> None:
    assert crates(root, "--no-default-features") - PURE == set()


def test_core_knows_no_python_broker_or_runtime(root: Path) -> None:
    names = crates(root, "--all-features")
    assert any(name.startswith("symphonia") for name in names), "the decoders come with std-io"
    foreign = ("async", "numpy", "pyo3", "rand", "rdkafka", "tokio", "tracing")
    assert {name for name in names if name.startswith(foreign)} == set()
