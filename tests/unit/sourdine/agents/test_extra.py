"""Without the extra `kafka` the application works, and says what it lacks where Kafka is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HIDE = "import sys; sys.modules.update(dict.fromkeys(['aiokafka', 'confluent_kafka', 'faust']))\n"
COMMAND = "from sourdine.cli import run_command; sys.exit(run_command(sys.argv[1:]))"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where nothing of the extra is installed."""
    command = [sys.executable, "-P", "-c", HIDE + COMMAND, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_topics_say_what_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, "topics", "check")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "sourdine: topics need confluent_kafka: pip install 'sourdine[kafka]'\n"


def test_sinks_say_what_is_missing(tmp_path: Path) -> None:
    done = run(tmp_path, "sink", "--to", "file:out")
    assert (done.returncode, done.stderr) == (2, "sourdine: sinks need aiokafka: pip install 'sourdine[kafka]'\n")


def test_what_needs_no_broker_needs_no_extra(tmp_path: Path) -> None:
    for arguments in (["topics", "asyncapi"], ["policy", "check", "street"]):
        done = run(tmp_path, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
