"""A window that fills the screen and lets nobody out, and its clock."""

from __future__ import annotations

from PyQt6.QtCore import QElapsedTimer, QSize, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QKeyEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme

TICK_MS = 30
WINDOW_SIZE = QSize(1280, 800)


class LockedWindow(QWidget):
    """Not `locked`, it is a window as any, which Escape closes. `begin` starts its clock, which calls `advance`."""

    def __init__(self, parent: QWidget | None, *, locked: bool) -> None:
        super().__init__(parent)
        self._locked = locked
        self._may_close = not locked
        self._clock = QElapsedTimer()
        self.timer = QTimer(self)
        self.timer.setTimerType(Qt.TimerType.PreciseTimer)
        self.timer.setInterval(TICK_MS)
        self.timer.timeout.connect(self._on_tick)

        # Appearance
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        theme.fill_ground(self, theme.GROUND)

    def begin(self) -> None:
        self.resize(WINDOW_SIZE)
        if self._locked:
            self.setWindowFlags(Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
            self.setWindowState(Qt.WindowState.WindowFullScreen)
            self.setCursor(Qt.CursorShape.BlankCursor)
        self._clock.start()
        self.timer.start()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""

    def leave(self) -> None:
        """Close, locked or not: the way out of service mode."""
        self._may_close = True
        self.close()

    def left(self) -> None:
        """It closes: the last that there is to do."""

    def _on_tick(self) -> None:
        self.advance(self._clock.restart() / 1000)

    # Events

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        if event is not None and event.key() == Qt.Key.Key_Escape and not self._locked:
            self.close()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        if event is not None and not self._may_close:
            event.ignore()
            return
        self.timer.stop()
        self.left()
        super().closeEvent(event)
