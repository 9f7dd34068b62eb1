"""What a person types and what it answers; runs themselves are tested in tests/flow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.chain import call, one_line
from tests.sounds import noise, write_wav

from sourdine import cli
from sourdine.errors import ConfigError, OutputError, PolicyError


def test_without_arguments_it_teaches(tmp_path: Path) -> None:
    result = call(cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    for line in ("sourdine demo", "sourdine run", "sourdine policy show"):
        assert line in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["demo", "--help"], ["policy", "--help"]])
def test_help_is_given(arguments: list[str], tmp_path: Path) -> None:
    result = call(*arguments, cwd=tmp_path)
    assert result.returncode == 0
    assert "usage: sourdine" in result.stdout


def test_help_imports_neither_the_chain_nor_the_view(tmp_path: Path) -> None:
    program = (
        "import sys; from sourdine.cli import run_command\n"
        "try: run_command(['run', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'numpy', 'rich', 'dsp_core', 'orjson'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0


WRONG = {
    "no path": ["run"],
    "unknown command": ["listen-in"],
    "unknown option": ["run", "--loud", "x.wav"],
    "pipe and file": ["run", "-", "x.wav", "--rate", "16000"],
    "pipe without rate": ["run", "-"],
    "rate of nothing": ["run", "-", "--rate", "0"],
    "rate in words": ["run", "-", "--rate", "high"],
    "unknown format": ["run", "-", "--rate", "16000", "--format", "mp3"],
    "no channels": ["run", "-", "--rate", "16000", "--channels", "0"],
    "rate for a file": ["run", "x.wav", "--rate", "16000"],
    "start in words": ["run", "x.wav", "--start", "noon"],
    "folder without files": ["run", "void"],
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_wrong_usage_is_2(arguments: list[str], tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(0.5))
    (tmp_path / "void").mkdir()
    result = call(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith("sourdine")
    assert not (tmp_path / "sourdine-out").exists()


@pytest.mark.parametrize("arguments", [["policy", "check", "gone.toml"], ["policy", "show", "x"], ["run", "x.wav"]])
def test_policy_that_does_not_stand_is_3(arguments: list[str], tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(0.5))
    (tmp_path / "x").write_text("colour = 'red'\n", "utf-8")
    result = call(*arguments, *(["--policy", "x"] if arguments[0] == "run" else []), cwd=tmp_path)
    assert (result.returncode, result.stdout) == (3, "")
    assert "policy" in one_line(result)
    assert not (tmp_path / "sourdine-out").exists()


@pytest.mark.parametrize("name", ["street", "strict", "noise"])
def test_shipped_policies_check_and_show(name: str, tmp_path: Path) -> None:
    check = call("policy", "check", name, cwd=tmp_path)
    assert (check.returncode, check.stderr) == (0, "")
    assert len(check.stdout.splitlines()) == 1
    show = call("policy", "show", name, cwd=tmp_path)
    assert show.returncode == 0
    assert "bit/s" in show.stdout


STOPS = {
    "config": (ConfigError("--x: expected y"), 2, "sourdine: --x: expected y\n"),
    "policy": (PolicyError("policy x: y"), 3, "sourdine: policy x: y\n"),
    "output": (OutputError("cannot write x"), 4, "sourdine: cannot write x\n"),
    "internal": (ValueError("two people\nspoke of it"), 5, "sourdine: internal error (ValueError)\n"),
    "panic": (BaseException("index 3 out of bounds"), 5, "sourdine: internal error (BaseException)\n"),
    "interrupt": (KeyboardInterrupt(), 130, "sourdine: interrupted\n"),
    "lines": (ConfigError("a\nb\x1b[0m"), 2, "sourdine: a b [0m\n"),
}


@pytest.mark.parametrize(("error", "code", "line"), STOPS.values(), ids=STOPS.keys())
def test_every_stop_is_one_line_without_data(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(parsed: object) -> int:
        raise error

    monkeypatch.setattr(cli, "_dispatch", fail)
    assert cli.run_command([]) == code
    assert capsys.readouterr().err == line


MEANT = {
    "command": (["rnu", "x.wav"], "sourdine: unknown command rnu: did you mean run? (sourdine --help says more)"),
    "option": (
        ["run", "x.wav", "--polcy", "noise"],
        "sourdine run: unknown option --polcy: did you mean --policy? (sourdine run --help says more)",
    ),
    "far from all": (["run", "x.wav", "--zzz"], "sourdine run: unknown option --zzz (sourdine run --help says more)"),
    "action": (
        ["policy", "shwo", "street"],
        "sourdine policy: unknown command shwo: did you mean show? (sourdine policy --help says more)",
    ),
    "word of a list": (
        ["completion", "bsh"],
        "sourdine completion: argument SHELL: bsh is no shell that can be completed: did you mean bash? "
        "Known: bash, zsh, fish, tcsh (sourdine completion --help says more)",
    ),
    "no word of a list": (
        ["calibrate", "x.wav", "--tone", "95"],
        "sourdine calibrate: argument --tone: 95 is no level of a calibrator in dB. Known: 94, 114",
    ),
    "far from all words": (
        ["completion", "xyz"],
        "sourdine completion: argument SHELL: xyz is no shell that can be completed. Known: bash, zsh, fish, tcsh",
    ),
    "no number": (
        ["run", "-", "--rate", "48k"],
        "sourdine run: argument --rate: expected a whole number, got 48k (sourdine run --help says more)",
    ),
    "shortened": (["run", "x.wav", "--pol", "noise"], "sourdine run: unknown option --pol: did you mean --policy?"),
}


@pytest.mark.parametrize(("arguments", "line"), MEANT.values(), ids=MEANT.keys())
def test_what_was_mistyped_is_named_with_what_was_meant(arguments: list[str], line: str, tmp_path: Path) -> None:
    result = call(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert one_line(result).startswith(line)


REFUSED = {
    "a moment": (["run", "x.wav", "--since", "foo"], 2, "--since: expected a time like 2026-05-04T21:00:00Z, got foo"),
    "a start": (["run", "x.wav", "--start", "ato"], 2, "--start: expected a time like 2026-05-04T21:00:00Z, got ato"),
    "a policy": (
        ["run", "x.wav", "--policy", "steet"],
        3,
        "shipped policies: street, strict, noise; did you mean street?",
    ),
    "a policy far off": (
        ["policy", "show", "x"],
        3,
        "No such file or directory; shipped policies: street, strict, noise",
    ),
    "a key": (["key", "new", "x.wav"], 2, "x.wav is there already: sourdine key rotate gives it a new key"),
}


@pytest.mark.parametrize(("arguments", "code", "line"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals_name_what_was_typed(arguments: list[str], code: int, line: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(0.5))
    result = call(*arguments, cwd=tmp_path)
    assert (result.returncode, line in one_line(result)) == (code, True), result.stderr


def test_live_help_does_not_speak_of_what_is_for_recordings(tmp_path: Path) -> None:
    said = call("listen", "--help", cwd=tmp_path).stdout
    assert "exit codes: 0 the sound has ended" in said
    assert "--resume" not in said


@pytest.mark.parametrize("action", ["show", "check"])
def test_policy_as_json(action: str, tmp_path: Path) -> None:
    document = json.loads(call("policy", action, "street", "--json", cwd=tmp_path).stdout)
    assert document["policy"]["name"] == "street"
    assert 0 < document["capacity"]["bit_per_s"] < 0.3
    assert len(document["policy_id"]) == 64


def test_quiet_says_nothing_and_json_says_the_result(tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", noise(0.5))
    quiet = call("run", "x.wav", "--quiet", cwd=tmp_path)
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    assert json.loads(call("run", "x.wav", "--quiet", "--json", cwd=tmp_path).stdout)["n_heard"] == 1
    assert call("policy", "check", "street", "--quiet", cwd=tmp_path).stdout == ""


def test_bash_completes_commands_options_and_files(tmp_path: Path) -> None:
    script = tmp_path / "sourdine.bash"
    script.write_text(call("completion", "bash", cwd=tmp_path).stdout, "utf-8")
    (tmp_path / "recording.wav").touch()
    program = (
        f'source {script}; complete_words() {{ COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); COMPREPLY=();'
        ' _shtab_sourdine "$1" "${@: -1}" "${@: -2:1}"; printf "%s\\n" "${COMPREPLY[@]}"; };'
        " complete_words sourdine po; complete_words sourdine run --pol; complete_words sourdine run rec;"
        " complete_words sourdine completion z; complete_words sourdine policy show st;"
        " complete_words sourdine run --policy re; complete_words sourdine run - --format s2;"
        " complete_words sourdine listen - --channel m; complete_words sourdine calibrate x --tone 1"
    )
    done = subprocess.run(["bash", "-c", program], cwd=tmp_path, capture_output=True, check=True, text=True)
    assert done.stdout.split() == [
        *("policy", "--policy", "recording.wav"),
        *("zsh", "street", "strict", "recording.wav", "s24le", "mix", "114"),
    ]


@pytest.mark.parametrize("shell", ["zsh", "fish", "tcsh"])
def test_other_shells_have_a_script(shell: str, tmp_path: Path) -> None:
    result = call("completion", shell, cwd=tmp_path)
    assert result.returncode == 0
    assert "sourdine" in result.stdout
    assert "policy" in result.stdout
