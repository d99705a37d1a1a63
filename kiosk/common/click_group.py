"""The click group of both command lines: it prints an error that a person can fix as one line, without a traceback."""

from __future__ import annotations

import errno
from typing import Any

import click

from kiosk.common.errors import KioskError


class Group(click.Group):
    """Prints a `KioskError` or an `OSError` as `Error: …` on standard error, and exits with status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command. Raises `click.ClickException` in place of a `KioskError` or an `OSError`."""
        try:
            return super().invoke(ctx)
        except (KioskError, OSError) as error:
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise  # click handles a closed pipe
            raise click.ClickException(error_message(error)) from error


def error_message(error: KioskError | OSError) -> str:
    """Returns what is wrong, on one line; a system error names its file."""
    if isinstance(error, KioskError):
        return " ".join(str(error).split())
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "the disk is full: make room"
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
