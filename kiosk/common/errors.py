"""The base class of all errors that a person can fix."""

from __future__ import annotations


class KioskError(Exception):
    """An error whose message is one line: what is wrong, where, and what to do. The command line prints only it."""
