"""Every public name of the two packages is documented the numpydoc way, also those that Rust defines."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import dsp_core
import pytest
from numpydoc.validate import validate

import sourdine

# Whoever calls the library has nothing but its words: there each parameter is documented too.
MORE_CHECKS: dict[str, set[str]] = {"dsp_core": {"PR01"}, "sourdine": set()}


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Walk the package and all that lies in it."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield importlib.import_module(found.name)


def public_names(module: ModuleType) -> Iterator[str]:
    """Walk the functions and classes that the module defines or re-exports by name, and the classes' own methods."""
    exported = getattr(module, "__all__", None)
    for name, value in sorted(vars(module).items()):
        is_ours = name in exported if exported is not None else getattr(value, "__module__", "") == module.__name__
        if name.startswith("_") or not is_ours or not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        yield f"{module.__name__}.{name}"
        if inspect.isclass(value):
            methods = (key for key, member in vars(value).items() if inspect.isroutine(member))
            yield from (f"{module.__name__}.{name}.{key}" for key in sorted(methods) if not key.startswith("_"))


@pytest.mark.parametrize("package", [dsp_core, sourdine], ids=lambda package: str(package.__name__))
def test_public_names_are_documented(package: ModuleType, root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["numpydoc_validation"]
    checks = MORE_CHECKS[package.__name__] | set(settings["checks"])
    faults = [
        f"{name}: {code} {words}"
        for module in modules(package)
        for name in public_names(module)
        for code, words in validate(name)["errors"]
        if code in checks
    ]
    assert faults == []
