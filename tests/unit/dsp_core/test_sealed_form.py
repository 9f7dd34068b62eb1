"""`Sealer` puts the bytes on the wire that the plain reference puts there, which stands on a known pair."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dsp_core.zone import Mark, Sealer, create_key, sealed_header
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.chain import blocks_of
from tests.unit.dsp_core import sealed_reference as reference

SAMPLES = [0, 1, -1, 32767, -32768, 12345, -12345]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    create_key(tmp_path / "zone.key")
    return tmp_path / "zone.key"


def key_bytes(path: Path) -> bytes:
    return bytes.fromhex(path.read_text("ascii").split()[0])


def test_reference_gives_the_pair_of_the_draft() -> None:
    """draft-irtf-cfrg-xchacha-03, A.3.1."""
    text = b"Ladies and Gentlemen of the class of '99: "
    text += b"If I could offer you only one tip for the future, sunscreen would be it."
    sealed = reference.encrypt(
        bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58)), bytes.fromhex("50515253c0c1c2c3c4c5c6c7"), text
    )
    assert sealed.hex() == (
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
        "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
        "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49"
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=300), st.integers(0, 2**64 - 1))
def test_sealer_and_reference_seal_the_same_bytes(key: Path, samples: list[int], sequence: int) -> None:
    (block,) = blocks_of(np.array(samples) / 32767, block_s=1.0)
    place = reference.Place("sound", block.sensor_id, boot_ns=7, sequence=sequence)
    content = reference.block(block.sample_rate, block.start_sample, samples)
    expected = reference.seal(key_bytes(key), place, content)
    assert Sealer(key).seal_block(block, encoding="s16le", boot_ns=7, sequence=sequence) == expected


def test_a_sensor_with_other_software_is_heard(key: Path) -> None:
    place = reference.Place("sound", sensor_id=99, boot_ns=10**18, sequence=3)
    sealed = reference.seal(key_bytes(key), place, reference.block(48_000, 96_000, SAMPLES))
    block = Sealer(key).open_block(sealed, sensor_id=99, mark=Mark(), received_ms=10**12)
    assert (block.sensor_id, block.sample_rate, block.start_sample, block.n_samples) == (99, 48_000, 96_000, 7)
    assert sealed_header(sealed).key_id == reference.key_id(key_bytes(key)).hex()
