"""What lies in memory as it must not is refused: masks, odd addresses, results over what they are made of."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from dsp_core import (
    AnomalyScorer,
    ParameterError,
    a_weighting,
    c_weighting,
    frame,
    leq,
    log_mel,
    power_spectrum,
    resample,
    third_octave_levels,
    time_weighting,
)
from numpy.typing import NDArray
from tests.chain import blocks_of

RATE = 16_000
N = 16_000

#: Each function with a place for its result, and the shape of that.
WITH_OUT: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "a_weighting": (lambda y, **out: a_weighting(y, sample_rate=RATE, **out), (N,)),
    "c_weighting": (lambda y, **out: c_weighting(y, sample_rate=RATE, **out), (N,)),
    "log_mel": (lambda y, **out: log_mel(y, sample_rate=RATE, **out), (98, 64)),
    "power_spectrum": (power_spectrum, (98, 257)),
    "resample": (lambda y, **out: resample(y, sample_rate=RATE, target_rate=32_000, **out), (2 * N,)),
    "time_weighting": (lambda y, **out: time_weighting(y, sample_rate=RATE, **out), (N,)),
}
WITHOUT_OUT: dict[str, Callable[..., Any]] = {
    "frame": lambda y: frame(y, win_length=400, hop=160),
    "leq": lambda y: leq(y, sample_rate=RATE),
    "third_octave_levels": lambda y: third_octave_levels(y, sample_rate=RATE, fmax=1_000.0),
}
FUNCTIONS = {**{name: function for name, (function, _) in WITH_OUT.items()}, **WITHOUT_OUT}


def odd(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Make an array one byte off the addresses that floats have."""
    return np.frombuffer(bytearray(4 * int(np.prod(shape)) + 1), np.float32, offset=1).reshape(shape)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_signal_at_an_odd_address_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=r"^y: expected an aligned array, got one that is not: y\.copy\(\)$"):
        FUNCTIONS[name](odd((N,)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_mask_is_not_overlooked(name: str) -> None:
    y = np.ma.masked_array(np.zeros(N, np.float32), mask=np.arange(N) < 10)
    with pytest.raises(ParameterError, match=r"^y: expected an array without a mask, got MaskedArray: y\.filled\(0\)$"):
        FUNCTIONS[name](y)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handle_of_the_zone_is_no_signal(name: str) -> None:
    block = next(iter(blocks_of(np.zeros(N))))
    with pytest.raises(ParameterError, match=r"^y: expected a numpy array of float32, got AudioBlock"):
        FUNCTIONS[name](block)
    with pytest.raises(ParameterError, match=r"^frames: expected a numpy array of float32, got AudioBlock"):
        AnomalyScorer().push(block)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", WITH_OUT)
def test_no_place_for_a_result(name: str) -> None:
    function, shape = WITH_OUT[name]
    locked = np.empty(shape, np.float32)
    locked.flags.writeable = False
    gaps = np.empty((2 * shape[0], *shape[1:]), np.float32)[::2]
    one_less = np.empty((shape[0] - 1, *shape[1:]), np.float32)
    for out in (np.empty(shape), one_less, locked, gaps, odd(shape), [0.0], np.empty((1, *shape), np.float32)):
        with pytest.raises(ParameterError, match=r"^out: expected a .*, got "):
            function(np.zeros(N, np.float32), out=out)


@pytest.mark.parametrize("name", WITH_OUT)
def test_a_result_is_not_written_over_what_it_is_made_of(name: str) -> None:
    function, shape = WITH_OUT[name]
    memory = bytearray(4 * max(N, int(np.prod(shape))))
    # Two arrays that know nothing of each other.
    y = np.frombuffer(memory, np.float32)[:N]
    out = np.frombuffer(memory, np.float32)[: np.prod(shape)].reshape(shape)
    with pytest.raises(
        ParameterError, match=r"^out: expected an array that shares no memory with y, got one that does$"
    ):
        function(y, out=out)


def test_what_is_too_large_is_refused_before_there_is_memory_for_it() -> None:
    y = np.zeros(N, np.float32)
    with pytest.raises(ParameterError, match=r"^n_mels: expected 1 to 512, got 2147483647$"):
        log_mel(y, sample_rate=RATE, n_mels=2**31 - 1)
    with pytest.raises(ParameterError, match=r"^sample_rate: expected a whole number from 8000 to 192000 Hz, got 1$"):
        resample(y, sample_rate=1, target_rate=192_000)
    with pytest.raises(
        ParameterError, match=r"^target_rate: expected a whole number from 8000 to 192000 Hz, got 2147483647$"
    ):
        resample(y, sample_rate=8_000, target_rate=2**31 - 1)


def test_a_refusal_is_told_by_its_name_also_from_another_process() -> None:
    with pytest.raises(ParameterError) as caught:
        power_spectrum(np.zeros(N, np.float32), hop=0)
    assert f"{caught.type.__module__}.{caught.type.__qualname__}" == "dsp_core.ParameterError"
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is ParameterError
    assert str(again) == str(caught.value)
