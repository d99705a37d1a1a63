"""The time in UTC, and as the text that the journal, the log and the fleet's messages share."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_now() -> datetime:
    """Returns the time of the system's clock, in UTC."""
    return datetime.now(timezone.utc)


def utc_text(moment: datetime) -> str:
    """Returns a time as `2026-03-02T12:00:00.000Z`: of fixed width, so that sorted texts are in the order of time."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def local_time(utc: str) -> datetime:
    """Returns the time of a text as `utc_text` writes it, in the local zone. Raises `ValueError` for other text."""
    return datetime.fromisoformat(utc.replace("Z", "+00:00")).astimezone()
