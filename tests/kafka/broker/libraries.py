"""The jars of the real broker: fetched once by Maven, kept under target/."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

_POM: Final = Path(__file__).with_name("pom.xml")
_FOLDER: Final = Path(__file__).resolve().parents[3] / "target" / "kafka-libs"
_MIN_JAVA: Final = 17
_FETCH_S: Final = 300.0


class AbsentError(Exception):
    """This machine cannot run the broker; the text says what it lacks."""


def tool(name: str) -> str:
    """Find a program, or say that it is absent."""
    found = shutil.which(name)
    if found is None:
        raise AbsentError(f"{name} (Java {_MIN_JAVA} and Maven run the real Kafka)")
    return found


def class_path() -> Path:
    """Give the folder of Kafka's jars: named by what it was made from, and otherwise while it is half-made."""
    _need_java()
    folder = _FOLDER / hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _fetch(folder)
    return folder


def _fetch(folder: Path) -> None:
    half = folder.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={half}"]
    command = [tool("mvn"), "--quiet", "--batch-mode", "--file", str(_POM), *goal]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_FETCH_S)
    if result.returncode != 0:
        raise AbsentError(f"Kafka from Maven ({result.stdout.strip()[-300:]})")
    half.rename(folder)


def _need_java() -> None:
    words = subprocess.run([tool("java"), "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', words)
    if version is None or int(version[1]) < _MIN_JAVA:
        raise AbsentError(f"Java {_MIN_JAVA} (java -version says: {words.splitlines()[:1]})")
