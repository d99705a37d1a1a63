"""Fixtures of every fuzz test: no flush to the disk, no log, and no time limit that outlives its test."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.fakes.fleet_operator import operator
from tests.fuzz import watch

__all__ = ["operator"]


class Unflushed(sqlite3.Connection):
    """A connection that never flushes to the disk."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous = FULL", "synchronous = OFF"), *values)


@pytest.fixture(autouse=True)
def _no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power fails in these tests, and ten thousand flushes take minutes."""
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.setattr("sqlite3.connect", partial(sqlite3.connect, factory=Unflushed))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Log lines of damaged input may hold characters that cannot be sent between the test processes."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def _unwatched() -> Iterator[None]:
    yield
    watch.end()
