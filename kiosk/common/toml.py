"""A TOML file → a validated object; whatever is wrong with it is one line that names the file."""

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

_LONGEST = 500  # letters: a key may be as long as its file


def load(
    path: Path, model: type[Model], what: str, error: type[KioskError], explain: Callable[[ErrorDetails], str]
) -> Model:
    """Reads `path` into a `model`. Raises `error`, whose line begins with `what` (`settings`) and the path.

    `explain` puts the first thing that `model` refuses into words.
    """
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as refused:  # before the others: it is a ValueError too
        raise error(f"{what} {path}: {_short(explain(refused.errors()[0]))}") from refused
    except OSError as failed:
        raise error(f"{what} {path} cannot be read: {failed.strerror}") from failed
    except UnicodeDecodeError as failed:
        raise error(f"{what} {path} cannot be read: it is not UTF-8 text") from failed
    except tomllib.TOMLDecodeError as failed:
        raise error(f"{what} {path} cannot be read: it is not valid TOML: {_short(str(failed))}") from failed
    except RecursionError as failed:
        raise error(f"{what} {path} cannot be read: it is not valid TOML: nested too deeply") from failed
    except ValueError as failed:  # of a path that no file can have
        raise error(f"{what} {str(path)!r} cannot be read: {failed}") from failed


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
