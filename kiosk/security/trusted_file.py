"""Files that say what a machine does, its settings and its catalogue: who could change them.

They hold no secret. But whoever changes them says what is sold at which price and age, and to whom money goes.
"""

from __future__ import annotations

import grp
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from kiosk.common.errors import KioskError


class UntrustedFileError(KioskError):
    """A file that anybody could change."""


def check(path: Path) -> None:
    """Raises `UntrustedFileError` for a file that everybody may change or replace, `OSError`."""
    file = path.resolve()
    if file.stat().st_mode & stat.S_IWOTH:
        raise UntrustedFileError(f"everybody may change {path}: run `chmod o-w {path}`, and read what it says")
    mode = file.parent.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:  # if sticky, only owners replace files
        raise UntrustedFileError(f"everybody may replace {path}: run `chmod o-w {file.parent}`, and read what it says")


def doubts(path: Path) -> Iterator[str]:
    """Who else than root could change or replace the file, a line each that says what to do. Raises `OSError`."""
    file = path.resolve()
    for place in (file, file.parent):
        state = place.stat()
        if state.st_uid != 0:
            yield f"the user {_user(state.st_uid)} may change {place}: run `chown root {place}`"
        if state.st_mode & stat.S_IWGRP and state.st_gid != 0:
            yield f"the group {_group(state.st_gid)} may change {place}: run `chmod g-w {place}`"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
