"""The tile of a product: image, name, price, and whether it is available."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages, paint_picture
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import TouchTarget
from kiosk.ui.widgets.icons import badge_text, paint_badge
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import WRAPPED, PlacedText, fit_font, text_size
from kiosk.vending.sale.snapshot import Offer

GONE = 0.35
"""The opacity of the image of a product that cannot be bought."""


WIDE = 1.4
"""The ratio of width to height from which the text is beside the image."""


@dataclass(frozen=True)
class TileText:
    """The texts of a tile."""

    name: str
    price: str
    note: str = ""
    """Such as "sold out" or "last one"."""


class Tile(TouchTarget):
    """A touch target with one product. Emits `swiped` for a horizontal swipe."""

    swiped = pyqtSignal(int)
    """1 for a swipe to the left (next page), -1 for one to the right."""

    def __init__(self, parent: QWidget, images: ProductImages) -> None:
        super().__init__(parent)
        self._images = images
        self._metrics = DisplayMetrics.of(QSize(800, 800), 4.0)
        self._pressed = QPointF()
        self.offer: Offer | None = None
        self.text_lines = TileText("", "")
        self._text_height = 0
        self._noted = False

    def show_offer(self, offer: Offer, text: TileText, metrics: DisplayMetrics) -> None:
        """Shows a slot's product with these texts and sizes; one that is not available cannot be pressed."""
        self.offer, self.text_lines, self._metrics = offer, text, metrics
        self.set_text_height(self.text_height(bool(text.note)), noted=bool(text.note))
        self.setEnabled(offer.available)
        self.setAccessibleName(f"{text.name}, {text.price}" + (f", {text.note}" if text.note else ""))
        self.update()

    @property
    def is_wide(self) -> bool:
        """Whether the text is beside the image and not below it."""
        return self.width() > self.height() * WIDE

    @property
    def ground(self) -> QColor:
        """The current background colour."""
        if not self.isEnabled():
            return theme.SURFACE
        return theme.PRESSED if self.isDown() else theme.RAISED

    def _places(self) -> tuple[QRect, QRect]:
        """Returns the rectangles of the image and of the text, in the widget's pixels."""
        margin = self._metrics.px(theme.GAP)
        inner = self.rect().adjusted(margin, margin, -margin, -margin)
        if self.is_wide:
            side = min(inner.height(), inner.width() * 38 // 100)
            return (
                QRect(inner.left(), inner.top(), side, inner.height()),
                inner.adjusted(side + margin, 0, 0, 0),
            )
        words = min(self._text_height, inner.height() * 64 // 100)
        return inner.adjusted(0, 0, 0, -words - margin // 2), inner.adjusted(0, inner.height() - words, 0, 0)

    def text_height(self, noted: bool) -> int:
        """Returns the height in pixels of the text below an image at full size, with or without a note."""
        width = self.width() - 2 * self._metrics.px(theme.GAP)
        name = text_size(self._metrics.text.font(theme.BODY), self.text_lines.name, width).height()
        lines = 2 if noted else 1
        return name + self._metrics.text.px(theme.LEAD * 1.35) * lines

    def set_text_height(self, height: int, *, noted: bool) -> None:
        """Sets the text's height, the same for all tiles of a page, so that images and prices are aligned."""
        self._text_height, self._noted = height, noted
        self.update()

    @property
    def placed_texts(self) -> list[PlacedText]:
        """The texts as they are painted."""
        _, words = self._places()
        scale = self._metrics.text
        line = min(scale.px(theme.LEAD * 1.35), words.height() // (3 if self._noted else 2))
        lines = [(self.text_lines.price, theme.TEXT if self.isEnabled() else theme.QUIET)]
        if self.text_lines.note:
            lines.append((self.text_lines.note, theme.QUIET))
        room = QSize(words.width(), words.height() - line * (2 if self._noted else 1))
        font = fit_font(scale, theme.BODY, QFont.Weight.Normal, self.text_lines.name, room)
        used = min(text_size(font, self.text_lines.name, words.width()).height(), room.height())
        top = words.top() + (room.height() - used) // (2 if self.is_wide else 1)
        colour = theme.TEXT if self.isEnabled() else theme.QUIET
        drawn = [
            PlacedText(self.text_lines.name, font, QRect(words.left(), top, words.width(), used), colour, self.ground)
        ]
        top += used
        for index, (text, text_colour) in enumerate(lines):
            units, weight = (theme.LEAD, QFont.Weight.DemiBold) if index == 0 else (theme.BODY, QFont.Weight.Normal)
            font = fit_font(scale, units, weight, text, QSize(words.width(), line))
            drawn.append(
                PlacedText(text, font, QRect(words.left(), top, words.width(), line), text_colour, self.ground)
            )
            top += line
        return drawn

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = self._metrics.px(theme.ROUND)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ground)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        if self.offer is None:
            return
        picture, _ = self._places()
        painter.setOpacity(1.0 if self.isEnabled() else GONE)
        paint_picture(painter, self._images, self.offer.slot, QRectF(picture), self.devicePixelRatioF())
        painter.setOpacity(1.0)
        align = Qt.AlignmentFlag.AlignLeft if self.is_wide else Qt.AlignmentFlag.AlignHCenter
        for placed in self.placed_texts:
            painter.setFont(placed.font)
            painter.setPen(placed.colour)
            painter.drawText(placed.place, WRAPPED | int(align | Qt.AlignmentFlag.AlignVCenter), placed.text)
        if self.offer.minimum_age:
            self._paint_badge(painter, picture)

    def _paint_badge(self, painter: QPainter, picture: QRect) -> None:
        side = self._metrics.px(7.5)
        margin = self._metrics.px(theme.GAP)
        left = picture.right() - side if self.is_wide else self.width() - margin - side
        place = QRectF(left, margin, side, side)
        text = badge_text(self.offer.minimum_age if self.offer else 0)
        font = fit_font(self._metrics.scale, 2.9, QFont.Weight.Bold, text, QSize(side * 3 // 4, side), wrap=False)
        paint_badge(painter, place, self.offer.minimum_age if self.offer else 0, font, self.ground)

    # Events

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None:
            self._pressed = event.position()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        moved = (event.position() if event is not None else self._pressed) - self._pressed
        if not self.was_hidden and abs(moved.x()) > self._metrics.touch * 0.6 and abs(moved.x()) > 1.5 * abs(moved.y()):
            self.setDown(False)  # a swipe is not a press
            self.swiped.emit(1 if moved.x() < 0 else -1)
            return
        super().mouseReleaseEvent(event)
