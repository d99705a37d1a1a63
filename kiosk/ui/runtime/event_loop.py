"""Runs Qt's event loop for one window, until it is closed, a signal comes, a time is over, or a slot fails."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

from PyQt6.QtCore import QCoreApplication, QEvent, QSocketNotifier, QTimer
from PyQt6.QtWidgets import QApplication, QWidget

from kiosk.common.errors import KioskError

log = logging.getLogger(__name__)

CHECK_MS = 50


def application() -> QApplication:
    """Returns the application, creating it if needed. Keep it for as long as there are widgets."""
    existing = QApplication.instance()
    return existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])


def show_until_closed(
    app: QApplication,
    window: QWidget,
    seconds: float | None = None,
    may_leave: Callable[[], bool] = lambda: True,
) -> bool:
    """Shows `window` until it is closed, or until a signal or the end of `seconds`; returns whether these ended it.

    Both call `window.leave()`, if it exists, once `may_leave()` returns True. A second signal does not wait for that.
    Python may receive a signal at any point, so it is only counted, and handled at the next tick of a timer. Raises
    `WindowError` at once if a slot fails.
    """
    leave = getattr(window, "leave", window.close)
    signals = 0
    over = False

    def count(*_: object) -> None:
        nonlocal signals
        signals += 1

    def time_is_over() -> None:
        nonlocal over
        over = True

    def leave_now() -> None:
        check_timer.stop()
        leave()
        app.quit()

    def check() -> None:
        if signals > 1 or ((signals or over) and may_leave()):
            leave_now()

    end = QTimer(window)
    end.setSingleShot(True)
    end.timeout.connect(time_is_over)
    check_timer = QTimer(window)
    check_timer.setInterval(CHECK_MS)
    check_timer.timeout.connect(check)
    check_timer.start()
    if seconds is not None:
        end.start(round(seconds * 1000))
    before = {number: signal.signal(number, count) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if not window.isVisible():
            window.show()
        with end_on_slot_error(leave_now):
            app.exec()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # Delete the window now: it must not outlive the application.
        window.deleteLater()
        app.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
    return signals > 0 or over


def set_interval(timer: QTimer, milliseconds: int) -> None:
    """Sets a timer's interval, without restarting it if the interval is the same."""
    if timer.interval() != milliseconds:
        timer.setInterval(milliseconds)


def tick_when_readable(descriptor: int, timer: QTimer, tick: Callable[[], None]) -> QSocketNotifier:
    """Calls `tick` also at once when `descriptor` becomes readable, for as long as `timer` runs.

    This restarts the timer, so that it ticks between two events and not just before the next. The notifier is a child
    of the timer.
    """

    def on_readable() -> None:
        if timer.isActive():
            tick()
        if timer.isActive():
            timer.start()
        else:
            notifier.setEnabled(False)

    kind = QSocketNotifier.Type.Read
    notifier = QSocketNotifier(descriptor, kind, timer)  # type: ignore[call-overload]  # the stub has no int
    notifier.activated.connect(on_readable)
    return notifier


class WindowError(KioskError):
    """A slot of the window raised an unexpected error, which is the cause of this one."""


def error_location(error: BaseException) -> str:
    """Returns an error and its place on one line, such as `ValueError: why (file.py:12)`."""
    said = " ".join(str(error).split())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {said}{place}" if said else f"{type(error).__name__}{place}"


@contextmanager
def end_on_slot_error(leave: Callable[[], object]) -> Iterator[None]:
    """While the event loop runs, logs the first error in a slot and calls `leave`, which must end the loop.

    Then raises `WindowError`, so that the process ends with an error and is restarted. Later errors are not logged,
    because the first one causes them. Ctrl-C is handled as usual.
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
        log.critical("the window failed: %s", error_location(error))
        try:
            leave()
        except Exception as also:
            log.critical("and could not be closed: %s", error_location(also))
            QCoreApplication.exit(1)

    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before
    if first:
        raise WindowError(f"the window failed ({error_location(first[0])}): please report it, with the log") from first[
            0
        ]
