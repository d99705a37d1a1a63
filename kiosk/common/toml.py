"""Reads a TOML file into a validated object; every error is one line that names the file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kiosk.common.errors import KioskError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Model = TypeVar("Model", bound=BaseModel)

_MAX_MESSAGE = 500  # characters: a key may be as long as its file


def load(
    path: Path, model: type[Model], what: str, error: type[KioskError], explain: Callable[[ErrorDetails], str]
) -> Model:
    """Reads `path` into a `model`. Raises `error`, whose message starts with `what` (such as `settings`) and the path.

    `explain` describes the first value that the model refused.
    """
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as refused:  # first, because it is a ValueError too
        raise error(f"{what} {path}: {_shorten(explain(refused.errors()[0]))}") from refused
    except OSError as failed:
        raise error(f"{what} {path} cannot be read: {failed.strerror}") from failed
    except UnicodeDecodeError as failed:
        raise error(f"{what} {path} cannot be read: it is not UTF-8 text") from failed
    except tomllib.TOMLDecodeError as failed:
        raise error(f"{what} {path} cannot be read: it is not valid TOML: {_shorten(str(failed))}") from failed
    except RecursionError as failed:
        raise error(f"{what} {path} cannot be read: it is not valid TOML: nested too deeply") from failed
    except ValueError as failed:  # the path itself is impossible: it holds a NUL byte
        raise error(f"{what} {str(path)!r} cannot be read: {failed}") from failed


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}…"
