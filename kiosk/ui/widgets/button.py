"""Buttons: one shape in three styles, which react to the finger at once."""

from __future__ import annotations

import enum

from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QHideEvent, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QAbstractButton, QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import paint_icon
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import WRAPPED, PlacedText, fit_font
from kiosk.ui.widgets.theme import Scale


class ButtonStyle(enum.Enum):
    """How prominent a button is."""

    PRIMARY = "continue; one on a screen"
    PLAIN = "any other button"
    CHOSEN = "the current choice"


class TouchTarget(QAbstractButton):
    """The base of everything that can be pressed. A press counts only if the widget stays visible until the release.

    Qt continues a press while a button is hidden and after it is shown again. The release would then trigger a button
    that was not visible.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._was_hidden = False
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @property
    def was_hidden(self) -> bool:
        """Whether it was hidden since the last press."""
        return self._was_hidden

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802
        self._was_hidden = True
        self.setDown(False)
        super().hideEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        self._was_hidden = False
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        if not self._was_hidden:
            super().mouseMoveEvent(event)

    # A release after it was hidden clicks nothing, because Qt clicks only a button that is down.


class Button(TouchTarget):
    """Text, an icon, or an icon and text beside it."""

    def __init__(self, parent: QWidget, style: ButtonStyle = ButtonStyle.PLAIN, icon: str = "") -> None:
        super().__init__(parent)
        self.button_style = style
        self.icon_name = icon
        self._metrics = DisplayMetrics.of(QSize(800, 800), 4.0)

    def set_text(self, text: str) -> None:
        """Shows `text`, which is also the accessible name."""
        if text != self.text():
            self.setText(text)
            self.setAccessibleName(text)

    def set_icon(self, icon: str, name: str = "") -> None:
        """Shows an icon of `kiosk.ui.widgets.icons`; `name` is its accessible name."""
        self.icon_name = icon
        if name:
            self.setAccessibleName(name)
        self.update()

    def set_button_style(self, style: ButtonStyle) -> None:
        """Changes the style."""
        if style is not self.button_style:
            self.button_style = style
            self.update()

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Uses these sizes from now on."""
        self._metrics = metrics
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        side = self._metrics.touch
        words = QFontMetrics(self._font()).horizontalAdvance(self.text()) if self.text() else 0
        icon = round(self._icon_side * 1.35) + 4 if self.icon_name and self.text() else 0
        return QSize(max(side, words + icon + 2 * self._padding), side)

    # Appearance

    @property
    def colours(self) -> tuple[QColor, QColor]:
        """The current colours of text and background."""
        if not self.isEnabled():
            return theme.QUIET, theme.SURFACE
        if self.button_style is ButtonStyle.PRIMARY:
            return theme.ON_ACCENT, theme.ACCENT_PRESSED if self.isDown() else theme.ACCENT
        if self.button_style is ButtonStyle.CHOSEN:
            return theme.GROUND, theme.TEXT
        return theme.TEXT, theme.PRESSED if self.isDown() else theme.RAISED

    @property
    def _padding(self) -> int:
        return self._metrics.px(theme.SPACE * 0.8)

    @property
    def _scale(self) -> Scale:
        return self._metrics.text

    @property
    def _icon_side(self) -> float:
        return self._metrics.touch * 0.42

    def _font(self) -> QFont:
        return self._scale.font(theme.LEAD, self._weight)

    @property
    def _weight(self) -> QFont.Weight:
        return QFont.Weight.DemiBold if self.button_style is ButtonStyle.PRIMARY else QFont.Weight.Medium

    def _places(self) -> tuple[QRectF, QRect]:
        """Returns the rectangles of the icon and of the text, in the widget's pixels."""
        inner = self.rect().adjusted(self._padding, 0, -self._padding, 0)
        side = self._icon_side
        if not self.icon_name:
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
    def placed_texts(self) -> list[PlacedText]:
        """The text as it is painted."""
        if not self.text():
            return []
        _, place = self._places()
        margin = self._metrics.px(0.6)
        place = place.adjusted(0, margin, 0, -margin)
        font = fit_font(self._scale, theme.LEAD, self._weight, self.text(), place.size())
        text, ground = self.colours
        return [PlacedText(self.text(), font, place, text, ground)]

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text, ground = self.colours
        radius = min(self._metrics.px(theme.ROUND), self.height() / 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        place, _ = self._places()
        if self.icon_name:
            paint_icon(painter, self.icon_name, place, text)
        align = Qt.AlignmentFlag.AlignLeft if self.icon_name else Qt.AlignmentFlag.AlignHCenter
        for placed in self.placed_texts:
            painter.setFont(placed.font)
            painter.setPen(placed.colour)
            painter.drawText(placed.place, WRAPPED | int(align | Qt.AlignmentFlag.AlignVCenter), placed.text)
