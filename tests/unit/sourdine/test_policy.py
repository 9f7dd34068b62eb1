from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

import sourdine.policy
from sourdine.errors import PolicyError
from sourdine.policy import SHIPPED, load
from sourdine.policy_words import capacity_rows, capacity_words, policy_words

TODAY = date(2026, 1, 1)
BOUNDS = {"street": 0.30, "strict": 0.15, "noise": 0.90}
SHIPPED_STREET = Path(sourdine.policy.__file__).parent / "policies" / "street.toml"


def toml(fields: dict[str, Any]) -> str:
    """Write a policy; JSON's values are TOML's for all that a policy holds."""
    plain = {key: value for key, value in fields.items() if not isinstance(value, (dict, date)) and key != "levels"}
    lines = [f"{key} = {orjson.dumps(value).decode()}" for key, value in plain.items()]
    lines += [f"{key} = {value.isoformat()}" for key, value in fields.items() if isinstance(value, date)]
    for level in fields.get("levels", []):
        lines += ["[[levels]]", *(f"{key} = {orjson.dumps(value).decode()}" for key, value in level.items())]
    if "health" in fields:
        lines += ["[health]", *(f"{key} = {orjson.dumps(value).decode()}" for key, value in fields["health"].items())]
    return "\n".join(lines) + "\n"


def street_with(**changes: Any) -> str:
    """Write the street policy with some keys changed; None takes one out."""
    fields = tomllib.loads(SHIPPED_STREET.read_text("utf-8")) | changes
    return toml({key: value for key, value in fields.items() if value is not None})


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_policies_stand_within_the_stated_bound(name: str) -> None:
    policy = load(name, today=TODAY)
    assert policy.core.name == name
    assert policy.core.max_bit_per_s <= BOUNDS[name]
    assert policy.capacity.bit_per_s <= policy.core.max_bit_per_s
    assert "scream" not in policy.core.sound_classes
    assert "abnormal" not in policy.core.sound_classes


def test_a_file_is_read_like_a_shipped_one(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(street_with(name="ours", valid_until=date(2026, 1, 1)), "utf-8")
    policy = load(str(file), today=TODAY)
    assert policy.core.name == "ours"
    assert policy.valid_until == TODAY


BROKEN = {
    "unknown_key": ({"colour": "red"}, "colour"),
    "missing_key": ({"max_per_hour": None}, "max_per_hour"),
    "text_for_number": ({"max_per_hour": "20"}, "max_per_hour"),
    "bool_for_number": ({"max_per_minute": True}, "max_per_minute"),
    "float_for_count": ({"max_per_minute": 3.0}, "max_per_minute"),
    "negative": ({"max_per_minute": -1}, "max_per_minute"),
    "too_large": ({"repeat_s": 2**40}, "repeat_s"),
    "not_a_number": ({"alarms_per_day": "many"}, "alarms_per_day"),
    "no_alarms": ({"alarms_per_day": -5.0}, "alarms_per_day"),
    "class_of_speech": ({"sound_classes": ["speech"]}, "speech"),
    "class_not_permitted": ({"alert_classes": ["whistle", "scream"]}, "alert_classes"),
    "scream_not_named": ({"sound_classes": ["scream"], "full_band_classes": [], "alert_classes": []}, "scream"),
    "band_narrowed": ({"speech_band_hz": [300.0, 3400.0]}, "speech_band_hz"),
    "band_of_three": ({"speech_band_hz": [220.0, 1000.0, 3480.0]}, "speech_band_hz"),
    "over_its_bound": ({"max_bit_per_s": 0.01}, "max_bit_per_s"),
    "reserve_over_budget": ({"reserved_per_hour": 21}, "reserved_per_hour"),
    "unknown_metric": ({"levels": [{"metric": "lzmax", "period_s": 60}]}, "lzmax"),
    "unknown_level_key": ({"levels": [{"metric": "laeq", "period_s": 60, "band": 1}]}, "levels"),
    "level_every_second": ({"levels": [{"metric": "laeq", "period_s": 1}]}, "period_s"),
    "unknown_health_key": ({"health": {"period_s": 60, "why": 1}}, "health"),
    "expired": ({"valid_until": date(2025, 12, 31)}, "valid_until"),
    "end_is_text": ({"valid_until": "2030-12-31"}, "valid_until"),
}


@pytest.mark.parametrize(("changes", "named"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_policy_is_refused_with_its_key(changes: dict[str, Any], named: str, tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_text(street_with(**changes), "utf-8")
    with pytest.raises(PolicyError, match=named) as refusal:
        load(str(file), today=TODAY)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"name = ", b"\xff\xfe\x00", b"[levels]\n", b"name = 1\nname = 2\n"])
def test_what_is_no_policy_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.toml"
    file.write_bytes(content)
    with pytest.raises(PolicyError):
        load(str(file), today=TODAY)


def test_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(PolicyError, match="street, strict, noise"):
        load("steet", today=TODAY)


@pytest.mark.parametrize("name", SHIPPED)
def test_words_name_every_class_and_the_bound(name: str) -> None:
    policy = load(name, today=TODAY)
    words = dict(policy_words(policy))
    for sound_class in policy.core.sound_classes:
        assert sound_class.replace("_", " ") in words["may leave"]
    assert words["voices"] == "none"
    total = capacity_rows(policy)[-1]
    assert total[1] == pytest.approx(sum(row[1] for row in capacity_rows(policy)[:-1]))
    assert total[2] == pytest.approx(policy.capacity.bit_per_s)
    assert f"{policy.core.max_bit_per_s:g} bit/s" in capacity_words(policy)


def test_what_is_no_page_of_text_is_refused_before_it_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "long.toml").write_bytes(b"#" * 64_001)
    for path in (tmp_path / "pipe.toml", tmp_path / "long.toml", Path("/dev/zero"), tmp_path):
        with pytest.raises(PolicyError, match="expected a file of at most 64 kB"):
            load(str(path), today=TODAY)


@pytest.mark.parametrize(
    "text",
    ["x = " + "[" * 5000 + "]" * 5000, "max_per_hour = " + "9" * 5000, "max_bit_per_s = " + "9" * 400],
    ids=["deep", "digits", "large"],
)
def test_absurd_text_is_refused_in_one_line(text: str, tmp_path: Path) -> None:
    street = SHIPPED_STREET.read_text("utf-8")
    key = text.split(" ", 1)[0]
    kept = "\n".join(line for line in street.splitlines() if not line.startswith(f"{key} "))
    (tmp_path / "x.toml").write_text(f"{text}\n{kept}", "utf-8")
    with pytest.raises(PolicyError) as caught:
        load(str(tmp_path / "x.toml"), today=TODAY)
    assert "\n" not in str(caught.value)
