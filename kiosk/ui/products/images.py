"""What is in the machine as it is shown: names by language, pictures at the size that a screen wants."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QImage, QImageReader, QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import paint_sign
from kiosk.vending.catalog.catalog import Catalog, Product, picture_path

_KEPT = 96
"""Pictures; more are made anew."""


_BREAKING = {"Cc", "Zl", "Zp"}
"""Unicode's categories of what would break or garble a line: controls, and separators of lines and paragraphs."""


def on_one_line(text: str) -> str:
    """`text` with spaces for everything that would break it."""
    return " ".join("".join(" " if unicodedata.category(sign) in _BREAKING else sign for sign in text).split())


class ProductImages:
    """The catalogue's products by slot. `path` is the catalogue's own: its pictures may lie beside it."""

    def __init__(self, catalog: Catalog, path: Path) -> None:
        self._products = {product.slot: product for product in catalog.product}
        self._path = path
        self._pictures: dict[tuple[str, int, int, float], QPixmap] = {}

    def product(self, slot: str) -> Product:
        return self._products[slot]

    def name(self, slot: str, language: str) -> str:
        return on_one_line(self._products[slot].name_in(language))

    def names(self, slot: str) -> list[str]:
        """In every language, for whoever makes room for them."""
        return [on_one_line(name) for name in self._products[slot].name.values()]

    @property
    def slots(self) -> list[str]:
        return list(self._products)

    def picture(self, slot: str, size: QSize, ratio: float = 1.0) -> QPixmap:
        """The picture as large as fits into `size`; nothing where there is none, or one that cannot be read."""
        key = (slot, size.width(), size.height(), ratio)
        if key not in self._pictures:
            if len(self._pictures) >= _KEPT:
                self._pictures.clear()
            self._pictures[key] = self._load(slot, size, ratio)
        return self._pictures[key]

    def _load(self, slot: str, size: QSize, ratio: float) -> QPixmap:
        path = picture_path(self._path, self._products[slot])
        if path is None or size.isEmpty():
            return QPixmap()
        picture = QPixmap.fromImage(drawn(path, size * ratio))
        picture.setDevicePixelRatio(ratio)
        return picture


def drawn(path: Path, size: QSize) -> QImage:
    """A picture's file as large as fits into `size` pixels; nothing for one that cannot be read."""
    reader = QImageReader(str(path))
    wanted = reader.size().scaled(size, Qt.AspectRatioMode.KeepAspectRatio)
    if wanted.isEmpty():
        return QImage()
    reader.setScaledSize(wanted)
    return reader.read()


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
