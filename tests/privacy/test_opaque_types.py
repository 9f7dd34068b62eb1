"""No route of Python's own leads from a handle of the zone to what it holds.

Every attribute, protocol and copy that Python offers is tried. Reading the process's memory by other means (`ctypes`,
a debugger) is other code in the process, which no type can stop.
"""

from __future__ import annotations

import copy
import gc
import pickle
import re
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any

import dsp_core.zone
import numpy as np
import pytest
from dsp_core.zone import (
    AudioBlock,
    Background,
    Candidate,
    Checkpoint,
    Describe,
    DescribeMany,
    Description,
    FeatureWindow,
    Gate,
    LevelGate,
    Trigger,
)
from tests.chain import blocks_of, classifier, street
from tests.sounds import RATE

from sourdine.local.scene import street_scene

#: What each type may show, and the type of it: ids, sizes, and when the broker took it.
SHOWN: dict[type, set[str]] = {
    AudioBlock: {"sensor_id", "sample_rate", "start_sample", "n_samples"},
    Description: {"sensor_id", "n_frames"},
    FeatureWindow: {"sensor_id", "index", "received_ms"},
    Candidate: {"sensor_id", "index", "received_ms"},
    Background: set(),
    Checkpoint: {
        "kafka_offset",
        "note",
        "position",
        "restore",
        "restore_gate",
        "restore_hearing",
        "resume",
        "resume_hearing",
        "take",
        "take_gate",
        "take_hearing",
    },
}
OPAQUE = list(SHOWN)
STAGES: dict[type, set[str]] = {
    Describe: {"finish", "hears_events", "longest_sample_life_s", "position", "push", "refill"},
    DescribeMany: {"n_threads", "push"},
    Trigger: {"background", "finish", "lull", "push", "refill"},
    type(classifier()): {"classes", "model_id", "push", "push_sealed"},
    Gate: {
        "advance",
        "advance_to",
        "finish",
        "n_out_of_time",
        "push",
        "receive",
        "withhold_first_hour",
        "withhold_hour_of",
    },
    LevelGate: {"finish", "mark_clock", "miss", "next_slot", "push"},
    dsp_core.zone.Mark: {"last"},
    dsp_core.zone.SealedHeader: {
        "boot_ns",
        "content_version",
        "key_id",
        "n_bytes",
        "sensor_id",
        "sequence",
        "topic",
    },
    dsp_core.zone.Sealer: {
        "open_block",
        "open_candidate",
        "open_window",
        "reopen_block",
        "seal",
        "seal_block",
        "seal_candidate",
        "seal_window",
        "unseal",
    },
    dsp_core.zone.Calibrate: {"finish", "push"},
    dsp_core.zone.Source: {
        "bits_per_sample",
        "n_channels",
        "n_samples",
        "open",
        "pcm",
        "position",
        "read",
        "recorded_at",
        "sample_rate",
        "skip",
    },
}


@cache
def handles() -> dict[type, Any]:
    """Send loud sound through the stages, and keep one handle of each kind."""
    core = street().core
    describe = Describe(sensor_id=1, sample_rate=RATE, start_slot=0, policy=street().core)
    trigger = Trigger(sensor_id=1, alarms_per_day=float("inf"))
    gate, level_gate = Gate(sensor_id=1, policy=core), LevelGate(sensor_id=1, policy=core, start_slot=0)
    windows: list[FeatureWindow] = []
    for block in blocks_of(street_scene()[40 * RATE : 50 * RATE]):
        description = describe.push(block)
        windows += trigger.push(description)
    candidates = classifier().push(windows[1:])
    checkpoint = Checkpoint.take(describe, trigger, gate, level_gate)
    held: list[Any] = [block, description, windows[0], candidates[0], trigger.background(), checkpoint]
    return {type(handle): handle for handle in held}


def attempts() -> dict[str, Callable[[Any], object]]:
    """Name the ways in which Python gets at the inside of a value."""
    return {
        "pickle": pickle.dumps,
        "reduce": lambda handle: handle.__reduce_ex__(4),
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
        "memoryview": memoryview,
        "bytes": bytes,
        "bytearray": bytearray,
        "frombuffer": lambda handle: np.frombuffer(handle, np.uint8),
        "float": float,
        "int": int,
        "index": lambda handle: [0][handle],
        "complex": complex,
        "len": len,
        "iter": iter,
        "list": list,
        "item": lambda handle: handle[0],
        "slice": lambda handle: handle[:],
        "call": lambda handle: handle(),
        "vars": vars,
        "dict": lambda handle: handle.__dict__,
        "weakref": weakref.ref,
        "float array": lambda handle: np.asarray(handle, dtype=np.float32),
        "add": lambda handle: handle + 0,
        "enter": lambda handle: handle.__enter__(),
        "dlpack": lambda handle: handle.__dlpack__(),
        "array interface": lambda handle: handle.__array_interface__,
        "array": lambda handle: handle.__array__(),
        "set attribute": lambda handle: setattr(handle, "sensor_id", 2),
        "new attribute": lambda handle: setattr(handle, "note", "x"),
        "delete attribute": lambda handle: delattr(handle, "sensor_id"),
        "change class": lambda handle: setattr(handle, "__class__", object),
    }


@pytest.mark.parametrize("kind", OPAQUE, ids=lambda kind: str(kind.__name__))
@pytest.mark.parametrize("route", attempts())
def test_no_route_leads_inside(kind: type, route: str) -> None:
    with pytest.raises((TypeError, AttributeError, BufferError)):
        attempts()[route](handles()[kind])


@pytest.mark.parametrize("kind", OPAQUE, ids=lambda kind: str(kind.__name__))
def test_handle_has_no_state_to_give(kind: type) -> None:
    assert handles()[kind].__getstate__() is None


@pytest.mark.parametrize("kind", OPAQUE, ids=lambda kind: str(kind.__name__))
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_pickle_brings_anything_back(kind: type, protocol: int) -> None:
    try:
        pickled = pickle.dumps(handles()[kind], protocol)
    except (TypeError, pickle.PicklingError):
        return
    # The oldest protocols name the class and nothing else, and even that cannot be loaded.
    assert len(pickled) < 120
    with pytest.raises((TypeError, AttributeError)):
        pickle.loads(pickled)


@pytest.mark.parametrize("kind", OPAQUE, ids=lambda kind: str(kind.__name__))
def test_nothing_but_ids_and_sizes_is_shown(kind: type) -> None:
    handle = handles()[kind]
    public = {name for name in dir(handle) if not name.startswith("_")}
    assert public == SHOWN[kind]
    for name in public:
        shown = getattr(handle, name)
        if name == "note":
            assert shown == b"", "what Python wrote itself, and nothing else"
            continue
        is_number = shown is None or type(shown) is int
        assert callable(shown) if name.startswith(("restore", "resume", "take")) else is_number
    protocols = {name for name in dir(handle) if name.startswith("__")} - set(dir(object))
    # `__slotnames__` is what `copyreg` notes on a class when it is asked to copy.
    assert protocols <= {"__module__", "__slotnames__"}, "no protocol beyond those of every object"


@pytest.mark.parametrize("kind", STAGES, ids=lambda kind: str(kind.__name__))
def test_stages_show_their_own_words_and_no_more(kind: type) -> None:
    assert {name for name in dir(kind) if not name.startswith("_")} == STAGES[kind]


def test_every_type_of_the_zone_is_tried() -> None:
    types = {value for name in dsp_core.zone.__all__ if isinstance(value := getattr(dsp_core.zone, name), type)}
    assert {kind for kind in types if not issubclass(kind, Exception)} == set(OPAQUE) | set(STAGES)


@pytest.mark.parametrize("kind", OPAQUE, ids=lambda kind: str(kind.__name__))
def test_text_is_ids_and_sizes(kind: type) -> None:
    handle = handles()[kind]
    for text in (repr(handle), str(handle), format(handle), ascii(handle)):
        assert re.fullmatch(r"<[\w.]+( object at 0x[0-9a-f]+|( \w+=\d+)*)>", text)


@pytest.mark.parametrize("kind", OPAQUE, ids=lambda kind: str(kind.__name__))
def test_handle_refers_to_nothing(kind: type) -> None:
    handle = handles()[kind]
    assert [thing for thing in gc.get_referents(handle) if thing is not kind] == []


@pytest.mark.parametrize("kind", OPAQUE, ids=lambda kind: str(kind.__name__))
def test_only_the_core_makes_one(kind: type) -> None:
    makers: tuple[Callable[[], object], ...] = (kind, lambda: kind(1), lambda: object.__new__(kind))
    for make in makers:
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        type("Forged", (kind,), {})


def test_window_and_candidate_are_taken_once() -> None:
    describe = Describe(sensor_id=1, sample_rate=RATE, start_slot=0, policy=street().core)
    trigger = Trigger(sensor_id=1, alarms_per_day=float("inf"))
    windows: list[FeatureWindow] = []
    for block in blocks_of(street_scene()[: 4 * RATE]):
        windows += trigger.push(describe.push(block))
    candidates = classifier().push(windows)
    with pytest.raises(dsp_core.zone.ParameterError):
        classifier().push(windows)
    gate = Gate(sensor_id=1, policy=street().core)
    gate.push(candidates)
    with pytest.raises(dsp_core.zone.ParameterError):
        gate.push(candidates)
    with pytest.raises(TypeError):
        classifier().push(candidates)  # type: ignore[arg-type]
