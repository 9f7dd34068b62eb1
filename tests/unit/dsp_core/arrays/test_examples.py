"""Every example in the docstrings runs; every public name has one, and stands where it is looked for."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import dsp_core
import dsp_core.arrays
import pytest

MODULES = sorted({getattr(dsp_core.arrays, name).__module__ for name in dsp_core.arrays.__all__})


@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module: str) -> None:
    failed, tried = doctest.testmod(importlib.import_module(module), raise_on_error=False)
    assert tried > 0
    assert failed == 0


@pytest.mark.parametrize("name", dsp_core.arrays.__all__)
def test_every_public_name_has_an_example_and_stands_in_dsp_core(name: str) -> None:
    thing = getattr(dsp_core.arrays, name)
    is_result = isinstance(thing, type) and issubclass(thing, tuple)  # shown by the example of what gives it
    assert is_result or ">>> " in (thing.__doc__ or "")
    assert getattr(dsp_core, name) is getattr(dsp_core.arrays, name)
    assert name in dir(dsp_core)
    assert name in dsp_core.__all__


def test_the_zone_is_imported_without_numpy() -> None:
    program = "import sys, dsp_core.zone, dsp_core.records; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-P", "-c", program], check=False).returncode == 0


def test_what_is_not_there_is_said_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'mfcc'"):
        dsp_core.mfcc  # noqa: B018


def test_the_module_is_an_attribute_before_anything_of_it_was_touched() -> None:
    program = "import dsp_core; dsp_core.arrays.log_mel"
    assert subprocess.run([sys.executable, "-P", "-c", program], check=False).returncode == 0


def test_the_face_shows_what_can_be_used() -> None:
    shown = {name for name in dir(dsp_core) if not name.startswith("__")}
    assert shown == {*dsp_core.__all__, "arrays", "records", "zone"} - {"__version__"}
    assert all(hasattr(dsp_core, name) for name in dsp_core.__all__)
