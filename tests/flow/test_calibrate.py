"""A calibrator's tone makes levels sound pressure levels; what is no such tone is refused with its reason."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.chain import call, events_in, one_line
from tests.sounds import noise, pcm16, write_wav

from sourdine.calibration import Calibration, load, write
from sourdine.errors import ConfigError

RATE = 48_000


def tone(hz: float = 1_000.0, amplitude: float = 0.1, seconds: float = 8.0) -> NDArray[np.float64]:
    """Put a calibrator on for a while."""
    silence = noise(1.0, sample_rate=RATE, level=0.001)
    on = amplitude * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)
    return np.concatenate([silence, on, silence])


def test_a_tone_of_94_db_reads_94_db_afterwards(tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav", tone(), sample_rate=RATE)
    done = call("calibrate", "tone.wav", "--sensor", "17", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "full scale is 117.0 dB" in done.stdout
    found = load(tmp_path / "calibrations" / "sensor-17.toml", 17)
    assert (found.full_scale_db, found.tone_db, found.tone_hz) == (117.0, 94.0, 1000.0)
    assert found.spread_db <= 0.1
    write_wav(tmp_path / "long.wav", tone(seconds=65.0)[RATE:], sample_rate=RATE)
    call("run", "long.wav", "--calibration", "calibrations/sensor-17.toml", cwd=tmp_path)
    records = events_in(tmp_path / "sourdine-out")
    levels = [record["data"] for record in records if record["type"].endswith("level.v1")]
    assert (levels[0]["level_db"], levels[0]["scale"]) == (94, "db")
    assert next(r["data"]["state"] for r in records if r["type"].endswith("health.v1")) == "ok"


def test_a_pipe_at_250_hz_and_114_db(tmp_path: Path) -> None:
    options = ("--rate", str(RATE), "--tone", "114", "--hz", "250", "--json")
    done = call("calibrate", "-", *options, cwd=tmp_path, stdin=pcm16(tone(hz=250.0)))
    assert json.loads(done.stdout)["full_scale_db"] == 137.0
    assert call("calibrate", "-", *options[:-1], "--quiet", cwd=tmp_path, stdin=pcm16(tone(hz=250.0))).stdout == ""


def test_an_earlier_calibration_is_kept_under_its_date(tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav", tone(), sample_rate=RATE)
    for _ in range(2):
        assert call("calibrate", "tone.wav", "--quiet", cwd=tmp_path).returncode == 0
    names = sorted(file.name for file in (tmp_path / "calibrations").iterdir())
    assert len(names) == 2
    assert names[1] == "sensor-1.toml"
    assert all(load(tmp_path / "calibrations" / name).full_scale_db == 117.0 for name in names)


def test_one_channel_of_several(tmp_path: Path) -> None:
    both = np.stack([noise(10.0, sample_rate=RATE), tone()], axis=1)
    stereo = ("--rate", str(RATE), "--channels", "2", "--json")
    done = call("calibrate", "-", *stereo, "--channel", "2", cwd=tmp_path, stdin=pcm16(both))
    assert json.loads(done.stdout)["full_scale_db"] == 117.0
    assert "no_tone" in one_line(call("calibrate", "-", *stereo, cwd=tmp_path, stdin=pcm16(both)))


def test_recordings_have_one_calibration_and_no_folder_of_them(tmp_path: Path) -> None:
    calibration = Calibration(3, "2026-05-04T21:00:00Z", 1000.0, 94.0, 117.0, 0.1)
    write(tmp_path / "calibrations", calibration)
    write_wav(tmp_path / "in" / "a.wav", noise(61.0))
    for command in (("run", "in"), ("picture", "in/a.wav")):
        refused = call(*command, "--calibration", "calibrations", cwd=tmp_path)
        assert refused.returncode == 2
        assert "a recording does not say its sensor: give one file, like calibrations/sensor-" in one_line(refused)
    said = "that of sensor 3, 2026-05-04T21:00:00Z, for every input"
    done = call("run", "in", "--calibration", "calibrations/sensor-3.toml", cwd=tmp_path)
    assert (done.returncode, said in done.stdout) == (0, True)
    out = tmp_path / "sourdine-out"
    assert f"Calibration: {said}." in (out / "report.md").read_text("utf-8")
    assert json.loads((out / "report.json").read_bytes())["calibration"] == asdict(calibration)
    assert call("run", "in", "--json", cwd=tmp_path).returncode == 0
    assert json.loads((out / "report.json").read_bytes())["calibration"] is None


REFUSED: dict[str, tuple[NDArray[np.float64], str]] = {
    "noise": (noise(10.0, sample_rate=RATE), "no_tone: expected 5 s of a steady, pure tone of 1000 Hz, got 0 s"),
    "short": (tone(seconds=3.0), "no_tone: expected 5 s"),
    "another": (tone(hz=900.0), "no_tone: expected 5 s"),
    "other": (tone(hz=250.0), "wrong_frequency: expected a tone of 1000 Hz, got one of 250 Hz"),
    "covered": (
        tone() + 0.5 * noise(10.0, sample_rate=RATE),
        "too_noisy: expected a tone of 1000 Hz 15 dB above all else",
    ),
    "quiet": (0.0001 * tone(), "too_quiet: expected a tone above -90 dBFS, got silence"),
    "clipped": (np.clip(tone(amplitude=1.3), -1, 1), "clipped: expected a tone below full scale"),
    "saturated": (
        np.clip(tone(amplitude=0.5), -0.4, 0.4),
        "clipped: expected harmonics below 3 %, got 8.2 %: lower the gain",
    ),
    "loose": (tone() * np.linspace(1.0, 1.2, 10 * RATE), "unstable: expected a tone steady within 0.2 dB"),
}


def test_a_tone_with_the_distortion_of_a_calibrator_is_heard(tmp_path: Path) -> None:
    on = tone() + tone(hz=2_000.0, amplitude=0.002) + tone(hz=3_000.0, amplitude=0.0015)
    write_wav(tmp_path / "x.wav", on, sample_rate=RATE)
    assert call("calibrate", "x.wav", "--quiet", cwd=tmp_path).returncode == 0
    assert load(tmp_path / "calibrations" / "sensor-1.toml").full_scale_db == 117.0


def calibrated(folder: Path, change_db: float, *options: str) -> CompletedProcess[str]:
    """Calibrate with a sensor whose gain has changed since 117.0 dB were its full scale."""
    write_wav(folder / "tone.wav", tone(amplitude=0.1 * 10 ** (-change_db / 20)), sample_rate=RATE)
    return call("calibrate", "tone.wav", "--sensor", "17", *options, cwd=folder)


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A folder with a calibration of sensor 17 of May."""
    write(tmp_path / "calibrations", Calibration(17, "2026-05-04T21:00:00Z", 1000.0, 94.0, 117.0, 0.1))
    return tmp_path


@pytest.mark.parametrize(("change_db", "said"), [(0.0, "+0.0"), (0.4, "+0.4"), (-0.5, "−0.5")])
def test_drift_since_the_last_calibration_is_said(change_db: float, said: str, earlier: Path) -> None:
    done = calibrated(earlier, change_db)
    assert (done.returncode, done.stderr) == (0, "")
    kept = "calibrations/sensor-17.20260504T210000.toml"
    assert f"Drift: {said} dB since 2026-05-04T21:00:00Z, as {kept} has it.\n" in done.stdout
    assert load(earlier / kept, 17).full_scale_db == 117.0


@pytest.mark.parametrize(("change_db", "said"), [(0.6, "+0.6"), (-2.9, "−2.9"), (3.0, "+3.0")])
def test_a_drift_over_half_a_decibel_is_warned_of(change_db: float, said: str, earlier: Path) -> None:
    done = calibrated(earlier, change_db, "--quiet")
    assert (done.returncode, done.stdout) == (0, "")
    words = f"drift of {said} dB since 2026-05-04T21:00:00Z is more than 0.5 dB: levels in between are doubtful"
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert load(earlier / "calibrations" / "sensor-17.toml").full_scale_db == pytest.approx(117.0 + change_db)


@pytest.mark.parametrize("change_db", [3.1, -20.0])
def test_a_drift_that_is_none_is_refused(change_db: float, earlier: Path) -> None:
    done = calibrated(earlier, change_db)
    assert done.returncode == 2
    words = f"drifted: expected full scale within 3 dB of 117.0 dB, got {117 + change_db:.1f} dB"
    line = one_line(done)
    assert words in line
    assert "calibrations/sensor-17.toml, 2026-05-04T21:00:00Z" in line
    assert "move that file away" in line
    assert load(earlier / "calibrations" / "sensor-17.toml").date == "2026-05-04T21:00:00Z"
    assert len(list((earlier / "calibrations").iterdir())) == 1
    (earlier / "calibrations" / "sensor-17.toml").rename(earlier / "old.toml")
    assert "Drift" not in calibrated(earlier, change_db).stdout


def test_a_last_calibration_that_cannot_be_read_is_not_written_over(earlier: Path) -> None:
    file = earlier / "calibrations" / "sensor-17.toml"
    file.write_text("version = 1\n")
    done = calibrated(earlier, 0.0)
    assert done.returncode == 2
    assert "calibration calibrations/sensor-17.toml: sensor_id: missing" in one_line(done)
    assert file.read_text() == "version = 1\n"


def test_drift_in_json(earlier: Path) -> None:
    found = json.loads(calibrated(earlier, 1.0, "--json").stdout)
    assert (found["drift_db"], found["since"]) == (1.0, "2026-05-04T21:00:00Z")
    assert found["last_file"] == "calibrations/sensor-17.20260504T210000.toml"
    first = json.loads(calibrated(earlier, 1.0, "--json", "--out", "elsewhere").stdout)
    assert (first["drift_db"], first["since"], first["last_file"]) == (None, None, None)


@pytest.mark.parametrize(("sound", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_calibrators_tone(sound: NDArray[np.float64], words: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "x.wav", sound, sample_rate=RATE)
    done = call("calibrate", "x.wav", cwd=tmp_path)
    assert done.returncode == 2
    assert words in one_line(done)
    assert not (tmp_path / "calibrations").exists()


GOOD: dict[str, Any] = {
    "version": 1,
    "sensor_id": 17,
    "date": "2026-05-04T21:00:00Z",
    "tone_hz": 1000.0,
    "tone_db": 94.0,
    "full_scale_db": 117.0,
    "spread_db": 0.1,
}

BROKEN = {
    "version": ({"version": "2"}, "version: expected 1, got 2; calibrate the sensor anew"),
    "no version": ({"version": None}, "version: expected 1, got None"),
    "missing": ({"spread_db": None}, "spread_db: missing"),
    "unknown": ({"colour": '"red"'}, "colour: unknown key"),
    "words": ({"full_scale_db": '"loud"'}, "expected numbers"),
    "out of range": ({"full_scale_db": "300.0"}, "full_scale_db: expected 0 to 200, got 300.0"),
    "date": ({"date": '"today | yesterday"'}, "date: expected a time like"),
    "another sensor": ({"sensor_id": "18"}, "of sensor 18, expected sensor 17"),
}


@pytest.mark.parametrize(("change", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_files_that_are_no_calibration(change: dict[str, str | None], words: str, tmp_path: Path) -> None:
    values = {key: json.dumps(value) for key, value in GOOD.items()} | change
    file = tmp_path / "sensor-17.toml"
    file.write_text("".join(f"{key} = {value}\n" for key, value in values.items() if value is not None), "utf-8")
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, 17)


def test_a_good_file_and_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in GOOD.items()), "utf-8")
    assert load(tmp_path / "x.toml") == Calibration(**{key: value for key, value in GOOD.items() if key != "version"})
    for content in (b"\xff\xfe", b"not toml at all ==", b"x" * 5_000):
        (tmp_path / "y.toml").write_bytes(content)
        with pytest.raises(ConfigError, match=r"calibration .*y\.toml"):
            load(tmp_path / "y.toml")
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "gone.toml")
