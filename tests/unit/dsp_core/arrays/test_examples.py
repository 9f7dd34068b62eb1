"""Every example in the docstrings of the arrays runs and shows what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import dsp_core.arrays
import pytest

MODULES = [f"dsp_core.arrays.{module.name}" for module in pkgutil.iter_modules(dsp_core.arrays.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_public_function_has_an_example() -> None:
    functions = (getattr(dsp_core.arrays, name) for name in dsp_core.arrays.__all__)
    without = [f.__name__ for f in functions if not issubclass(type(f), type) and ">>>" not in (f.__doc__ or "")]
    assert without == []
