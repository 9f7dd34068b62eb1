"""The gate on instructions: what it sums up, lets pass and calls a rise, and what an unknown compiler means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benches import counts

CALLGRIND = """\
events: Ir

ob=(1) /x/counts-1
fl=(1) counts.rs
fn=(1) counts::counted
10 5
cob=(2) /lib/libc.so.6
cfn=(2) memcpy
calls=1 0
11 100
+1 7
ob=(2)
fn=(2)
0 100
ob=(1)
fn=(3) work
* 3

totals: 115
"""


def test_only_own_instructions_are_summed() -> None:
    assert counts.own_instructions(CALLGRIND.splitlines(), "counts-1") == 5 + 7 + 3
    assert counts.own_instructions(CALLGRIND.splitlines(), "libc.so.6") == 100


def test_three_per_cent_pass_and_more_is_one_clear_line() -> None:
    stored = {"avx2": {"score": 1_000, "seal": 2_000}}
    assert counts.rises(stored, {"avx2": {"score": 1_030, "seal": 10}}) == []
    assert counts.rises(stored, {"avx2": {"score": 1_031, "seal": 2_000}}) == [
        "score by avx2: 1000 instructions rose to 1031, +3.1%"
    ]


def test_a_piece_that_one_side_does_not_know_is_told() -> None:
    assert counts.rises({"avx2": {"a": 1}}, {"avx2": {"b": 1}}) == [
        "a by avx2: stored, but not counted",
        "b by avx2: not stored",
    ]


def test_a_compiler_without_counts_passes_by_name_and_fails_where_all_is_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(counts, "STORED", tmp_path / "counts.json")
    monkeypatch.delenv("SOURDINE_REQUIRE", raising=False)
    found = {"avx2": {"a": 100}}
    assert counts.check("rustc 9", found)
    assert capsys.readouterr().out == "counts: skipped: none stored for rustc 9: ./run counts --accept\n"
    monkeypatch.setenv("SOURDINE_REQUIRE", "all")
    assert not counts.check("rustc 9", found)
    counts.accept("rustc 9", found)
    assert counts.check("rustc 9", found)
    assert not counts.check("rustc 9", {"avx2": {"a": 104}})
    assert "a by avx2: 100 instructions rose to 104, +4.0%; if that is meant: ./run counts --accept" in (
        capsys.readouterr().out
    )


def test_what_is_stored_has_both_paths_and_the_same_pieces() -> None:
    for name, by_path in json.loads(counts.STORED.read_text("utf-8")).items():
        assert name.startswith("rustc ")
        assert tuple(sorted(by_path)) == tuple(sorted(counts.PATHS))
        assert len({tuple(sorted(pieces)) for pieces in by_path.values()}) == 1


@pytest.mark.parametrize(
    ("said", "is_met", "line"),
    [
        ("absent", True, "AVX-512 against AVX2 skipped: this CPU has no AVX-512"),
        ("1.400 log-mel", True, "log-mel: AVX-512 is 1.40 times as fast as AVX2, wanted 1.1"),
        ("1.050 log-mel", False, "log-mel: AVX-512 is 1.05 times as fast as AVX2, too little in 5 runs: wanted 1.1"),
    ],
)
def test_the_widest_path_must_be_faster_where_it_is(
    said: str, is_met: bool, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n[ $1 = wide ] && echo '{said}'\n", "utf-8")
    program.chmod(0o755)
    assert counts.is_wide_faster(program) == is_met
    assert capsys.readouterr().out == f"counts: {line}\n"
