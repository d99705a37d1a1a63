"""Turns the descriptions of the settings into a commented example file, and into an explanation of a refused value."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_WIDTH = 100
_HEAD = """
All settings of FacialNet Kiosk, with their defaults. You may delete what you do not change.
Check it with `kiosk config check FILE`, then start the machine with `kiosk run --config FILE`.
A relative path starts at this file's folder.
"""


def example(config: type[BaseModel]) -> str:
    """Returns a settings file with every key, its default, and as a comment its description and limits."""
    lines = [*_comment(_HEAD.strip(), keep=True)]
    for name, section in config.model_fields.items():
        table = _table(section)
        lines += ["", *_comment(" ".join((table.__doc__ or "").split())), f"[{name}]"]
        for key, field in table.model_fields.items():
            lines += [*_comment(f"{key}: {_description(field)}"), f"{key} = {_toml(field.default)}"]
    return "\n".join(lines) + "\n"


def explain(config: type[BaseModel], problem: ErrorDetails) -> str:
    """Returns one line: the key and its value, what is wrong with it, and the key's description and limits."""
    if not problem["loc"]:  # a check of two tables together
        return problem["msg"].removeprefix("Value error, ")
    keys = [str(part) for part in problem["loc"]]
    name, section = ".".join(keys), config.model_fields.get(keys[0])
    if problem["type"] == "extra_forbidden":
        return f"unknown key {name}; the known keys are {_known_keys(config, keys)}"
    if problem["type"] == "value_error":
        return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
    if len(keys) == 1:
        known = _known_keys(config, [*keys, ""])
        return f"{name} = {problem['input']!r}: it must be a table, [{name}], with the keys {known}"
    assert section is not None
    field = _table(section).model_fields[keys[1]]
    return f"{name} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]} ({_description(field)})"


def _description(field: FieldInfo) -> str:
    """Returns the description of a key, followed by its limits."""
    limits = _limits(field)
    return f"{field.description}; {limits}" if limits else str(field.description)


def _limits(field: FieldInfo) -> str:
    """Returns `160 to 7680`, `true or false`, or nothing where the description gives the limits."""
    if field.annotation is bool:
        return "true or false"
    if choices := [value for value in _choices(field.annotation) if isinstance(value, str)]:
        return f"allowed: {', '.join(map(_toml, choices))}"
    bounds = {
        name: getattr(each, name) for each in field.metadata for name in ("ge", "gt", "le") if hasattr(each, name)
    }
    if "le" not in bounds:
        return ""
    low = f"{bounds['ge']}" if "ge" in bounds else f"over {bounds['gt']}"
    return f"{low} to {bounds['le']}"


def _choices(annotation: Any) -> Iterator[Any]:
    """Yields the values that a `Literal` allows, also inside a tuple."""
    for argument in get_args(annotation):
        if get_args(argument):
            yield from _choices(argument)
        else:
            yield argument


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _comment(text: str, *, keep: bool = False) -> list[str]:
    lines = text.splitlines() if keep else textwrap.wrap(text, _WIDTH - 2, break_long_words=False)
    return [f"# {line}" for line in lines]


def _known_keys(config: type[BaseModel], keys: list[str]) -> str:
    """Returns the names that the last of `keys` could have."""
    return ", ".join(config.model_fields if len(keys) == 1 else _table(config.model_fields[keys[0]]).model_fields)


def _table(section: FieldInfo) -> type[BaseModel]:
    assert isinstance(section.annotation, type)
    assert issubclass(section.annotation, BaseModel)
    return section.annotation
