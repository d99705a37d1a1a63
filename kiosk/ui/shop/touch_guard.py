"""Blocks touches for a moment, so that the second of two quick taps does not hit what has just appeared."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QWidget

SECONDS = 0.4
"""The default double-click interval of Qt and of desktops. Two taps further apart are meant as two."""


class TouchGuard(QWidget):
    """An invisible widget that covers its parent and swallows every tap while it is raised."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._seconds_left = 0.0
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def block(self) -> None:
        """Block touches for the next `SECONDS`."""
        self._seconds_left = SECONDS
        if (parent := self.parentWidget()) is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and stop blocking when the time is up."""
        if self.isHidden():
            return
        self._seconds_left -= seconds
        if self._seconds_left <= 1e-6:
            self.hide()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None:
            event.accept()  # Qt passes an ignored event on to the parent
