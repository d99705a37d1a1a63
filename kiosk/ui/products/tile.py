"""A product among others: picture, name, price, and whether it can be had."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRect, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages, paint_picture
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Target
from kiosk.ui.widgets.icons import badge_text, paint_badge
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import WRAPPED, Drawn, fitting, needs
from kiosk.vending.sale.snapshot import Offer

GONE = 0.35
"""How much of a picture is left that cannot be bought."""


LYING = 1.4
"""From which proportion on the words stand beside the picture."""


@dataclass(frozen=True)
class TileText:
    """What a tile says."""

    name: str
    price: str
    note: str = ""
    """Sold out, or the last one."""


class Tile(Target):
    """The whole of it is one target."""

    swiped = pyqtSignal(int)
    """A finger went over it to the left (1, on to the next page) or to the right (-1)."""

    def __init__(self, parent: QWidget, shelf: ProductImages) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self._look = DisplayMetrics.of(QSize(800, 800), 4.0)
        self._pressed = QPointF()
        self.offer: Offer | None = None
        self.says = TileText("", "")
        self._words_high = 0
        self._noted = False

    def show_offer(self, offer: Offer, says: TileText, look: DisplayMetrics) -> None:
        self.offer, self.says, self._look = offer, says, look
        self.give_words(self.words_wanted(bool(says.note)), noted=bool(says.note))
        self.setEnabled(offer.available)
        self.setAccessibleName(f"{says.name}, {says.price}" + (f", {says.note}" if says.note else ""))
        self.update()

    @property
    def lying(self) -> bool:
        """Whether the words stand beside the picture instead of below it."""
        return self.width() > self.height() * LYING

    @property
    def ground(self) -> QColor:
        if not self.isEnabled():
            return theme.SURFACE
        return theme.PRESSED if self.isDown() else theme.RAISED

    def _places(self) -> tuple[QRect, QRect]:
        """Of the picture and of the words."""
        margin = self._look.px(theme.GAP)
        inner = self.rect().adjusted(margin, margin, -margin, -margin)
        if self.lying:
            side = min(inner.height(), inner.width() * 38 // 100)
            return (
                QRect(inner.left(), inner.top(), side, inner.height()),
                inner.adjusted(side + margin, 0, 0, 0),
            )
        words = min(self._words_high, inner.height() * 64 // 100)
        return inner.adjusted(0, 0, 0, -words - margin // 2), inner.adjusted(0, inner.height() - words, 0, 0)

    def words_wanted(self, noted: bool) -> int:
        """Height of the words below a picture, at their full size, with or without a note."""
        width = self.width() - 2 * self._look.px(theme.GAP)
        name = needs(self._look.text.font(theme.BODY), self.says.name, width).height()
        lines = 2 if noted else 1
        return name + self._look.text.px(theme.LEAD * 1.35) * lines

    def give_words(self, height: int, *, noted: bool) -> None:
        """As much as every tile of the page has, so that pictures and prices stand in rows."""
        self._words_high, self._noted = height, noted
        self.update()

    @property
    def drawn(self) -> list[Drawn]:
        _, words = self._places()
        scale = self._look.text
        line = min(scale.px(theme.LEAD * 1.35), words.height() // (3 if self._noted else 2))
        lines = [(self.says.price, theme.TEXT if self.isEnabled() else theme.QUIET)]
        if self.says.note:
            lines.append((self.says.note, theme.QUIET))
        room = QSize(words.width(), words.height() - line * (2 if self._noted else 1))
        font = fitting(scale, theme.BODY, QFont.Weight.Normal, self.says.name, room)
        used = min(needs(font, self.says.name, words.width()).height(), room.height())
        top = words.top() + (room.height() - used) // (2 if self.lying else 1)
        colour = theme.TEXT if self.isEnabled() else theme.QUIET
        drawn = [Drawn(self.says.name, font, QRect(words.left(), top, words.width(), used), colour, self.ground)]
        top += used
        for index, (text, text_colour) in enumerate(lines):
            units, weight = (theme.LEAD, QFont.Weight.DemiBold) if index == 0 else (theme.BODY, QFont.Weight.Normal)
            font = fitting(scale, units, weight, text, QSize(words.width(), line))
            drawn.append(Drawn(text, font, QRect(words.left(), top, words.width(), line), text_colour, self.ground))
            top += line
        return drawn

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        radius = self._look.px(theme.ROUND)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.ground)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        if self.offer is None:
            return
        picture, _ = self._places()
        painter.setOpacity(1.0 if self.isEnabled() else GONE)
        paint_picture(painter, self._shelf, self.offer.slot, QRectF(picture), self.devicePixelRatioF())
        painter.setOpacity(1.0)
        align = Qt.AlignmentFlag.AlignLeft if self.lying else Qt.AlignmentFlag.AlignHCenter
        for drawn in self.drawn:
            painter.setFont(drawn.font)
            painter.setPen(drawn.colour)
            painter.drawText(drawn.place, WRAPPED | int(align | Qt.AlignmentFlag.AlignVCenter), drawn.text)
        if self.offer.minimum_age:
            self._paint_badge(painter, picture)

    def _paint_badge(self, painter: QPainter, picture: QRect) -> None:
        side = self._look.px(7.5)
        margin = self._look.px(theme.GAP)
        left = picture.right() - side if self.lying else self.width() - margin - side
        place = QRectF(left, margin, side, side)
        text = badge_text(self.offer.minimum_age if self.offer else 0)
        font = fitting(self._look.scale, 2.9, QFont.Weight.Bold, text, QSize(side * 3 // 4, side), wrap=False)
        paint_badge(painter, place, self.offer.minimum_age if self.offer else 0, font, self.ground)

    # Events

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if event is not None:
            self._pressed = event.position()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        moved = (event.position() if event is not None else self._pressed) - self._pressed
        if not self.gone and abs(moved.x()) > self._look.touch * 0.6 and abs(moved.x()) > 1.5 * abs(moved.y()):
            self.setDown(False)  # a swipe buys nothing
            self.swiped.emit(1 if moved.x() < 0 else -1)
            return
        super().mouseReleaseEvent(event)
