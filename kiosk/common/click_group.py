"""What the two command lines share: an error that a person can act on is one line, not a traceback."""

from __future__ import annotations

import errno
from typing import Any

import click

from kiosk.common.errors import KioskError


class Group(click.Group):
    """A click group that prints a `KioskError` as `Error: …` on standard error and exits with 1.

    So it does with what the system itself refuses: a full disk, a file that may not be written.
    """

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except (KioskError, OSError) as error:
            # whoever read the output has gone, of which click takes care
            if isinstance(error, OSError) and error.errno == errno.EPIPE:
                raise
            raise click.ClickException(error_message(error)) from error


def error_message(error: KioskError | OSError) -> str:
    """What is wrong, on one line."""
    if isinstance(error, KioskError):
        return " ".join(str(error).split())
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "the disk is full: make room"
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
