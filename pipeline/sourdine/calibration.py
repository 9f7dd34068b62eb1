"""Calibrations: one TOML file a sensor, that says what full scale is there and since when."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sourdine.errors import ConfigError, OutputError, printable
from sourdine.files import refuse_other_than_file, replace_file

if TYPE_CHECKING:
    from pathlib import Path

#: A calibration is a few lines.
_MAX_BYTES: Final = 4_000
#: Of the file's form.
_VERSION: Final = 1
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
#: Two calibrations in a row may differ by so much; levels in between are doubtful beyond (ISO 1996-2:2017).
WARN_DRIFT_DB: Final = 0.5
#: What differs by more has not drifted: gain or microphone was changed, or the calibrator's level is another.
MAX_DRIFT_DB: Final = 3.0
_NUMBERS: Final = ("tone_hz", "tone_db", "full_scale_db", "spread_db")


@dataclass(frozen=True, slots=True)
class Calibration:
    """What full scale is at a sensor.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.
    date : str
        When the tone was measured, RFC 3339 in UTC.
    tone_hz : float
        Frequency of the calibrator in Hz.
    tone_db : float
        Level of the calibrator in dB re 20 µPa.
    full_scale_db : float
        Level of a mean square of 1 in dB re 20 µPa.
    spread_db : float
        Highest less lowest level of the tone in dB.
    """

    sensor_id: int
    date: str
    tone_hz: float
    tone_db: float
    full_scale_db: float
    spread_db: float


@dataclass(frozen=True, slots=True)
class Drift:
    """What full scale has changed by since the last calibration.

    Parameters
    ----------
    db : float
        In steps of 0.1 dB.
    since : str
        Date of the last one.
    file : pathlib.Path
        Where the last one is kept, once the new one is written.
    """

    db: float
    since: str
    file: Path

    @property
    def is_large(self) -> bool:
        """Whether levels since the last calibration are doubtful."""
        return abs(self.db) > WARN_DRIFT_DB


def drift(folder: Path, calibration: Calibration) -> Drift | None:
    """Compare a calibration with the sensor's last one.

    Parameters
    ----------
    folder : pathlib.Path
        Of the calibrations.
    calibration : Calibration
        What was measured.

    Returns
    -------
    Drift or None
        None if it is the first.

    Raises
    ------
    ConfigError
        If the last one cannot be read, or full scale has changed by more than `MAX_DRIFT_DB`.
    """
    path = folder / file_name(calibration.sensor_id)
    if not path.exists():
        return None
    last = load(path, calibration.sensor_id)
    found = round(calibration.full_scale_db - last.full_scale_db, 1)
    if abs(found) > MAX_DRIFT_DB:
        raise ConfigError(
            f"drifted: expected full scale within {MAX_DRIFT_DB:g} dB of {last.full_scale_db:.1f} dB, got "
            f"{calibration.full_scale_db:.1f} dB; the last calibration is {path}, {last.date}: is the "
            "calibrator's level right? If gain or microphone was changed, move that file away"
        )
    return Drift(found, last.date, _kept(path))


def file_name(sensor_id: int) -> str:
    """Return the name of a sensor's file.

    Parameters
    ----------
    sensor_id : int
        Number of the sensor.

    Returns
    -------
    str
        For instance ``sensor-17.toml``.
    """
    return f"sensor-{sensor_id}.toml"


def write(folder: Path, calibration: Calibration) -> Path:
    """Write a sensor's file; the one before it is kept under its date.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is not there.
    calibration : Calibration
        What was measured.

    Returns
    -------
    pathlib.Path
        Of the file.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = folder / file_name(calibration.sensor_id)
    text = "# What full scale is at a sensor, measured with a calibrator's tone.\n"
    text += f'version = {_VERSION}\nsensor_id = {calibration.sensor_id}\ndate = "{calibration.date}"\n'
    text += "".join(f"{name} = {getattr(calibration, name):.1f}\n" for name in _NUMBERS)
    try:
        if path.exists():
            replace_file(_kept(path), path.read_bytes())  # a copy: the sensor is never without a file
    except OSError as error:
        raise OutputError(f"cannot read {printable(str(path))}: {error.strerror}") from None
    replace_file(path, text.encode())
    return path


def load(path: Path, sensor_id: int | None = None) -> Calibration:
    """Read a calibration.

    Parameters
    ----------
    path : pathlib.Path
        A sensor's file; a folder of such files if the sensor is known.
    sensor_id : int or None, default=None
        The sensor that it must be of; None if it is not known.

    Returns
    -------
    Calibration
        What full scale is.

    Raises
    ------
    ConfigError
        If it cannot be read, is no calibration, or is another sensor's.
    """
    file = path
    if path.is_dir():
        if sensor_id is None:
            example = path / file_name(1)
            raise ConfigError(f"calibration {path}: a recording does not say its sensor: give one file, like {example}")
        file = path / file_name(sensor_id)
    try:
        refuse_other_than_file(file)
        if file.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"calibration {file}: expected a file of at most {_MAX_BYTES // 1000} kB")
        found = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"calibration {file}: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"calibration {file}: not TOML") from None
    calibration = _checked(file, found)
    if sensor_id not in (None, calibration.sensor_id):
        raise ConfigError(f"calibration {file}: of sensor {calibration.sensor_id}, expected sensor {sensor_id}")
    return calibration


def _checked(file: Path, found: dict[str, Any]) -> Calibration:
    version = found.pop("version", None)
    if version != _VERSION:
        raise ConfigError(f"calibration {file}: version: expected {_VERSION}, got {version}; calibrate the sensor anew")
    names = [field.name for field in fields(Calibration)]
    for name in found:
        if name not in names:
            raise ConfigError(f"calibration {file}: {name}: unknown key")
    for name in names:
        if name not in found:
            raise ConfigError(f"calibration {file}: {name}: missing")
    numbers = [found[name] for name in (*_NUMBERS, "sensor_id")]
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in numbers):
        raise ConfigError(f"calibration {file}: expected numbers for {', '.join(_NUMBERS)} and sensor_id")
    if not isinstance(found["date"], str) or not _DATE.fullmatch(found["date"]):
        raise ConfigError(f'calibration {file}: date: expected a time like "2026-05-04T21:00:00Z"')
    if not 0 <= found["full_scale_db"] <= 200:
        raise ConfigError(f"calibration {file}: full_scale_db: expected 0 to 200, got {found['full_scale_db']}")
    return Calibration(**found)


def _kept(path: Path) -> Path:
    """Name for a file that is replaced: with its own date, or the day it was last changed."""
    try:
        date = datetime.fromisoformat(str(tomllib.loads(path.read_text("utf-8"))["date"]))
    except (KeyError, OSError, ValueError):
        date = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    return path.with_name(f"{path.stem}.{date:%Y%m%dT%H%M%S}.toml")
