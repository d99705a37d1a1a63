"""A ring of which a part is lit: how far something has come, or how long it still lasts."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QRectF, Qt
from PyQt6.QtGui import QPainter, QPen

from kiosk.ui.widgets import theme


def paint_ring(painter: QPainter, area: QRect, thickness: float, share: float) -> QRectF:
    """Paints it as large as fits in the middle of `area`, `thickness` as a share of its size; returns its square.

    `share`, from -1 to 1, is what is lit from the top on: to the right, or a negative one to the left.
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
