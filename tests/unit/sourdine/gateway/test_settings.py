"""A gateway's file: a good one is read, and each broken one is refused by the name of its key, in one line."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from dsp_core.zone import create_key
from tests.chain import call, one_line
from tests.sounds import noise, write_wav

from sourdine.errors import ConfigError
from sourdine.gateway.settings import load

TOP = 'placement = "cluster"\nkafka = "kafka.toml"\nkey = "zone.key"\nstate = "state"\n'
PIPE = '[[streams]]\nsensor = 17\nkind = "pipe"\npath = "17.pcm"\nrate = 48000\n'
TCP = '[[streams]]\nsensor = 18\nkind = "tcp"\nport = 7018\nrate = 16000\n'
FILE = '[[streams]]\nsensor = 19\nkind = "file"\npath = "street.wav"\n'
CALIBRATION = """\
version = 1
sensor_id = 17
date = "2026-01-01T00:00:00Z"
tone_hz = 1000.0
tone_db = 94.0
full_scale_db = 117.0
spread_db = 0.1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make all that the file names."""
    (tmp_path / "kafka.toml").write_text('security = "PLAINTEXT"\nbootstrap = "127.0.0.1:1"\n', "utf-8")
    (tmp_path / "sensor-17.toml").write_text(CALIBRATION, "utf-8")
    create_key(tmp_path / "zone.key")
    write_wav(tmp_path / "street.wav", noise(0.5), sample_rate=32_000)
    return tmp_path


def read(folder: Path, text: str) -> object:
    """Write a file and read it."""
    (folder / "gateway.toml").write_text(text, "utf-8")
    return load(folder / "gateway.toml", today=date(2026, 1, 1))


def test_a_good_file_is_read(folder: Path) -> None:
    (folder / "gateway.toml").write_text(
        TOP + PIPE + 'format = "f32le"\nchannels = 2\nchannel = "mix"\ncalibration = "."\n' + TCP + FILE, "utf-8"
    )
    settings = load(folder / "gateway.toml", today=date(2026, 1, 1))
    pipe, tcp, file = settings.streams
    assert (settings.placement, settings.policy.core.name, settings.state) == ("cluster", "street", folder / "state")
    assert (pipe.sensor_id, pipe.kind, pipe.path, pipe.channel) == (17, "pipe", folder / "17.pcm", "mix")
    assert (pipe.pcm.sample_rate, pipe.pcm.frame_bytes, pipe.full_scale_db) == (48_000, 8, 117.0)
    assert (tcp.port, tcp.pcm.sample_rate, tcp.pcm.encoding, tcp.full_scale_db) == (7018, 16_000, "s16le", None)
    assert file.pcm.sample_rate == 32_000


BROKEN = {
    "no placement": (TOP.replace('placement = "cluster"\n', "") + PIPE, "placement is missing"),
    "other placement": (
        TOP.replace("cluster", "cloud") + PIPE,
        "placement: expected cluster, gateway or relay, got cloud",
    ),
    "unknown key": ("colour = 1\n" + TOP + PIPE, "colour: unknown key"),
    "no streams": (TOP, "streams is missing"),
    "empty streams": (TOP + "streams = []\n", "streams: expected at least one table"),
    "no key file": (TOP.replace("zone.key", "gone.key") + PIPE, "gone.key: "),
    "no broker file": (TOP.replace("kafka.toml", "gone.toml") + PIPE, "gone.toml: No such file"),
    "windows": ("max_windows = 0\n" + TOP + PIPE, "max_windows: expected a number from 1 to 100000, got 0"),
    "not TOML": ("placement =", "not TOML"),
    "no policy": ('policy = "gone.toml"\n' + TOP + PIPE, "gone.toml"),
    "no kind": (TOP + PIPE.replace('kind = "pipe"\n', ""), "sensor 17: kind is missing"),
    "other kind": (TOP + PIPE.replace('"pipe"', '"camera"'), "sensor 17: kind: expected pipe, tcp or file"),
    "no sensor": (TOP + PIPE.replace("sensor = 17\n", ""), "stream 1: sensor is missing"),
    "sensor 0": (TOP + PIPE.replace("17\n", "0\n"), "sensor: expected a number from 1 to 4294967295, got 0"),
    "sensor twice": (TOP + PIPE + TCP.replace("18\n", "17\n"), "sensor: 17 stands there twice"),
    "port twice": (TOP + TCP + TCP.replace("sensor = 18", "sensor = 20"), "port: 7018 stands there twice"),
    "port too high": (TOP + TCP.replace("7018", "70180"), "sensor 18: port: expected a number from 1 to 65535"),
    "no rate": (TOP + PIPE.replace("rate = 48000\n", ""), "sensor 17: rate is missing"),
    "rate too low": (TOP + PIPE.replace("48000", "4000"), "rate: expected a number from 8000 to 192000, got 4000"),
    "format": (TOP + PIPE + 'format = "mp3"\n', "sensor 17: format: expected u8, s16le"),
    "channel": (TOP + PIPE + "channel = 2\n", "sensor 17: channel: expected at most 1, as channels says, got 2"),
    "each channel": (TOP + PIPE + 'channel = "each"\n', 'channel: expected a number from 1 to 64, or "mix", got each'),
    "calibration of the workers": (
        TOP.replace("cluster", "relay") + PIPE + 'calibration = "."\n',
        "in placement relay the workers have them",
    ),
    "policy of the workers": (TOP.replace("cluster", "relay") + 'policy = "noise"\n' + PIPE, "policy: unknown key"),
    "calibration": (TOP + TCP + 'calibration = "sensor-17.toml"\n', "of sensor 17, expected sensor 18"),
    "rate of a file": (TOP + FILE + "rate = 16000\n", "sensor 19: rate: unknown key"),
    "no recording": (TOP + FILE.replace("street.wav", "zone.key"), "sensor 19: path: "),
    "recording gone": (TOP + FILE.replace("street.wav", "gone.wav"), "gone.wav is no file"),
    "path of a port": (TOP + TCP + 'path = "x"\n', "sensor 18: path: unknown key"),
}


@pytest.mark.parametrize(("text", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_refused_by_the_name_of_its_key(folder: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        read(folder, text)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_command_refuses_in_one_line_and_begins_nothing(folder: Path) -> None:
    os.chmod(folder / "zone.key", 0o644)
    (folder / "gateway.toml").write_text(TOP + PIPE, "utf-8")
    result = call("gateway", "gateway.toml", cwd=folder)
    assert result.returncode == 2
    assert "its owner alone" in one_line(result)
    assert not (folder / "state").exists()
