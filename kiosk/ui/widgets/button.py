"""What is touched: one shape, in three ranks, that answers the finger at once."""

from __future__ import annotations

import enum

from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QHideEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QAbstractButton, QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import paint_sign
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import WRAPPED, Drawn, fitting
from kiosk.ui.widgets.theme import Scale


class ButtonStyle(enum.Enum):
    """How much a button wants to be touched."""

    PRIMARY = "the way on; one a screen"
    PLAIN = "anything else"
    CHOSEN = "what is already so"


class Target(QAbstractButton):
    """A press counts only on what stays in sight until the finger is lifted.

    Qt itself goes on with a press while the button is hidden, and after it has come back: the button stays down, and
    the finger that is lifted buys something that nobody saw any more.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._gone = False
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @property
    def gone(self) -> bool:
        """Whether it was hidden since it was last pressed."""
        return self._gone

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        self._gone = True
        self.setDown(False)
        super().hideEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self._gone = False
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if not self._gone:
            super().mouseMoveEvent(event)

    # a release after it was hidden clicks nothing: Qt clicks only what is down


class Button(Target):
    """Text, a sign, or a sign and text beside it."""

    def __init__(self, parent: QWidget, rank: ButtonStyle = ButtonStyle.PLAIN, sign: str = "") -> None:
        super().__init__(parent)
        self.rank = rank
        self.sign = sign
        self._look = DisplayMetrics.of(QSize(800, 800), 4.0)

    def say(self, text: str) -> None:
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)

    def show_sign(self, sign: str, name: str = "") -> None:
        self.sign = sign
        if name:
            self.setAccessibleName(name)
        self.update()

    def set_rank(self, rank: ButtonStyle) -> None:
        if rank is not self.rank:
            self.rank = rank
            self.update()

    def rescale(self, look: DisplayMetrics) -> None:
        self._look = look
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        side = self._look.touch
        words = QFontMetrics(self._font()).horizontalAdvance(self.text()) if self.text() else 0
        sign = round(self._sign_side * 1.35) + 4 if self.sign and self.text() else 0
        return QSize(max(side, words + sign + 2 * self._padding), side)

    # Appearance

    @property
    def colours(self) -> tuple[QColor, QColor]:
        """Of text and ground, as it is now."""
        if not self.isEnabled():
            return theme.QUIET, theme.SURFACE
        if self.rank is ButtonStyle.PRIMARY:
            return theme.ON_ACCENT, theme.ACCENT_PRESSED if self.isDown() else theme.ACCENT
        if self.rank is ButtonStyle.CHOSEN:
            return theme.GROUND, theme.TEXT
        return theme.TEXT, theme.PRESSED if self.isDown() else theme.RAISED

    @property
    def _padding(self) -> int:
        return self._look.px(theme.SPACE * 0.8)

    @property
    def _scale(self) -> Scale:
        return self._look.text

    @property
    def _sign_side(self) -> float:
        return self._look.touch * 0.42

    def _font(self) -> QFont:
        return self._scale.font(theme.LEAD, self._weight)

    @property
    def _weight(self) -> QFont.Weight:
        return QFont.Weight.DemiBold if self.rank is ButtonStyle.PRIMARY else QFont.Weight.Medium

    def _places(self) -> tuple[QRectF, QRect]:
        """Of the sign and of the text."""
        inner = self.rect().adjusted(self._padding, 0, -self._padding, 0)
        side = self._sign_side
        if not self.sign:
            return QRectF(), inner
        if not self.text():
            place = QRectF(0, 0, side, side)
            place.moveCenter(QRectF(self.rect()).center())
            return place, QRect()
        gap = side * 0.35
        words = QFontMetrics(self._font()).horizontalAdvance(self.text())
        left = max(inner.left(), inner.center().x() - (words + side + gap) / 2)
        place = QRectF(left, self.height() / 2 - side / 2, side, side)
        start = round(place.right() + gap)
        return place, QRect(start, 0, max(inner.right() - start + 1, 1), self.height())

    @property
    def drawn(self) -> list[Drawn]:
        if not self.text():
            return []
        _, place = self._places()
        margin = self._look.px(0.6)
        place = place.adjusted(0, margin, 0, -margin)
        font = fitting(self._scale, theme.LEAD, self._weight, self.text(), place.size())
        text, ground = self.colours
        return [Drawn(self.text(), font, place, text, ground)]

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text, ground = self.colours
        radius = min(self._look.px(theme.ROUND), self.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        place, _ = self._places()
        if self.sign:
            paint_sign(painter, self.sign, place, text)
        align = Qt.AlignmentFlag.AlignLeft if self.sign else Qt.AlignmentFlag.AlignHCenter
        for drawn in self.drawn:
            painter.setFont(drawn.font)
            painter.setPen(drawn.colour)
            painter.drawText(drawn.place, WRAPPED | int(align | Qt.AlignmentFlag.AlignVCenter), drawn.text)
