from __future__ import annotations

import os
from pathlib import Path

from dsp_core.zone import Source
from tests.sounds import noise, write_wav

from sourdine.errors import printable
from sourdine.local.inputs import Input, Refusal, open_source


def test_file_that_has_gone_since_is_refused(tmp_path: Path) -> None:
    refusal = open_source(Input(1, tmp_path / "gone.wav"), None)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "unreadable"


def test_named_pipe_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refusal = open_source(Input(1, tmp_path / "pipe"), None)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "unreadable"


def test_good_file_is_opened(tmp_path: Path) -> None:
    source = open_source(Input(3, write_wav(tmp_path / "x.wav", noise(1.0))), None)
    assert isinstance(source, Source)
    assert (source.sample_rate, source.n_samples) == (16_000, 16_000)


def test_names_are_shown_on_one_line() -> None:
    assert printable("a\nb\x1b[31m\udcff.wav") == "a?b?[31m?.wav"
    assert Input(1, Path("caf\u00e9/\x07.wav")).name == "café/?.wav"
    assert Input(1, None).name == "standard input"
