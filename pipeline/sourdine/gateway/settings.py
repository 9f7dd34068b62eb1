"""What a gateway is set to: one TOML file, read once; whatever does not hold is refused by the name of its key."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dsp_core.zone import BlockError, Source

from sourdine import broker, calibration, keys, policy
from sourdine.errors import ConfigError, words_of
from sourdine.pcm import MAX_CHANNELS, MAX_SAMPLE_RATE, MIN_SAMPLE_RATE, PCM_ENCODINGS, PcmFormat, channel_of

if TYPE_CHECKING:
    from datetime import date

    from dsp_core.zone import Sealer

    from sourdine.broker import BrokerSettings
    from sourdine.policy import LoadedPolicy

PLACEMENTS: Final = ("cluster", "gateway", "relay")
KINDS: Final = ("pipe", "tcp", "file")

_MAX_BYTES: Final = 4_000_000
_LAST_SENSOR: Final = 2**32 - 1
_TOP: Final = ("placement", "kafka", "key", "state", "streams")
#: Of each placement; in `relay` the policy is the workers' alone, and so are calibrations.
_TOP_OPTIONAL: Final = {
    "cluster": ("policy", "max_windows"),
    "gateway": ("policy",),
    "relay": ("max_blocks",),
}
#: Keys of a stream by its kind: those that must be there, and those that may.
_STREAM: Final = {
    "pipe": (("path", "rate"), ("format", "channels", "channel", "calibration")),
    "tcp": (("port", "rate"), ("format", "channels", "channel", "calibration")),
    "file": (("path",), ("channel", "calibration")),
}
_MAX_WINDOWS: Final = 512
#: Of a second at 16 kHz: some 66 MB.
_MAX_BLOCKS: Final = 2_048


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """One stream.

    Parameters
    ----------
    sensor_id : int
        Number that its records carry.
    kind : str
        One of `KINDS`.
    pcm : PcmFormat
        Layout of the sound; of a file the sample rate alone counts.
    path : pathlib.Path or None, default=None
        Of the named pipe or the recording.
    port : int, default=0
        On 127.0.0.1, where the stream is listened for.
    channel : str, default="1"
        Number of the channel, or ``mix`` for the mean of all.
    full_scale_db : float or None, default=None
        Level of full scale in dB re 20 µPa, from the calibration.
    """

    sensor_id: int
    kind: str
    pcm: PcmFormat
    path: Path | None = None
    port: int = 0
    channel: str = "1"
    full_scale_db: float | None = None


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """One gateway.

    Parameters
    ----------
    placement : str
        One of `PLACEMENTS`.
    broker : BrokerSettings
        Where records, and windows, go.
    sealer : Sealer
        With the zone's key.
    state : pathlib.Path
        Folder of states and of records that wait.
    policy : LoadedPolicy
        What may leave.
    streams : tuple of StreamSettings
        At least one.
    max_windows : int, default=512
        Sealed windows that wait in memory at most.
    max_blocks : int, default=2048
        Sealed blocks that wait in memory at most.
    """

    placement: str
    broker: BrokerSettings
    sealer: Sealer
    state: Path
    policy: LoadedPolicy
    streams: tuple[StreamSettings, ...]
    max_windows: int = _MAX_WINDOWS
    max_blocks: int = _MAX_BLOCKS


def load(path: Path, *, today: date) -> GatewaySettings:
    """Read a gateway's file and all that it names.

    Parameters
    ----------
    path : pathlib.Path
        A TOML file; paths in it are taken from its folder.
    today : datetime.date
        The day that the policy is held against.

    Returns
    -------
    GatewaySettings
        Nothing was connected to, and no sound was read.

    Raises
    ------
    ConfigError
        If it cannot be read, or a key is unknown, missing or wrong.
    """
    table = _Table(_read(path), str(path), path.parent)
    placement = table.keys.get("placement")
    if placement in PLACEMENTS or placement is None:
        table.check_names(_TOP, _TOP_OPTIONAL.get(placement or "", ()))
    name = table.text("policy", "street")
    return GatewaySettings(
        placement=table.one_of("placement", PLACEMENTS),
        broker=broker.load(table.path("kafka")),
        sealer=keys.sealer(table.path("key")),
        state=table.path("state"),
        policy=policy.load(name if name in policy.SHIPPED else str(path.parent / name), today=today),
        streams=_streams(table),
        max_windows=table.number("max_windows", 1, 100_000, _MAX_WINDOWS),
        max_blocks=table.number("max_blocks", 1, 100_000, _MAX_BLOCKS),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{path}: expected a file of at most {_MAX_BYTES // 1_000_000} MB")
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except (RecursionError, ValueError):
        raise ConfigError(f"{path}: not TOML") from None


def _streams(table: _Table) -> tuple[StreamSettings, ...]:
    found = table.keys["streams"]
    if not isinstance(found, list) or not found or not all(isinstance(keys, dict) for keys in found):
        raise table.refusal("streams", "at least one table [[streams]]")
    streams = tuple(_stream(table, number, keys) for number, keys in enumerate(found, start=1))
    if table.keys["placement"] == "relay" and any(stream.full_scale_db is not None for stream in streams):
        raise ConfigError(f"{table.name}: calibration: in placement relay the workers have them")
    _refuse_twice(table, "sensor", [stream.sensor_id for stream in streams])
    _refuse_twice(table, "port", [stream.port for stream in streams if stream.port])
    _refuse_twice(table, "path", [stream.path for stream in streams if stream.kind == "pipe"])
    return streams


def _stream(top: _Table, number: int, found: dict[str, Any]) -> StreamSettings:
    sensor = found.get("sensor")
    name = f"sensor {sensor}" if isinstance(sensor, int) else f"stream {number}"
    table = _Table(found, f"{top.name}: {name}", top.folder)
    if "kind" not in found:
        raise ConfigError(f"{table.name}: kind is missing")
    kind = table.one_of("kind", KINDS)
    wanted, optional = _STREAM[kind]
    table.check_names(("sensor", "kind", *wanted), optional)
    sensor_id = table.number("sensor", 1, _LAST_SENSOR)
    channel = _channel(table)
    full_scale_db = None
    if "calibration" in found:
        full_scale_db = calibration.load(table.path("calibration"), sensor_id).full_scale_db
    path = table.path("path") if "path" in found else None
    return StreamSettings(
        sensor_id=sensor_id,
        kind=kind,
        pcm=_pcm_of(table, path, channel) if kind == "file" and path else _pcm(table, channel),
        path=path,
        port=table.number("port", 1, 65_535) if kind == "tcp" else 0,
        channel=channel,
        full_scale_db=full_scale_db,
    )


def _channel(table: _Table) -> str:
    found = table.keys.get("channel", 1)
    if found == "mix":
        return "mix"
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= MAX_CHANNELS:
        raise table.refusal("channel", f'a number from 1 to {MAX_CHANNELS}, or "mix"')
    return str(found)


def _pcm(table: _Table, channel: str) -> PcmFormat:
    pcm = PcmFormat(
        sample_rate=table.number("rate", MIN_SAMPLE_RATE, MAX_SAMPLE_RATE),
        encoding=table.one_of("format", PCM_ENCODINGS, "s16le"),
        n_channels=table.number("channels", 1, MAX_CHANNELS, 1),
    )
    if channel != "mix" and int(channel) > pcm.n_channels:
        raise table.refusal("channel", f"at most {pcm.n_channels}, as channels says")
    return pcm


def _pcm_of(table: _Table, path: Path, channel: str) -> PcmFormat:
    """Look at what a recording says of itself."""
    try:
        if not path.is_file():
            raise ConfigError(f"{table.name}: path: {path} is no file")
        source = Source.open(path, sensor_id=0, channel=channel_of(channel))
    except BlockError as error:
        raise ConfigError(f"{table.name}: path: {path}: {words_of(str(error), error.reason)}") from None
    return PcmFormat(sample_rate=source.sample_rate, encoding="s16le", n_channels=source.n_channels)


def _refuse_twice(table: _Table, key: str, values: list[Any]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(f"{table.name}: {key}: {value} stands there twice")


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the file, whose keys are looked at by name."""

    keys: dict[str, Any]
    name: str
    folder: Path

    def refusal(self, key: str, expected: str) -> ConfigError:
        found = self.keys.get(key)
        shown = f", got {found}" if isinstance(found, (bool, int, float, str)) else ""
        return ConfigError(f"{self.name}: {key}: expected {expected}{shown}")

    def check_names(self, wanted: tuple[str, ...], optional: tuple[str, ...]) -> None:
        for key in self.keys:
            if key not in wanted and key not in optional:
                raise ConfigError(f"{self.name}: {key}: unknown key; known: {', '.join((*wanted, *optional))}")
        for key in wanted:
            if key not in self.keys:
                raise ConfigError(f"{self.name}: {key} is missing")

    def text(self, key: str, default: str | None = None) -> str:
        found = self.keys.get(key, default)
        if not isinstance(found, str) or not found.isprintable() or not found:
            raise self.refusal(key, "a text in quotes")
        return found

    def path(self, key: str) -> Path:
        return self.folder / self.text(key)

    def one_of(self, key: str, words: tuple[str, ...], default: str | None = None) -> str:
        found = self.keys.get(key, default)
        if found not in words:
            raise self.refusal(key, ", ".join(words[:-1]) + f" or {words[-1]}")
        return str(found)

    def number(self, key: str, least: int, most: int, default: int | None = None) -> int:
        found = self.keys.get(key, default)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            raise self.refusal(key, f"a number from {least} to {most}")
        return found
