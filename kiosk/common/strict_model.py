"""The base of the project's pydantic models, and a validation error as one line of text."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError


class StrictModel(BaseModel):
    """An immutable model that refuses unknown keys and values of another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def first_problem(error: ValidationError) -> str:
    """Returns the first thing that a model refused: `key.name: what is wrong with it`."""
    problem = error.errors()[0]
    name = ".".join(map(str, problem["loc"]))
    message = problem["msg"].removeprefix("Value error, ")
    return f"{name}: {message}" if name else message
