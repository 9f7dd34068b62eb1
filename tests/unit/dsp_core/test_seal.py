"""What a sealer opens and refuses: handles on one side, bytes on the other, a reason for each refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from dsp_core.zone import (
    AudioBlock,
    BlockError,
    FeatureWindow,
    Mark,
    ParameterError,
    Sealer,
    Trigger,
    create_key,
    rotate_key,
    sealed_header,
)
from hypothesis import given
from hypothesis import strategies as st
from tests.chain import blocks_of, classifier, new_describe
from tests.sounds import noise

NOW_MS = 1_800_000_000_000
BOOT_NS = NOW_MS * 10**6


@pytest.fixture
def key(tmp_path: Path) -> Path:
    create_key(tmp_path / "zone.key")
    return tmp_path / "zone.key"


@cache
def sealer() -> Sealer:
    with TemporaryDirectory() as folder:
        create_key(Path(folder) / "zone.key")
        return Sealer(Path(folder) / "zone.key")


@cache
def block() -> AudioBlock:
    return blocks_of(noise(0.5))[0]


def windows() -> Iterator[FeatureWindow]:
    """Cut windows out of noise."""
    describe, trigger = new_describe(), Trigger(sensor_id=1, alarms_per_day=float("inf"))
    for one in blocks_of(noise(4.0)):
        yield from trigger.push(describe.push(one))


@cache
def messages() -> dict[str, bytes]:
    """Seal a thing of each kind."""
    keys = sealer()
    sealed = keys.seal_window(next(windows()))
    opened = keys.open_window(sealed, sensor_id=1, received_ms=0)
    (candidate,) = classifier().push([opened])
    return {
        "sound": keys.seal_block(block(), encoding="s16le", boot_ns=BOOT_NS, sequence=5),
        "windows": sealed,
        "candidates": keys.seal_candidate(candidate),
    }


def openers(keys: Sealer, sensor_id: int = 1) -> dict[str, Callable[[bytes], object]]:
    """Open a thing of each kind, on a mark of its own."""
    return {
        "sound": lambda b: keys.open_block(b, sensor_id=sensor_id, mark=Mark(), received_ms=NOW_MS),
        "windows": lambda b: keys.open_window(b, sensor_id=sensor_id, received_ms=NOW_MS),
        "candidates": lambda b: keys.open_candidate(b, sensor_id=sensor_id, mark=Mark()),
        "checkpoints": lambda b: keys.unseal(sensor_id=sensor_id, sealed=b),
    }


def reason(call: Callable[[], object]) -> str:
    with pytest.raises(BlockError) as refused:
        call()
    return refused.value.reason


@pytest.mark.parametrize("kind", ["sound", "windows", "candidates"])
def test_each_opens_as_itself_for_its_sensor_with_its_key(kind: str, key: Path) -> None:
    sealed = messages()[kind]
    openers(sealer())[kind](sealed)
    assert reason(lambda: openers(sealer(), sensor_id=2)[kind](sealed)) == "wrong_sensor"
    assert reason(lambda: openers(Sealer(key))[kind](sealed)) == "wrong_key"
    for other, opener in openers(sealer()).items():
        assert other == kind or reason(partial(opener, sealed)) == "wrong_topic"


@pytest.mark.parametrize("kind", ["sound", "windows", "candidates"])
def test_header_tells_the_place_and_nothing_else(kind: str) -> None:
    header = sealed_header(messages()[kind])
    assert (header.topic, header.sensor_id) == (kind, 1)
    assert (header.boot_ns, header.sequence) == ((BOOT_NS, 5) if kind == "sound" else (0, 0))
    assert header.n_bytes == len(messages()[kind]) - 78
    assert header.key_id in repr(sealer())
    assert repr(header).startswith(f"<SealedHeader topic={kind} sensor_id=1 boot_ns=")


@given(st.sampled_from(["sound", "windows", "candidates"]), st.data())
def test_no_changed_bit_opens(kind: str, data: st.DataObject) -> None:
    sealed = bytearray(messages()[kind])
    at = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[at // 8] ^= 1 << at % 8
    assert reason(lambda: openers(sealer())[kind](bytes(sealed))) != "duplicate"


@given(st.binary(max_size=200), st.sampled_from(["sound", "windows", "candidates", "checkpoints"]))
def test_any_bytes_are_refused_with_a_reason(sealed: bytes, kind: str) -> None:
    assert reason(lambda: openers(sealer())[kind](sealed))
    assert reason(lambda: sealed_header(sealed))


def test_a_key_that_was_turned_over_opens_until_the_next_turn(key: Path) -> None:
    sealed = Sealer(key).seal_block(block(), encoding="s24le", boot_ns=0, sequence=0)
    for expected in (None, "wrong_key"):
        rotate_key(key)
        reopened = Sealer(key)
        if expected is None:
            assert reopened.reopen_block(sealed, sensor_id=1).n_samples == block().n_samples
        else:
            assert reason(partial(reopened.reopen_block, sealed, sensor_id=1)) == expected


def test_a_rotated_key_file_is_read_again_when_a_message_asks_for_it(key: Path, tmp_path: Path) -> None:
    running, mark = Sealer(key), Mark()
    before = sealed_block(running, 0)
    rotate_key(key)
    assert sealed_block(running, 0) == before  # nothing has come yet that asks for the new key
    for sealed in (before, sealed_block(Sealer(key), 1)):
        running.open_block(sealed, sensor_id=1, mark=mark, received_ms=NOW_MS)
    assert sealed_block(running, 2) == sealed_block(Sealer(key), 2)
    create_key(tmp_path / "other.key")
    assert reason(partial(running.reopen_block, sealed_block(Sealer(tmp_path / "other.key"), 3), sensor_id=1)) == (
        "wrong_key"
    )


@pytest.mark.parametrize("spoil", [Path.unlink, lambda key: key.write_text("no key"), lambda key: key.chmod(0o644)])
def test_a_key_file_that_was_spoilt_changes_nothing(key: Path, tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    running = Sealer(key)
    sealed = sealed_block(running, 0)
    create_key(tmp_path / "other.key")
    spoil(key)
    foreign = sealed_block(Sealer(tmp_path / "other.key"), 0)
    assert reason(partial(running.reopen_block, foreign, sensor_id=1)) == "wrong_key"
    assert running.reopen_block(sealed, sensor_id=1).n_samples == block().n_samples


def sealed_block(keys: Sealer, sequence: int) -> bytes:
    return keys.seal_block(block(), encoding="s16le", boot_ns=BOOT_NS, sequence=sequence)


def test_what_came_before_is_a_duplicate_and_moves_nothing() -> None:
    mark, keys = Mark(), sealer()

    def send(boot_ns: int, sequence: int) -> str | None:
        sealed = keys.seal_block(block(), encoding="s16le", boot_ns=boot_ns, sequence=sequence)
        try:
            keys.open_block(sealed, sensor_id=1, mark=mark, received_ms=NOW_MS)
        except BlockError as refused:
            return refused.reason
        return None

    assert mark.last is None
    assert [send(BOOT_NS, n) for n in (0, 1, 1, 0, 5)] == [None, None, "duplicate", "duplicate", None]
    assert send(BOOT_NS + 10**10, 0) == "clock_ahead"
    assert (send(BOOT_NS + 1, 0), send(BOOT_NS, 6)) == (None, "duplicate")
    assert mark.last == (BOOT_NS + 1, 0)


def test_a_window_is_scored_the_same_on_both_sides_of_the_wire() -> None:
    """Scores cannot be seen, but what is sealed of them can be compared."""
    keys = sealer()
    opened = [keys.open_window(keys.seal_window(w), sensor_id=1, received_ms=7) for w in windows()]
    twice = [
        keys.open_window(
            keys.seal_window(keys.open_window(keys.seal_window(w), sensor_id=1, received_ms=7)),
            sensor_id=1,
            received_ms=9,
        )
        for w in windows()
    ]
    once, again = (
        [keys.seal_candidate(candidate) for candidate in classifier().push(some)] for some in (opened, twice)
    )
    assert once == again


def test_sealed_windows_are_scored_in_one_call_as_one_by_one() -> None:
    """Each for itself, in their order; what does not open is refused in its place, and the others go on."""
    keys = sealer()
    sealed = [keys.seal_window(w) for w in windows()]
    opened = [keys.open_window(one, sensor_id=1, received_ms=7) for one in sealed]
    expected = [keys.seal_candidate(candidate) for candidate in classifier().push(opened)]
    broken = bytes([*sealed[0][:-1], sealed[0][-1] ^ 1])
    came = [(2, sealed[0], 7), *((1, one, 7) for one in sealed), (1, broken, 7), (1, sealed[0], 7), (1, b"", 7)]
    wrong_sensor, *found, bad_seal, again, short = classifier().push_sealed(came, sealer=keys)
    refusals = [getattr(refusal, "reason", None) for refusal in (wrong_sensor, bad_seal, short)]
    assert refusals == ["wrong_sensor", "bad_seal", "truncated_header"]
    assert found == expected
    assert again == expected[0]
    assert classifier().push_sealed([], sealer=keys) == []


def test_what_was_sealed_is_used_up() -> None:
    window = next(windows())
    sealer().seal_window(window)
    with pytest.raises(ParameterError, match="used"):
        sealer().seal_window(window)
    with pytest.raises(ParameterError, match="used"):
        classifier().push([window])


def test_a_candidate_of_a_window_that_was_not_received_is_not_sealed() -> None:
    (candidate,) = classifier().push([next(windows())])
    assert reason(lambda: sealer().seal_candidate(candidate)) == "mismatch"


def test_an_encoding_that_does_not_hold_the_samples_is_refused() -> None:
    loud = blocks_of(np.full(100, 0.3))[0]
    with pytest.raises(ParameterError, match="encoding: expected s16le, s24le, f32le, got s8"):
        sealer().seal_block(loud, encoding="s8", boot_ns=0, sequence=0)
    sealed = sealer().seal_block(loud, encoding="f32le", boot_ns=0, sequence=0)
    assert len(sealed) - len(sealer().seal_block(loud, encoding="s16le", boot_ns=0, sequence=0)) == 200
