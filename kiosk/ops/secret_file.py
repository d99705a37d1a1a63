"""Files that hold a password or a private key: nobody but the kiosk's own user may read them."""

from __future__ import annotations

import os
from pathlib import Path

from kiosk.errors import KioskError

_LONGEST = 1 << 16


class SecretFileError(KioskError):
    """A secret that others could read, or that is not there."""


def read_secret(path: Path) -> bytes:
    """What the file holds, up to 64 KiB. Raises `SecretFileError`."""
    try:
        with path.open("rb") as file:
            # asked of the open file, so that it is the one that is read
            if os.fstat(file.fileno()).st_mode & 0o077:
                raise SecretFileError(f"{path} can be read by others: run `chmod 600 {path}`, and renew what it holds")
            return file.read(_LONGEST)
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from error


def read_password(path: Path) -> str:
    """The first line of a password's file. Raises `SecretFileError`."""
    try:
        password = read_secret(path).decode("utf-8").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError as error:
        raise SecretFileError(f"{path} holds no password: write it as one line of UTF-8 text") from error
    if not password:
        raise SecretFileError(f"{path} holds no password: write it as its first line")
    return password
