"""Qt's event loop around one window: until it is closed, Ctrl-C, SIGTERM, or a given time."""

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

TURN_MS = 50


def application() -> QApplication:
    """The one that there is, or a new one; keep it for as long as there are widgets."""
    existing = QApplication.instance()
    return existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])


def show_until_closed(
    app: QApplication,
    window: QWidget,
    seconds: float | None = None,
    may_leave: Callable[[], bool] = lambda: True,
) -> bool:
    """Show `window` until it is closed; `seconds` and signals end it by `leave()`, where it has that.

    Returns whether one of these wanted it to end.

    Both wait until `may_leave` says yes, which is asked again and again; a second signal does not wait. Python hears
    of a signal in the middle of anything, so that here it is only counted, and acted upon at the next turn of a timer.
    An error in a slot ends it at once, as `WindowError`.
    """
    leave = getattr(window, "leave", window.close)
    signals = 0
    over = False

    def count(*_: object) -> None:
        nonlocal signals
        signals += 1

    def be_over() -> None:
        nonlocal over
        over = True

    def leave_now() -> None:
        turn.stop()
        leave()
        app.quit()

    def look() -> None:
        if signals > 1 or ((signals or over) and may_leave()):
            leave_now()

    end = QTimer(window)
    end.setSingleShot(True)
    end.timeout.connect(be_over)
    turn = QTimer(window)
    turn.setInterval(TURN_MS)
    turn.timeout.connect(look)
    turn.start()
    if seconds is not None:
        end.start(round(seconds * 1000))
    before = {number: signal.signal(number, count) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if not window.isVisible():
            window.show()
        with guard(leave_now):
            app.exec()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # now, not whenever Python gets to it: a window must not outlive its application
        window.deleteLater()
        app.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
    return signals > 0 or over


def tick_every(timer: QTimer, milliseconds: int) -> None:
    """Let a timer tick so; one that does already goes on undisturbed."""
    if timer.interval() != milliseconds:
        timer.setInterval(milliseconds)


def tick_on_news(descriptor: int, timer: QTimer, tick: Callable[[], None]) -> QSocketNotifier:
    """Call `tick` also when `descriptor` can be read, at once, for as long as `timer` runs.

    The timer then counts anew, so that it ticks between two pieces of news and not just before the next. The notifier
    is a child of the timer.
    """

    def be_told() -> None:
        if timer.isActive():
            tick()
        if timer.isActive():
            timer.start()
        else:
            notifier.setEnabled(False)

    kind = QSocketNotifier.Type.Read
    notifier = QSocketNotifier(descriptor, kind, timer)  # type: ignore[call-overload]  # the stub has no int
    notifier.activated.connect(be_told)
    return notifier


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
