"""Products as they are shown: names by language, and images at the size of a screen."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QImage, QImageReader, QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import paint_icon
from kiosk.vending.catalog.catalog import Catalog, Product, picture_path

_KEPT = 96
"""The number of scaled images that are kept."""


_BREAKING = {"Cc", "Zl", "Zp"}
"""Unicode categories that would break a line: controls, and separators of lines and paragraphs."""


def on_one_line(text: str) -> str:
    """Returns `text` with spaces in place of everything that would break the line."""
    return " ".join(
        "".join(" " if unicodedata.category(character) in _BREAKING else character for character in text).split()
    )


class ProductImages:
    """The catalogue's products by slot, with their images. `path` is the catalogue's; images may be beside it."""

    def __init__(self, catalog: Catalog, path: Path) -> None:
        self._products = {product.slot: product for product in catalog.product}
        self._path = path
        self._pictures: dict[tuple[str, int, int, float], QPixmap] = {}

    def product(self, slot: str) -> Product:
        """Returns the product of a slot. Raises `KeyError`."""
        return self._products[slot]

    def name(self, slot: str, language: str) -> str:
        """Returns the product's name in a language, on one line."""
        return on_one_line(self._products[slot].name_in(language))

    def names(self, slot: str) -> list[str]:
        """Returns the product's names in all languages, for layouts that must fit all."""
        return [on_one_line(name) for name in self._products[slot].name.values()]

    @property
    def slots(self) -> list[str]:
        """All slots of the catalogue."""
        return list(self._products)

    def picture(self, slot: str, size: QSize, ratio: float = 1.0) -> QPixmap:
        """Returns the image as large as fits into `size`, in logical pixels; a null pixmap if there is none."""
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
        picture = QPixmap.fromImage(load_image(path, size * ratio))
        picture.setDevicePixelRatio(ratio)
        return picture


def load_image(path: Path, size: QSize) -> QImage:
    """Returns an image file as large as fits into `size` pixels; a null image if it cannot be read."""
    reader = QImageReader(str(path))
    wanted = reader.size().scaled(size, Qt.AspectRatioMode.KeepAspectRatio)
    if wanted.isEmpty():
        return QImage()
    reader.setScaledSize(wanted)
    return reader.read()


NEUTRAL = 0.45
"""The side of the neutral image, as a share of its place."""


def paint_picture(painter: QPainter, images: ProductImages, slot: str, place: QRectF, ratio: float) -> None:
    """Paints the image of `slot` in the middle of `place`; a neutral icon if there is none.

    `ratio` is Qt's pixel ratio.
    """
    picture = images.picture(slot, place.toRect().size(), ratio)
    if not picture.isNull():
        size = picture.deviceIndependentSize()
        corner = place.center() - QPointF(size.width() / 2, size.height() / 2)
        # at a whole pixel: between two pixels it would be blurred and take several times as long
        painter.drawPixmap(QPointF(round(corner.x() * ratio) / ratio, round(corner.y() * ratio) / ratio), picture)
    elif (side := min(place.width(), place.height()) * NEUTRAL) > 0:
        neutral = QRectF(0, 0, side, side)
        neutral.moveCenter(place.center())
        paint_icon(painter, "product", neutral, theme.QUIET, pen=5.0)


class Picture(QWidget):
    """Shows the image of one product."""

    def __init__(self, parent: QWidget, images: ProductImages) -> None:
        super().__init__(parent)
        self._images = images
        self.slot: str | None = None

    def show_slot(self, slot: str | None) -> None:
        """Shows the product of this slot; None shows nothing."""
        if slot != self.slot:
            self.slot = slot
            self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        if self.slot is not None:
            paint_picture(QPainter(self), self._images, self.slot, QRectF(self.rect()), self.devicePixelRatioF())
