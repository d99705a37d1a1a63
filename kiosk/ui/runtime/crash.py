"""An error in a slot, which PyQt ends the process for, becomes one line in the log and an end in order."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from PyQt6.QtCore import QCoreApplication

from kiosk.common.errors import KioskError

log = logging.getLogger(__name__)


class WindowError(KioskError):
    """Something in the window failed that nobody had thought of. Its cause is the first error."""


def where(error: BaseException) -> str:
    """`ValueError: why (file.py:12)`, on one line."""
    said = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {said}{place}" if said else f"{type(error).__name__}{place}"


@contextmanager
def guard(leave: Callable[[], object]) -> Iterator[None]:
    """While an event loop runs: the first error in a slot is logged and `leave` called, which has to end the loop.

    Then raises `WindowError`, so that the process ends with an error and whoever watches it starts it again. What
    fails after the first is not logged: it comes of it. Ctrl-C is nobody's error and goes on as it did.
    """
    first: list[BaseException] = []
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            before(kind, error, trace)
            return
        if first:
            return
        first.append(error)
        log.critical("the window failed: %s", where(error))
        try:
            leave()
        except Exception as also:
            log.critical("and could not be closed: %s", where(also))
            QCoreApplication.exit(1)

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before
    if first:
        raise WindowError(f"the window failed ({where(first[0])}): please report it, with the log") from first[0]
