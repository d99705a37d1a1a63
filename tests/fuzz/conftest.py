"""What is the same for every spoilt input: no disk is waited for, no line logged, and no watch outlives its test."""

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
    """Leaves it to the system when something reaches the disk."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous = FULL", "synchronous = OFF"), *values)


@pytest.fixture(autouse=True)
def _no_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody pulls a plug here, and ten thousand flushes take minutes."""
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.setattr("sqlite3.connect", partial(sqlite3.connect, factory=Unflushed))


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Whatever level another test has left a logger at: a line may hold letters that no other process can be told."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(autouse=True)
def _unwatched() -> Iterator[None]:
    yield
    watch.end()
