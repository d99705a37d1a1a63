"""Qt's event loop around one window: until it is closed, Ctrl-C, SIGTERM, or a given time."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from PyQt6.QtCore import QEvent, QTimer
from PyQt6.QtWidgets import QApplication, QWidget


def application() -> QApplication:
    """The one that there is, or a new one; keep it for as long as there are widgets."""
    existing = QApplication.instance()
    return existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])


def show_until_closed(app: QApplication, window: QWidget, seconds: float | None = None) -> None:
    """Show `window` until it is closed; `seconds` and signals end it by `leave()`, where it has that.

    Python hears of a signal when one of the window's own timers gives it a turn.
    """
    leave = getattr(window, "leave", window.close)
    end = QTimer(window)
    end.setSingleShot(True)
    end.timeout.connect(leave)
    if seconds is not None:
        end.start(round(seconds * 1000))

    def close(_signal: int, _frame: FrameType | None) -> None:
        leave()

    before = {number: signal.signal(number, close) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        if not window.isVisible():
            window.show()
        app.exec()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        # now, not whenever Python gets to it: a window must not outlive its application
        window.deleteLater()
        app.sendPostedEvents(window, QEvent.Type.DeferredDelete.value)
