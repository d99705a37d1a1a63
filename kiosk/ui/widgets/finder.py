"""The four corners of a face's frame as a small sign: what bears it speaks of the face that wears it."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PyQt6.QtWidgets import QWidget


def corners(frame: QRectF, radius: float, arm: float) -> QPainterPath:
    """Four rounded corners of `frame`, each with two arms."""
    path = QPainterPath()
    for x, y, right, down in (
        (frame.left(), frame.top(), 1, 1),
        (frame.right(), frame.top(), -1, 1),
        (frame.right(), frame.bottom(), -1, -1),
        (frame.left(), frame.bottom(), 1, -1),
    ):
        path.moveTo(x, y + down * (radius + arm))
        path.lineTo(x, y + down * radius)
        path.quadTo(x, y, x + right * radius, y)
        path.lineTo(x + right * (radius + arm), y)
    return path


class Finder(QWidget):
    """The sign, filling its square."""

    def __init__(self, colour: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colour = colour

    def set_colour(self, colour: QColor) -> None:
        if colour != self.colour:
            self.colour = colour
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        side = float(min(self.width(), self.height()))
        line = max(side * 0.09, 1.5)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.colour, line, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        frame = QRectF(line, line, side - 2 * line, side - 2 * line)
        painter.drawPath(corners(frame, radius=side * 0.18, arm=side * 0.1))
