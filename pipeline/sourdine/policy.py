"""Policies: TOML files that say what may leave. Read here, checked here and in the core, and stated in words here."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson
from dsp_core.records import Capacity, ParameterError, Policy, capacity

from sourdine.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable

#: Policies that come with the application, the default one first.
SHIPPED: Final = ("street", "strict", "noise")
#: A policy is a page of text.
MAX_BYTES: Final = 64_000

#: Information rate of speech, Coupé et al. 2019, doi 10.1126/sciadv.aaw2594.
SPEECH_BIT_PER_S: Final = 39.0

_FOLDER: Final = Path(__file__).parent / "policies"
_Check: TypeAlias = "Callable[[object], bool]"
_Words: TypeAlias = list[tuple[str, str]]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_band(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_is_number(edge) for edge in value)


def _is_health(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"period_s"} and _is_count(value["period_s"])


def _is_level(value: object) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"metric", "period_s"}
        and isinstance(value["metric"], str)
        and _is_count(value["period_s"])
    )


def _is_levels(value: object) -> bool:
    return isinstance(value, list) and all(_is_level(level) for level in value)


#: Every key but the optional `valid_until`, what it must be, and in words. All are required, so that a policy can be
#: read without knowing defaults; what a value may be beyond its type is the core's to say.
_KEYS: Final[dict[str, tuple[_Check, str]]] = {
    "name": (lambda value: isinstance(value, str), "a text"),
    "sound_classes": (_is_names, "a list of class names"),
    "full_band_classes": (_is_names, "a list of class names"),
    "voice_classes": (_is_names, "a list of class names"),
    "alert_classes": (_is_names, "a list of class names"),
    "max_per_minute": (_is_count, "a whole number"),
    "max_per_hour": (_is_count, "a whole number"),
    "reserved_per_minute": (_is_count, "a whole number"),
    "reserved_per_hour": (_is_count, "a whole number"),
    "merge_gap_s": (_is_count, "whole seconds"),
    "repeat_s": (_is_count, "whole seconds"),
    "alarms_per_day": (_is_number, "a number"),
    "speech_band_hz": (_is_band, "two numbers [from, to]"),
    "max_bit_per_s": (_is_number, "a number"),
    "levels": (_is_levels, "tables [[levels]] with metric and period_s"),
    "health": (_is_health, "a table [health] with period_s"),
}


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy that stands.

    Parameters
    ----------
    core : Policy
        The core's own.
    capacity : Capacity
        What it can carry.
    valid_until : datetime.date or None
        Its last day, if it has one.
    """

    core: Policy
    capacity: Capacity
    valid_until: date | None


def load(name_or_path: str, *, today: date) -> LoadedPolicy:
    """Read and check a policy.

    Parameters
    ----------
    name_or_path : str
        Name of a shipped policy, or path of a TOML file.
    today : datetime.date
        The day that `valid_until` is held against.

    Returns
    -------
    LoadedPolicy
        The policy.

    Raises
    ------
    PolicyError
        If it cannot be read, has an unknown, missing or wrong key, is out of range, can carry more than its own
        ``max_bit_per_s``, or has expired.
    """
    path = _FOLDER / f"{name_or_path}.toml" if name_or_path in SHIPPED else Path(name_or_path)
    fields = _read(path, name_or_path)
    try:
        valid_until = _valid_until(fields, today)
        _check_keys(fields)
        core = Policy(**fields, valid_until=None if valid_until is None else valid_until.isoformat())
        core.check_model()
        return LoadedPolicy(core=core, capacity=capacity(core), valid_until=valid_until)
    except (ParameterError, PolicyError) as error:
        raise PolicyError(f"policy {name_or_path}: {error}") from None
    except OverflowError:
        raise PolicyError(f"policy {name_or_path}: a number is too large") from None


def fields_of(policy: LoadedPolicy) -> dict[str, Any]:
    """Return a policy as its file says it.

    Parameters
    ----------
    policy : LoadedPolicy
        A policy that stands.

    Returns
    -------
    dict
        Every key of a policy file, in the order of its name.
    """
    core = policy.core
    fields = {key: getattr(core, key) for key in _KEYS if key not in ("levels", "health")}
    fields["levels"] = [{"metric": metric, "period_s": period_s} for metric, period_s in core.levels]
    fields["health"] = {"period_s": core.health_period_s}
    fields["valid_until"] = core.valid_until
    return dict(sorted(fields.items()))


def policy_id(policy: LoadedPolicy) -> str:
    """Return what a policy is told from another by, whatever its file is called and however it is written.

    Parameters
    ----------
    policy : LoadedPolicy
        A policy that stands.

    Returns
    -------
    str
        SHA-256 of its fields, in hexadecimal digits.
    """
    return hashlib.sha256(orjson.dumps(fields_of(policy))).hexdigest()


def policy_json(policy: LoadedPolicy) -> bytes:
    """Return a policy and what it can carry, for machines.

    Parameters
    ----------
    policy : LoadedPolicy
        A policy that stands.

    Returns
    -------
    bytes
        One JSON document, indented, with a line end.
    """
    bits = policy.capacity
    document = {
        "policy": fields_of(policy),
        "policy_id": policy_id(policy),
        "capacity": {
            "bit_per_s": bits.bit_per_s,
            "bits_per_hour": bits.bits_per_hour,
            "event_bits_per_hour": bits.event_bits_per_hour,
            "level_bits_per_hour": bits.level_bits_per_hour,
            "health_bits_per_hour": bits.health_bits_per_hour,
            "worst_minute_bits": bits.worst_minute_bits,
            "worst_unaligned_hour_bits": bits.worst_unaligned_hour_bits,
        },
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _read(path: Path, shown: str) -> dict[str, Any]:
    try:
        # Looked at before it is opened: a pipe would be waited for, and a device has no end.
        if path.exists() and (not path.is_file() or path.stat().st_size > MAX_BYTES):
            raise PolicyError(f"policy {shown}: expected a file of at most {MAX_BYTES // 1000} kB")
        with path.open("rb") as file:
            return tomllib.load(file)
    except (RecursionError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise PolicyError(f"policy {shown}: not a text file") from None
        if isinstance(error, tomllib.TOMLDecodeError):
            raise PolicyError(f"policy {shown}: not TOML: {error}") from None
        raise PolicyError(f"policy {shown}: nested too deeply, or a number of too many digits") from None
    except OSError as error:
        near = get_close_matches(shown, SHIPPED, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
        raise PolicyError(f"policy {shown}: {error.strerror}; shipped policies: {', '.join(SHIPPED)}{meant}") from None


def _valid_until(fields: dict[str, Any], today: date) -> date | None:
    if "valid_until" not in fields:
        return None
    last_day = fields.pop("valid_until")
    if not isinstance(last_day, date) or isinstance(last_day, datetime):
        raise PolicyError("valid_until: expected a date like 2030-12-31")
    if last_day < today:
        raise PolicyError(f"valid_until: its last day was {last_day}")
    return last_day


def _check_keys(fields: dict[str, Any]) -> None:
    for key in fields:
        if key not in _KEYS:
            raise PolicyError(f"{key}: unknown key")
    for key, (is_right, expected) in _KEYS.items():
        if key not in fields:
            raise PolicyError(f"{key}: missing")
        if not is_right(fields[key]):
            raise PolicyError(f"{key}: expected {expected}")
