"""What a table of the settings is, and the kinds of values that several of them hold."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Language = Literal["en", "zh", "de"]
Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=1, le=3600)]


def _can_be_there(path: str) -> str:
    """Linux's NAME_MAX and PATH_MAX, with room for the folder of the settings and for what lies beside the file."""
    if len(path.encode()) > 2048 or any(len(name.encode()) > 200 for name in path.split("/")):
        raise ValueError("no file's path is so long: a name has up to 200 bytes, and all of it up to 2048")
    return path


FilePath = Annotated[str, Field(min_length=1, pattern=r"^[^\x00]*$"), AfterValidator(_can_be_there)]
Port = Annotated[str, Field(pattern=r"^(none|/[^\x00]+)$"), AfterValidator(_can_be_there)]
KIND = r"^[a-z][a-z0-9_-]{0,31}$"


class Section(BaseModel):
    """A table of the file. Its docstring heads it in the example."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
