"""The animation of the idle screen: images of the products move slowly across.

It moves by whole pixels of the screen and is painted only then. Images at fractions of a pixel take several times as
long to paint, and the machine shows this all day.
"""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF
from PyQt6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages, paint_picture
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.animation import ease

SPEED = 0.10
"""The speed in heights of the band per second."""
SLOWED_SHARE = 0.35
"""The share of that speed while somebody stands in front, so that the images can be looked at."""
PITCH = 1.05
"""The distance of two images, in heights."""


class ProductCarousel(QWidget):
    """A moving band of product images, faded at both ends."""

    def __init__(self, parent: QWidget, images: ProductImages) -> None:
        super().__init__(parent)
        self._images = images
        self.slots: tuple[str, ...] = ()
        self.is_slowed = False
        self._speed = 1.0
        self._moved = 0.0
        self._painted: int | None = None

    def show_slots(self, slots: Sequence[str]) -> None:
        """Shows the images of these slots."""
        if tuple(slots) != self.slots:
            self.slots = tuple(slots)
            self.update()

    def advance(self, seconds: float) -> None:
        """Advances the animation by `seconds`."""
        self._speed = ease(self._speed, SLOWED_SHARE if self.is_slowed else 1.0, seconds, 0.6, near=0.01)
        self._moved += seconds * SPEED * self._speed
        if self.slots and self._pixels_moved != self._painted:
            self.update()

    @property
    def _pixels_moved(self) -> int:
        """The distance moved so far, in pixels of the screen."""
        return int(self._moved * self.height() * self.devicePixelRatioF())

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        if not self.slots or self.height() < 8:
            return
        self._painted = self._pixels_moved
        painter = QPainter(self)
        side, ratio = self.height(), self.devicePixelRatioF()
        pitch = round(PITCH * side)
        first, rest = divmod(self._painted / ratio, pitch)
        for index in range(int(self.width() / pitch) + 2):
            slot = self.slots[(int(first) + index) % len(self.slots)]
            place = QRectF(index * pitch - rest, round(side * 0.04), side, round(side * 0.92))
            paint_picture(painter, self._images, slot, place, ratio)
        clear = QColor(theme.GROUND)
        clear.setAlpha(0)
        edge = min(side * 0.7, self.width() * 0.2)
        for from_x, to_x in ((0.0, edge), (float(self.width()), self.width() - edge)):
            fade = QLinearGradient(QPointF(from_x, 0), QPointF(to_x, 0))
            fade.setColorAt(0, theme.GROUND)
            fade.setColorAt(1, clear)
            painter.fillRect(QRectF(min(from_x, to_x), 0, edge, side), fade)
