"""Files that hold a secret, and the folder of the machine's state: who else could read or change them.

Every secret that the kiosk keeps is read here, so that the same is asked of each, at every start: the PINs' hashes, the
password and the key for a fleet's broker, and at the operator's desk the key that orders are signed with.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kiosk.common.errors import KioskError

_LONGEST = 1 << 16


class SecretFileError(KioskError):
    """A secret that others could read or change."""


class NoSecretFileError(SecretFileError):
    """One that is not there."""


def read_secret(path: Path) -> bytes:
    """What the file holds, up to 64 KiB. Raises `SecretFileError`, `NoSecretFileError`."""
    try:
        # a pipe is not waited for; all is asked of the open file, so that it is the one that is read
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise SecretFileError(f"{path} cannot be read: it is no file")
            if state.st_mode & 0o077:
                raise SecretFileError(f"{path} can be read by others: run `chmod 600 {path}`, and renew what it holds")
            _check_owner(path, state)
            _check_folder(path.resolve().parent)
            return file.read(_LONGEST)
    except FileNotFoundError as error:
        raise NoSecretFileError(f"{path} cannot be read: {error.strerror}") from error
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in its name
        raise SecretFileError(f"{str(path)!r} cannot be read: {error}") from error


def read_password(path: Path) -> str:
    """The first line of a password's file. Raises `SecretFileError`."""
    try:
        password = read_secret(path).decode("utf-8").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError as error:
        raise SecretFileError(f"{path} holds no password: write it as one line of UTF-8 text") from error
    if not password:
        raise SecretFileError(f"{path} holds no password: write it as its first line")
    return password


def check_private(folder: Path) -> None:
    """Raises `SecretFileError` for a folder, if it is there, in which another user could change what is kept."""
    try:
        _check_folder(folder.resolve())
        _check_owner(folder, folder.stat())
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SecretFileError(f"{folder} cannot be used: {error.strerror}") from error


def make_private(folder: Path) -> None:
    """Makes a folder that nobody else may enter; one that is there stays as it is. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _check_folder(folder: Path) -> None:
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:  # if sticky, only owners replace files
        raise SecretFileError(f"everybody may replace the files in {folder}: run `chmod o-w {folder}`")


def _check_owner(path: Path, state: os.stat_result) -> None:
    if os.geteuid() != 0 and state.st_uid not in (0, os.geteuid()):  # root looks after other users' files
        raise SecretFileError(f"{path} belongs to another user: `chown` it to the one who runs the kiosk")
