"""A large choice: a sign, what it is, and what it means."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QFont, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.translations.live import Message
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Target
from kiosk.ui.widgets.icons import paint_sign
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import WRAPPED, Drawn, fitting, needs


class Card(Target):
    """Sign on the left, words beside it."""

    def __init__(self, parent: QWidget, sign: str) -> None:
        super().__init__(parent)
        self._sign = sign
        self._message = Message("", "")
        self._look = DisplayMetrics.of(QSize(800, 800), 4.0)

    def say(self, message: Message) -> None:
        self._message = message
        self.setAccessibleName(f"{message.title}. {message.text}")
        self.update()

    def rescale(self, look: DisplayMetrics) -> None:
        self._look = look
        self.update()

    def height_for(self, width: int) -> int:
        """What it needs at its full size."""
        words = self._words(width, 10_000).width()
        scale = self._look.text
        title = needs(scale.font(theme.LEAD, QFont.Weight.DemiBold), self._message.title, words).height()
        text = needs(scale.font(theme.BODY), self._message.text, words).height()
        return max(title + text + self._look.px(theme.SPACE * 2), self._look.touch)

    def _sign_place(self, width: int, height: int) -> QRectF:
        margin = self._look.px(theme.SPACE)
        side = min(self._look.px(12), height - 2 * margin, width // 4)
        return QRectF(margin, (height - side) / 2, side, side)

    def _words(self, width: int, height: int) -> QRect:
        margin = self._look.px(theme.SPACE)
        left = round(self._sign_place(width, height).right()) + margin
        return QRect(left, margin // 2, width - left - margin, height - 2 * (margin // 2))

    @property
    def drawn(self) -> list[Drawn]:
        words, scale = self._words(self.width(), self.height()), self._look.text
        ground = theme.PRESSED if self.isDown() else theme.RAISED
        bold = QFont.Weight.DemiBold
        title_room = QSize(words.width(), words.height() * 55 // 100)
        title = fitting(scale, theme.LEAD, bold, self._message.title, title_room)
        high = min(needs(title, self._message.title, words.width()).height(), title_room.height())
        text_room = QSize(words.width(), words.height() - high)
        text = fitting(scale, theme.BODY, QFont.Weight.Normal, self._message.text, text_room)
        low = min(needs(text, self._message.text, words.width()).height(), text_room.height())
        top = words.top() + (words.height() - high - low) // 2
        return [
            Drawn(self._message.title, title, QRect(words.left(), top, words.width(), high), theme.TEXT, ground),
            Drawn(self._message.text, text, QRect(words.left(), top + high, words.width(), low), theme.QUIET, ground),
        ]

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.PRESSED if self.isDown() else theme.RAISED)
        radius = self._look.px(theme.ROUND)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        paint_sign(painter, self._sign, self._sign_place(self.width(), self.height()), theme.TEXT, pen=5.0)
        for drawn in self.drawn:
            painter.setFont(drawn.font)
            painter.setPen(drawn.colour)
            painter.drawText(drawn.place, WRAPPED | int(Qt.AlignmentFlag.AlignVCenter), drawn.text)
