"""A moment in which nothing can be touched, so that the second of two quick taps does not fall on what came up."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QWidget

SECONDS = 0.4
"""What Qt and the desktops take for a double click by default; two taps further apart were meant as two."""


class TouchGuard(QWidget):
    """Unseen over the whole of its parent; takes what is tapped there and does nothing."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._left = 0.0
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()

    def rise(self) -> None:
        """For the next `SECONDS`."""
        self._left = SECONDS
        if (parent := self.parentWidget()) is not None:
            self.setGeometry(parent.rect())
        self.show()
        self.raise_()

    def advance(self, seconds: float) -> None:
        if self.isHidden():
            return
        self._left -= seconds
        if self._left <= 1e-6:
            self.hide()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None:
            event.accept()  # what is ignored goes on to the parent
