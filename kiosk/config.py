"""The kiosk's settings: one TOML file → one validated, immutable object.

An unknown key is an error, because a misspelt one would otherwise silently do nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from kiosk.errors import KioskError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ConfigError(KioskError):
    """A settings file that cannot be read, or says what makes no sense."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CameraConfig(_Section):
    """Where the picture comes from."""

    source: str = Field(
        "auto",
        description='"auto" (a camera if there is one, else the demo clip), "0", "/dev/video0", a file, a folder',
    )
    width: Annotated[int, Field(ge=160, le=7680)] = Field(640, description="pixels to ask of a camera")
    height: Annotated[int, Field(ge=120, le=4320)] = Field(480, description="pixels to ask of a camera")
    rate: Annotated[float, Field(ge=1, le=240)] = Field(30.0, description="frames a second to ask of a camera")


class VisionConfig(_Section):
    """How faces are looked for and judged."""

    engine: str = Field("auto", description='"auto" or the path of an engine')
    smallest_face: Annotated[float, Field(ge=0.05, le=1)] = Field(
        0.2, description="height of the smallest face that is found at once, as a share of the frame's height"
    )


class WindowConfig(_Section):
    """What the screen shows."""

    fullscreen: bool = Field(False, description="whether the window fills the screen")
    mirror: bool = Field(True, description="whether the picture is shown as in a mirror")


class Config(_Section):
    """Everything that can be set."""

    camera: CameraConfig = CameraConfig()
    vision: VisionConfig = VisionConfig()
    window: WindowConfig = WindowConfig()


def load(path: Path) -> Config:
    """Reads a settings file. Raises `ConfigError`, whose one line names the key and what it may be."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"settings {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"settings {path} are not UTF-8 text") from error
    try:
        return Config.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"settings {path} are not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"settings {path}: {_explained(error.errors()[0])}") from error


def _explained(problem: ErrorDetails) -> str:
    keys = [str(part) for part in problem["loc"]]
    name, section = ".".join(keys), Config.model_fields.get(keys[0])
    if problem["type"] == "extra_forbidden":
        return f"unknown key {name}; there is {_known(keys)}"
    if len(keys) == 1:
        return f"{name} = {problem['input']!r}: it is a table, [{name}], of {_known([*keys, ''])}"
    assert section is not None
    description = _keys_of(section)[keys[1]].description
    return f"{name} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]} ({description})"


def _known(keys: list[str]) -> str:
    """What there is beside the last of `keys`."""
    fields = Config.model_fields if len(keys) == 1 else _keys_of(Config.model_fields[keys[0]])
    return ", ".join(fields)


def _keys_of(section: FieldInfo) -> dict[str, FieldInfo]:
    assert isinstance(section.annotation, type)
    assert issubclass(section.annotation, _Section)
    return section.annotation.model_fields
