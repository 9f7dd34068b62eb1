"""Files up to 400 lines, functions up to 40 (in Rust clippy counts them: `too_many_lines`)."""

from __future__ import annotations

import ast
from pathlib import Path

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def function_lines(source: str) -> dict[str, int]:
    """Lines of each function without its docstring, which is words and not work."""
    lines: dict[str, int] = {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            is_documented = ast.get_docstring(node, clean=False) is not None
            n_words = (first.end_lineno or 0) - first.lineno + 1 if is_documented else 0
            lines[f"{node.name} (line {node.lineno})"] = (node.end_lineno or 0) - node.lineno + 1 - n_words
    return lines


def test_docstring_is_not_counted() -> None:
    assert function_lines('def f():\n    """Two\n    lines."""\n    return 1\n') == {"f (line 1)": 2}


def test_files_stay_readable_in_one_sitting(root: Path, our_files: list[Path]) -> None:
    sizes = {
        str(path): len((root / path).read_text("utf-8").splitlines())
        for path in our_files
        if path.suffix in {".py", ".pyi", ".rs"}
    }
    assert sizes
    assert {path: n for path, n in sizes.items() if n > MAX_FILE_LINES} == {}


def test_python_functions_do_one_thing(root: Path, our_files: list[Path]) -> None:
    too_long = {
        f"{path}: {name}": n
        for path in our_files
        if path.suffix == ".py"
        for name, n in function_lines((root / path).read_text("utf-8")).items()
        if n > MAX_FUNCTION_LINES
    }
    assert too_long == {}
