"""Names of pictures: which of them a data set may use, and how any of them is printed."""

from __future__ import annotations

import os
from pathlib import PurePosixPath


def inside(text: str) -> str:
    """The path, relative to ROOT, as it is looked up. Raises `ValueError` for one that leaves ROOT."""
    path = PurePosixPath(text)
    if not text or path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{text!r} is not a file below ROOT")
    return path.as_posix()


def printable(name: str) -> str:
    r"""A name from the disk, its bytes that are not UTF-8 as `\xe4`; any other name as it is."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
