"""Damages the content of structured data but keeps its form: valid JSON stays valid JSON with other values."""

from __future__ import annotations

import json
import re
from random import Random
from typing import Any

from tests.fuzz.mutations import damage

WRONG: tuple[Any, ...] = (
    None,
    True,
    False,
    -1,
    0,
    1,
    1.5,
    -0.0,
    1e308,
    float("inf"),
    float("nan"),
    2**31,
    2**63,
    10**40,
    "",
    " ",
    "0",
    "yes",
    "\0",
    "\ud800",
    "\u202e\U0001d51e",
    "../../../../etc/passwd",
    "x" * 5000,
    "2026-03-02T12:00:00Z",
    [],
    {},
    [[]],
    [None] * 300,
    {"": None},
)
TOML_WRONG = (
    "true",
    "-1",
    "0",
    "1.5",
    "inf",
    "nan",
    "9223372036854775807",
    "9" * 4000,
    '""',
    '" "',
    '"\\u0000"',
    '"\\u202e\\U0001d51e"',
    '"../../../../etc/passwd"',
    '"/dev/zero"',
    '"~nobody-there/x"',
    f'"{"x" * 5000}"',
    "2026-03-02",
    "2026-03-02T12:00:00Z",
    "[]",
    "[[], [1]]",
    "{}",
    "{a = 1}",
    f"[{'0, ' * 300}]",
)


def damage_json(sample: bytes, random: Random) -> bytes:
    """Returns JSON in which a few values, keys or items are changed, missing or repeated."""
    holder = [json.loads(sample)]
    for _ in range(random.choice((1, 1, 2, 4))):
        _change(holder, random)
    return json.dumps(holder[0]).encode()


def _change(holder: list[Any], random: Random) -> None:
    inner, key = random.choice(_places(holder))
    match random.randrange(6):
        case 0 if len(inner) > 1:
            del inner[key]
        case 1 if isinstance(inner, dict):  # under another name
            inner[random.choice(("", "kind", "\0", str(key).upper(), f"{key}_"))] = inner.pop(key)
        case 2:  # a value from another place
            there, other = random.choice(_places(holder))
            inner[key] = json.loads(json.dumps(there[other]))
        case 3 if isinstance(inner, list) and inner is not holder:
            inner.insert(random.randrange(len(inner) + 1), json.loads(json.dumps(inner[key])))
        case 4 if isinstance(inner[key], (int, float)):
            inner[key] = random.choice(
                (inner[key] + 1, -inner[key], inner[key] * 1000, float(inner[key]), str(inner[key]))
            )
        case _:
            wrong = random.choice(WRONG)
            inner[key] = json.loads(json.dumps(wrong))


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Returns every list and mapping inside a value, with each of its keys."""
    if not isinstance(value, (dict, list)):
        return []
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def damage_toml(sample: bytes, random: Random) -> bytes:
    """Returns TOML in which a few lines have another value, are missing, or are in another table."""
    lines = sample.decode().splitlines()
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.choice([number for number, line in enumerate(lines) if re.match(r"[\w\[]", line)])
        match random.randrange(6):
            case 0:
                del lines[at]
            case 1:
                lines.insert(random.randrange(len(lines) + 1), lines[at])
            case 2 if " = " in lines[at]:  # the value of another line
                other = random.choice([line for line in lines if " = " in line])
                lines[at] = f"{lines[at].partition(' = ')[0]} = {other.partition(' = ')[2]}"
            case _ if " = " in lines[at]:
                lines[at] = f"{lines[at].partition(' = ')[0]} = {random.choice(TOML_WRONG)}"
            case _:
                lines[at] = lines[at].upper()
    return "\n".join(lines).encode() + b"\n"


def damage_packets(sample: bytes, random: Random) -> bytes:
    """Returns MQTT control packets, one of them changed but with a correct length, or repeated."""
    packets, at = [], 0
    while at < len(sample):
        first, (length, start) = sample[at], _length(sample, at + 1)
        packets.append((first, sample[start : start + length]))
        at = start + length
    at = random.randrange(len(packets))
    first, body = packets[at]
    match random.randrange(4):
        case 0:
            packets.insert(random.randrange(len(packets) + 1), packets[at])
        case 1:
            packets[at] = (random.randrange(256), body)
        case _:
            packets[at] = (first, damage(body, random))
    return b"".join(bytes((first,)) + _varint(len(body)) + body for first, body in packets)


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Returns a variable byte integer (MQTT 5.0, 1.5.5) and the position after it."""
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _varint(value: int) -> bytes:
    parts = []
    while value >= 0x80:
        parts.append(value % 0x80 | 0x80)
        value //= 0x80
    return bytes((*parts, value))
