"""A product's picture in its place, or a neutral one where there is none that can be read."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import paint_sign

NEUTRAL = 0.45
"""Side of the neutral picture, in sides of its place."""


def paint_picture(painter: QPainter, shelf: ProductImages, slot: str, place: QRectF, ratio: float) -> None:
    """Centre the picture of `slot` in `place`."""
    picture = shelf.picture(slot, place.toRect().size(), ratio)
    if not picture.isNull():
        size = picture.deviceIndependentSize()
        corner = place.center() - QPointF(size.width() / 2, size.height() / 2)
        # on a pixel of the screen: between two of them it is blurred, and takes several times as long
        painter.drawPixmap(QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio), picture)
    elif (side := min(place.width(), place.height()) * NEUTRAL) > 0:
        neutral = QRectF(0, 0, side, side)
        neutral.moveCenter(place.center())
        paint_sign(painter, "product", neutral, theme.QUIET, pen=5.0)


class Picture(QWidget):
    """One product."""

    def __init__(self, parent: QWidget, shelf: ProductImages) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self.slot: str | None = None

    def show_slot(self, slot: str | None) -> None:
        if slot != self.slot:
            self.slot = slot
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        if self.slot is not None:
            paint_picture(QPainter(self), self._shelf, self.slot, QRectF(self.rect()), self.devicePixelRatioF())
