"""What the two command lines share: an error that a person can act on is one line, not a traceback."""

from __future__ import annotations

from typing import Any

import click

from kiosk.errors import KioskError


class Group(click.Group):
    """A click group that prints a `KioskError` as `Error: …` on standard error and exits with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except KioskError as error:
            raise click.ClickException(" ".join(str(error).split())) from error
