"""A window that fills the screen and cannot be closed by a customer, with a clock."""

from __future__ import annotations

from PyQt6.QtCore import QElapsedTimer, QSize, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QKeyEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme

TICK_MS = 30
"""Milliseconds between two ticks of the window's clock."""
WINDOW_SIZE = QSize(1280, 800)
"""Size in pixels before the window is resized or made fullscreen."""


class LockedWindow(QWidget):
    """A window that calls `advance` at every tick of its clock.

    With `locked` it is fullscreen and closes only through `leave`. Otherwise Escape closes it.
    """

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
        """Set the window's size and flags and start its clock. Subclasses call this once they are complete."""
        self.resize(WINDOW_SIZE)
        if self._locked:
            self.setWindowFlags(Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint)
            self.setWindowState(Qt.WindowState.WindowFullScreen)
            self.setCursor(Qt.CursorShape.BlankCursor)
        self._clock.start()
        self.timer.start()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass. Called at every tick."""

    def leave(self) -> None:
        """Close the window even if it is locked."""
        self._may_close = True
        self.close()

    def clean_up(self) -> None:
        """Release what must not outlive the window. Called once, while it closes."""

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
        self.clean_up()
        super().closeEvent(event)
