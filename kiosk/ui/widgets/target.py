"""What a finger presses: the behaviour that every button has in common, whatever it looks like."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QHideEvent, QMouseEvent
from PyQt6.QtWidgets import QAbstractButton, QWidget


class Target(QAbstractButton):
    """A press counts only on what stays in sight until the finger is lifted.

    Qt itself goes on with a press while the button is hidden, and after it has come back: the button stays down, and
    the finger that is lifted buys something that nobody saw any more.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._gone = False
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @property
    def gone(self) -> bool:
        """Whether it was hidden since it was last pressed."""
        return self._gone

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        self._gone = True
        self.setDown(False)
        super().hideEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self._gone = False
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if not self._gone:
            super().mouseMoveEvent(event)

    # a release after it was hidden clicks nothing: Qt clicks only what is down
