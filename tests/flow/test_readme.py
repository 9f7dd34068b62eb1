"""Every command that the README shows works as it stands there, on small inputs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from tests.chain import call
from tests.sounds import RATE, noise, pcm16, write_wav

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: Answered by `./run` itself, and tested where they are: running them here would run the tests in a test.
OWN_COMMANDS = {"test", "check", "bench", "help", "python"}


def commands_in(text: str) -> list[str]:
    """Take the command lines out of the fenced console blocks, without prompts, comments and what is printed."""
    found: list[str] = []
    for block in FENCE.findall(text):
        has_prompts = re.search(r"^\$ ", block, re.MULTILINE) is not None
        for line in block.splitlines():
            if has_prompts and not line.startswith("$ "):
                continue
            command = line.removeprefix("$ ").split("  #")[0].split(" # ")[0].strip()
            if re.search(r"(^|\|\s*)(\./run|sourdine)\b", command):
                found.append(command)
    return found


def arguments_of(command: str) -> list[str] | None:
    """Give what `sourdine` is called with; None if `./run` answers the command itself."""
    words = shlex.split(command.rsplit("|", 1)[-1])
    if words[0] == "sourdine":
        return words[1:]
    if len(words) < 2 or words[1] in OWN_COMMANDS:
        return None
    return words[2:] if words[1] == "sourdine" else words[1:]


COMMANDS = commands_in((ROOT / "README.md").read_text("utf-8"))


def test_commands_are_found() -> None:
    text = (
        "```console\n$ ./run demo  # hear\nSourdine heard\n$ cat x | sourdine run - --rate 8000\n```\n"
        "```sh\n./run test\n```"
    )
    assert commands_in(text) == ["./run demo", "cat x | sourdine run - --rate 8000", "./run test"]
    assert any(command.startswith("./run demo") for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_command_works(command: str, tmp_path: Path) -> None:
    arguments = arguments_of(command)
    if arguments is None:
        usage = (ROOT / "run").read_text("utf-8")
        assert f"./run {shlex.split(command)[1] if ' ' in command else 'help'}" in usage
        return
    for word in arguments[1:]:
        # What is named must be there: a sound for a file, a folder with a sound in it for a folder.
        if not word.startswith("-") and "." in word and "/" not in word.rstrip("/"):
            write_wav(tmp_path / word, noise(2.0)) if not word.endswith("/") else write_wav(
                tmp_path / word / "x.wav", noise(2.0)
            )
        elif word.endswith("/"):
            write_wav(tmp_path / word / "x.wav", noise(2.0))
    stdin = pcm16(noise(2.0, sample_rate=RATE)) if "-" in arguments else b""
    result = call(*arguments, cwd=tmp_path, stdin=stdin)
    assert result.returncode == 0, result.stderr
