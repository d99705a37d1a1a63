"""Checks who else can read or change the machine's files: secrets, settings, the catalogue and the state folder.

A secret (the PINs' hashes, a password, a private key) must be readable by its owner alone. The settings and the
catalogue hold no secret, but a person who can change them sets prices and age limits, and decides where money goes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from kiosk.common.errors import KioskError
from kiosk.common.file_access import anyone_can_replace_files, anyone_can_write, group_name, user_name

_MAX_SECRET_BYTES = 1 << 16


class SecretFileError(KioskError):
    """A secret that other users can read or change, or that cannot be read."""


class NoSecretFileError(SecretFileError):
    """The file of a secret does not exist."""


class UntrustedFileError(KioskError):
    """Settings or a catalogue that every user can change."""


def read_secret(path: Path) -> bytes:
    """Returns the first 64 KiB of a secret's file.

    Raises `NoSecretFileError` if it does not exist, and `SecretFileError` if it cannot be read, if it is no regular
    file, or if other users can read, change or replace it.
    """
    try:
        # O_NONBLOCK: opening a pipe must not wait. The checks use the open file, so they hold for what is read.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise SecretFileError(f"{path} cannot be read: it is not a regular file")
            if state.st_mode & 0o077:
                raise SecretFileError(
                    f"{path} can be read by others: run `chmod 600 {path}`, and replace the secret in it by a new one"
                )
            _check_owner(path, state)
            _check_folder(path.resolve().parent)
            return file.read(_MAX_SECRET_BYTES)
    except FileNotFoundError as error:
        raise NoSecretFileError(f"{path} cannot be read: {error.strerror}") from error
    except OSError as error:
        raise SecretFileError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL byte in the path
        raise SecretFileError(f"{str(path)!r} cannot be read: {error}") from error


def read_password(path: Path) -> str:
    """Returns the first line of a password's file. Raises `SecretFileError` if there is none that can be used."""
    try:
        password = read_secret(path).decode("utf-8").partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError as error:
        raise SecretFileError(f"{path} holds no password: write it as one line of UTF-8 text") from error
    if not password:
        raise SecretFileError(f"{path} holds no password: write it in the first line")
    return password


def check_private(folder: Path) -> None:
    """Raises `SecretFileError` if other users can change files in the folder. A missing folder passes."""
    try:
        _check_folder(folder.resolve())
        _check_owner(folder, folder.stat())
    except FileNotFoundError:
        pass
    except OSError as error:
        raise SecretFileError(f"{folder} cannot be used: {error.strerror}") from error


def make_private(folder: Path) -> None:
    """Creates a folder that only its owner may enter. An existing folder is left as it is. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def check_trusted(path: Path) -> None:
    """Raises `UntrustedFileError` if every user can change or replace the file, and `OSError` if it is missing."""
    file = path.resolve()
    if anyone_can_write(file.stat()):
        raise UntrustedFileError(f"every user may change {path}: run `chmod o-w {path}`, then check its content")
    if anyone_can_replace_files(file.parent.stat()):
        raise UntrustedFileError(
            f"every user may replace {path}: run `chmod o-w {file.parent}`, then check the file's content"
        )


def permission_warnings(path: Path) -> Iterator[str]:
    """Yields one line for each user or group, other than root, that can change or replace the file. Raises `OSError`.

    Each line names the command that takes the permission away.
    """
    file = path.resolve()
    for place in (file, file.parent):
        state = place.stat()
        if state.st_uid != 0:
            yield f"the user {user_name(state.st_uid)} may change {place}: run `chown root {place}`"
        if state.st_mode & stat.S_IWGRP and state.st_gid != 0:
            yield f"the group {group_name(state.st_gid)} may change {place}: run `chmod g-w {place}`"


def _check_folder(folder: Path) -> None:
    if anyone_can_replace_files(folder.stat()):
        raise SecretFileError(f"every user may replace the files in {folder}: run `chmod o-w {folder}`")


def _check_owner(path: Path, state: os.stat_result) -> None:
    if os.geteuid() != 0 and state.st_uid not in (0, os.geteuid()):  # root may read the service user's files
        raise SecretFileError(f"{path} belongs to another user: `chown` it to the user who runs the kiosk")
