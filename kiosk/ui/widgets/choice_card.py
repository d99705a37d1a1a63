"""A large button for a choice: icon, title and explanation."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QFont, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.translations.live import Message
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import TouchTarget
from kiosk.ui.widgets.icons import paint_icon
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import WRAPPED, PlacedText, fit_font, text_size


class Card(TouchTarget):
    """The icon is on the left, title and explanation beside it."""

    def __init__(self, parent: QWidget, icon: str) -> None:
        super().__init__(parent)
        self._icon = icon
        self._message = Message("", "")
        self._metrics = DisplayMetrics.of(QSize(800, 800), 4.0)

    def set_text(self, message: Message) -> None:
        """Shows a title and an explanation."""
        self._message = message
        self.setAccessibleName(f"{message.title}. {message.text}")
        self.update()

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Uses these sizes from now on."""
        self._metrics = metrics
        self.update()

    def height_for(self, width: int) -> int:
        """Returns the height in pixels that the card needs at full text size."""
        words = self._words(width, 10_000).width()
        scale = self._metrics.text
        title = text_size(scale.font(theme.LEAD, QFont.Weight.DemiBold), self._message.title, words).height()
        text = text_size(scale.font(theme.BODY), self._message.text, words).height()
        return max(title + text + self._metrics.px(theme.SPACE * 2), self._metrics.touch)

    def _icon_rect(self, width: int, height: int) -> QRectF:
        margin = self._metrics.px(theme.SPACE)
        side = min(self._metrics.px(12), height - 2 * margin, width // 4)
        return QRectF(margin, (height - side) / 2, side, side)

    def _words(self, width: int, height: int) -> QRect:
        margin = self._metrics.px(theme.SPACE)
        left = round(self._icon_rect(width, height).right()) + margin
        return QRect(left, margin // 2, width - left - margin, height - 2 * (margin // 2))

    @property
    def placed_texts(self) -> list[PlacedText]:
        """Title and explanation as they are painted."""
        words, scale = self._words(self.width(), self.height()), self._metrics.text
        ground = theme.PRESSED if self.isDown() else theme.RAISED
        bold = QFont.Weight.DemiBold
        title_room = QSize(words.width(), words.height() * 55 // 100)
        title = fit_font(scale, theme.LEAD, bold, self._message.title, title_room)
        high = min(text_size(title, self._message.title, words.width()).height(), title_room.height())
        text_room = QSize(words.width(), words.height() - high)
        text = fit_font(scale, theme.BODY, QFont.Weight.Normal, self._message.text, text_room)
        low = min(text_size(text, self._message.text, words.width()).height(), text_room.height())
        top = words.top() + (words.height() - high - low) // 2
        return [
            PlacedText(self._message.title, title, QRect(words.left(), top, words.width(), high), theme.TEXT, ground),
            PlacedText(
                self._message.text, text, QRect(words.left(), top + high, words.width(), low), theme.QUIET, ground
            ),
        ]

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.PRESSED if self.isDown() else theme.RAISED)
        radius = self._metrics.px(theme.ROUND)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        paint_icon(painter, self._icon, self._icon_rect(self.width(), self.height()), theme.TEXT, pen=5.0)
        for placed in self.placed_texts:
            painter.setFont(placed.font)
            painter.setPen(placed.colour)
            painter.drawText(placed.place, WRAPPED | int(Qt.AlignmentFlag.AlignVCenter), placed.text)
