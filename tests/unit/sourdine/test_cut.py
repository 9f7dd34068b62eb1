"""Which of a sensor's states a worker goes on from."""

from __future__ import annotations

from pathlib import Path

import pytest
from dsp_core.zone import BlockError, Checkpoint, Gate, Mark, Sealer, create_key
from tests.chain import street

from sourdine.cut import Gates


def sealer(path: Path) -> Sealer:
    """Make a key."""
    create_key(path)
    return Sealer(path)


def state(sealer: Sealer, kafka_offset: int) -> bytes:
    """Seal the state of a gate that has heard nothing."""
    gate = Gate(sensor_id=7, policy=street().core)
    return sealer.seal(Checkpoint.take_gate(gate, mark=Mark(), kafka_offset=kafka_offset))


def test_the_newest_state_that_opens_is_taken(tmp_path: Path) -> None:
    ours, foreign = sealer(tmp_path / "ours.key"), sealer(tmp_path / "foreign.key")
    gates = Gates(ours, street().core, lambda sensor_id: None)
    gates.restore(7, [state(ours, 5), state(foreign, 99), state(ours, 12), state(ours, 3), b"rubbish"])
    kept = ours.unseal(sensor_id=7, sealed=gates.state(7))
    assert kept.kafka_offset == 12


def test_states_of_which_none_opens_are_refused(tmp_path: Path) -> None:
    ours, foreign = sealer(tmp_path / "ours.key"), sealer(tmp_path / "foreign.key")
    gates = Gates(ours, street().core, lambda sensor_id: None)
    with pytest.raises(BlockError, match="wrong_key"):
        gates.restore(7, [state(foreign, 99)])
    assert not gates.knows(7)
