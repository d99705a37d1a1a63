"""Line icons, all drawn with the same pen, and small indicators. Large icons are animated.

Each icon is drawn in a square from 0 to 100. `turn` is the phase of its animation: it runs from 0 to 1, again and
again.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from PyQt6.QtCore import QPointF, QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme

SECONDS = 2.4
"""Seconds of one animation cycle."""
_PEN = 7.0

Draw = Callable[[QPainter, float], None]


def paint_icon(
    painter: QPainter, name: str, place: QRectF, colour: QColor, turn: float = 0.0, pen: float = _PEN
) -> None:
    """Paints the icon `name` into the square `place`; `turn` is its phase, `pen` the line width of 100."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(place.topLeft())
    painter.scale(place.width() / 100, place.height() / 100)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(colour, pen, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    ICONS[name](painter, turn)
    painter.restore()


class AnimatedIcon(QWidget):
    """A large animated icon."""

    def __init__(self, parent: QWidget, name: str, colour: QColor = theme.TEXT) -> None:
        super().__init__(parent)
        self.name = name
        self.colour = colour
        self.turn = 0.0

    def set_icon(self, name: str) -> None:
        """Shows another icon."""
        if name != self.name:
            self.name, self.turn = name, 0.0
            self.update()

    def advance(self, seconds: float) -> None:
        """Advances the animation by `seconds`."""
        self.turn = (self.turn + seconds / SECONDS) % 1
        if self.name in MOVING:
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        side = float(min(self.width(), self.height()))
        place = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        painter = QPainter(self)
        # a large icon has a finer line
        paint_icon(painter, self.name, place, self.colour, self.turn, pen=_PEN * 0.62)


def _line(painter: QPainter, *points: float) -> None:
    painter.drawPolyline(QPolygonF(QPointF(x, y) for x, y in zip(points[::2], points[1::2], strict=True)))


def _swing(turn: float) -> float:
    """Returns a value that goes from 0 to 1 and back during a cycle."""
    return (1 - math.cos(turn * 2 * math.pi)) / 2


def _left(painter: QPainter, _: float) -> None:
    _line(painter, 62, 18, 32, 50, 62, 82)


def _right(painter: QPainter, _: float) -> None:
    _line(painter, 38, 18, 68, 50, 38, 82)


def _close(painter: QPainter, _: float) -> None:
    _line(painter, 22, 22, 78, 78)
    _line(painter, 78, 22, 22, 78)


def _check(painter: QPainter, _: float) -> None:
    _line(painter, 16, 54, 40, 77, 84, 26)


def _backspace(painter: QPainter, _: float) -> None:
    _line(painter, 36, 22, 90, 22, 90, 78, 36, 78, 10, 50, 36, 22)
    _line(painter, 50, 40, 70, 60)
    _line(painter, 70, 40, 50, 60)


def _face(painter: QPainter) -> None:
    painter.drawEllipse(QPointF(50, 40), 13, 14)
    painter.drawArc(QRectF(26, 62, 48, 44), 20 * 16, 140 * 16)


def _look(painter: QPainter, turn: float) -> None:
    grown = 2.5 * _swing(turn)
    painter.drawPath(corner_path(QRectF(8 - grown, 8 - grown, 84 + 2 * grown, 84 + 2 * grown), radius=15, arm=8))
    _face(painter)


def _no_camera(painter: QPainter, _: float) -> None:
    painter.drawPath(corner_path(QRectF(8, 8, 84, 84), radius=15, arm=8))
    _face(painter)
    _line(painter, 10, 90, 90, 10)


def _letters(painter: QPainter, _: float) -> None:
    _line(painter, 8, 82, 31, 20, 54, 82)
    _line(painter, 16, 62, 46, 62)
    painter.drawEllipse(QPointF(76, 68), 13, 14)
    _line(painter, 90, 54, 90, 82)


def _reach(painter: QPainter, _: float) -> None:
    painter.drawRoundedRect(QRectF(22, 6, 56, 88), 9, 9)
    _line(painter, 50, 20, 50, 56)
    _line(painter, 36, 44, 50, 58, 64, 44)
    _line(painter, 34, 78, 66, 78)


def _card(painter: QPainter, turn: float) -> None:
    """A card approaches a reader."""
    near = _swing(min(turn * 1.6, 1.0))
    painter.drawRoundedRect(QRectF(58, 14, 34, 72), 7, 7)
    painter.drawRoundedRect(QRectF(66, 24, 18, 16), 2, 2)
    for row in range(2):
        for column in range(2):
            painter.drawPoint(QPointF(69.5 + 11 * column, 56 + 12 * row))
    left = 2 + 9 * near
    painter.drawRoundedRect(QRectF(left, 37, 36, 26), 4, 4)
    _line(painter, left, 46, left + 36, 46)
    painter.setOpacity(near)
    for index in range(2):
        reach = 5 + 6 * index
        painter.drawArc(QRectF(left + 33 - reach + 2 * index, 50 - 2 * reach, 2 * reach, 4 * reach), -800, 1600)


def _id(painter: QPainter, turn: float) -> None:
    painter.drawRoundedRect(QRectF(6, 20, 88, 60), 8, 8)
    painter.drawEllipse(QPointF(30, 43), 8, 8.5)
    painter.drawArc(QRectF(16, 57, 28, 24), 15 * 16, 150 * 16)
    for row, end in enumerate((82, 82, 70)):
        painter.setOpacity(0.45 + 0.55 * _swing(turn - row * 0.18))
        _line(painter, 56, 38 + 12 * row, end, 38 + 12 * row)


def _tray(painter: QPainter, turn: float) -> None:
    """A product falls into the tray."""
    fallen = min(turn * 1.5, 1.0) ** 2
    opacity = 1.0 if turn < 0.85 else (1 - turn) / 0.15
    painter.setOpacity(opacity)
    painter.drawRoundedRect(QRectF(38, 4 + 46 * fallen, 24, 26), 5, 5)
    painter.setOpacity(1.0)
    _line(painter, 10, 52, 10, 92, 90, 92, 90, 52)
    _line(painter, 10, 52, 22, 52)
    _line(painter, 90, 52, 78, 52)


def _done(painter: QPainter, _: float) -> None:
    painter.drawEllipse(QPointF(50, 50), 44, 44)
    _line(painter, 30, 52, 45, 66, 71, 36)


def _refund(painter: QPainter, turn: float) -> None:
    painter.save()
    painter.translate(50, 50)
    painter.rotate(-360 * turn)
    painter.drawArc(QRectF(-42, -42, 84, 84), 60 * 16, 290 * 16)
    painter.rotate(-60)
    _line(painter, 26, -10, 42, 0, 50, -18)
    painter.restore()
    painter.drawRoundedRect(QRectF(27, 36, 46, 28), 5, 5)
    painter.drawEllipse(QPointF(50, 50), 6, 6)


def _sorry(painter: QPainter, _: float) -> None:
    painter.drawEllipse(QPointF(50, 50), 44, 44)
    _line(painter, 50, 28, 50, 56)
    painter.drawPoint(QPointF(50, 71))


def _closed(painter: QPainter, _: float) -> None:
    painter.drawEllipse(QPointF(50, 50), 44, 44)
    _line(painter, 26, 50, 74, 50)


def _person(painter: QPainter, turn: float) -> None:
    lifted = 4 * _swing(turn)
    painter.drawEllipse(QPointF(50, 30 - lifted / 2), 19, 20)
    painter.drawArc(QRectF(12, 58, 76, 76), 12 * 16, 156 * 16)


def _product(painter: QPainter, _: float) -> None:
    """A closed box."""
    painter.drawRoundedRect(QRectF(8, 30, 84, 62), 6, 6)
    _line(painter, 8, 50, 92, 50)
    _line(painter, 8, 34, 24, 8, 76, 8, 92, 34)
    _line(painter, 50, 8, 50, 50)


def badge_text(age: int) -> str:
    """Returns the text of a minimum age badge, such as `18+`."""
    return f"{age}+"


def paint_badge(painter: QPainter, place: QRectF, age: int, font: QFont, ground: QColor) -> None:
    """Paints a minimum age in a ring into the square `place`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    line = place.height() * 0.07
    painter.setPen(QPen(theme.TEXT, line))
    painter.setBrush(ground)
    painter.drawEllipse(place.adjusted(line / 2, line / 2, -line / 2, -line / 2))
    painter.setFont(font)
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, badge_text(age))
    painter.restore()


ICONS: dict[str, Draw] = {
    "left": _left,
    "right": _right,
    "close": _close,
    "check": _check,
    "backspace": _backspace,
    "camera": _look,
    "no_camera": _no_camera,
    "letters": _letters,
    "reach": _reach,
    "card": _card,
    "id": _id,
    "tray": _tray,
    "done": _done,
    "refund": _refund,
    "sorry": _sorry,
    "closed": _closed,
    "person": _person,
    "product": _product,
}
MOVING = {"camera", "card", "id", "tray", "refund", "person"}


def corner_path(frame: QRectF, radius: float, arm: float) -> QPainterPath:
    """Returns a path of the four rounded corners of `frame`, each with two arms; lengths in pixels."""
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


class FaceFrameIcon(QWidget):
    """The icon, filling its square."""

    def __init__(self, colour: QColor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colour = colour

    def set_colour(self, colour: QColor) -> None:
        """Changes the colour."""
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
        painter.drawPath(corner_path(frame, radius=side * 0.18, arm=side * 0.1))


def paint_ring(painter: QPainter, area: QRect, thickness: float, share: float) -> QRectF:
    """Paints a progress ring in the middle of `area`; returns its square. `thickness` is a share of its size.

    `share`, -1 to 1, is the lit part from the top: clockwise, or counter-clockwise if negative.
    """
    side = min(area.width(), area.height())
    line = side * thickness
    place = QRectF(0, 0, side, side)
    place.moveCenter(QRectF(area).center())
    ring = place.adjusted(line, line, -line, -line)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.TRACK, line))
    painter.drawEllipse(ring)
    if share:
        painter.setPen(QPen(theme.ACCENT, line, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(ring, 90 * 16, round(-share * 360 * 16))
    return place
