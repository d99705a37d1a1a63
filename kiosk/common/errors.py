"""Errors that a person can act on: one line that says what is wrong and what to do."""

from __future__ import annotations


class KioskError(Exception):
    """The base of every error that the command line shows as one line instead of a traceback."""
