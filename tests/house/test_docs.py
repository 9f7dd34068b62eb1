"""What the documents point at exists: links, headings, paths, and the tests that PRIVACY.md leans on."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"[\w.*-]+(/[\w.*-]+)*/?(::\w+)*")
SOURCE_SUFFIXES = (".md", ".py", ".pyi", ".rs", ".sh")


def is_document(path: Path) -> bool:
    """Is it one of the documents that describe the house as it stands."""
    return path.suffix == ".md" and (path.parts[0] in {"docs", "benches", "README.md", "ARCHITECTURE.md", "PRIVACY.md"})


@pytest.fixture(scope="module")
def documents(root: Path, our_files: list[Path]) -> dict[Path, str]:
    """Text of each document."""
    return {path: (root / path).read_text("utf-8") for path in our_files if is_document(path)}


def anchors(text: str) -> set[str]:
    """Anchors of the headings, as they are made on display: lower case, signs dropped, spaces to hyphens."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_relative_links_lead_somewhere(root: Path, documents: dict[Path, str]) -> None:
    broken = []
    for path, text in documents.items():
        for target in LINK.findall(FENCE.sub("", text)):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (root / path).parent / name if name else root / path
            if not file.exists() or (anchor and anchor not in anchors(file.read_text("utf-8"))):
                broken.append(f"{path}: {target}")
    assert broken == []


@cache
def defined_in(file: Path) -> frozenset[str]:
    """Names of the functions, types and tests that a source file defines."""
    return frozenset(re.findall(r"\b(?:def|fn|class|struct|enum) (\w+)", file.read_text("utf-8")))


def fault_of(token: str, root: Path, our_files: list[Path]) -> str | None:
    """Say what is wrong with a word in code type that names a path, or a name in a file; None for any other word."""
    path, *names = token.split("::")
    is_path = PATH.fullmatch(token) and ("/" in path or path.endswith(SOURCE_SUFFIXES))
    if not is_path or ("/" in path and path.split("/")[0] not in {file.parts[0] for file in our_files}):
        return None
    pattern = path.rstrip("/") if "/" in path else f"**/{path}"
    files = [
        file for file in our_files if any(part.match(pattern) for part in (file, *file.parents)) or path == file.name
    ]
    if not files:
        return f"{token}: no such path"
    defined = frozenset().union(*(defined_in(root / file) for file in files if names))
    return next((f"{token}: {name} is not in it" for name in names if name not in defined), None)


def test_named_paths_exist(root: Path, our_files: list[Path], documents: dict[Path, str]) -> None:
    faults = [
        f"{document}: {fault}"
        for document, text in documents.items()
        for token in CODE.findall(FENCE.sub("", text))
        if (fault := fault_of(token, root, our_files))
    ]
    assert faults == []


def test_tests_named_in_privacy_exist(root: Path, our_files: list[Path]) -> None:
    document = root / "PRIVACY.md"
    if not document.exists():
        pytest.skip("PRIVACY.md is not written yet")
    sources = [root / path for path in our_files if path.suffix in {".py", ".rs"}]
    defined = frozenset().union(*(defined_in(source) for source in sources))
    named = set(re.findall(r"\btest_\w+\b(?!\.py)", document.read_text("utf-8")))
    assert named - defined == set()


@pytest.mark.parametrize(
    "token", ["tests/house/test_docs.py::fault_of", "test_docs.py", "tests/house/", "tests/*/test_docs.py"]
)
def test_true_path_passes(token: str, root: Path, our_files: list[Path]) -> None:
    assert fault_of(token, root, our_files) is None


@pytest.mark.parametrize("token", ["tests/house/test_dogs.py", "test_dogs.py", "tests/house/test_docs.py::fault_off"])
def test_false_path_is_found(token: str, root: Path, our_files: list[Path]) -> None:
    assert fault_of(token, root, our_files) is not None
