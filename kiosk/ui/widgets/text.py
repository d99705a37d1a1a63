"""Text that is never clipped: it wraps, and uses a smaller font if it still does not fit."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.theme import Scale

SMALLEST_SHARE = 0.6
"""The share of its size to which a text may shrink. If that is not enough, the layout is wrong."""
_STEPS = 9
_HIGH = 100_000

WRAPPED = int(Qt.TextFlag.TextWordWrap)


def fit_font(scale: Scale, units: float, weight: QFont.Weight, text: str, room: QSize, *, wrap: bool = True) -> QFont:
    """Returns the largest font, at most `units` high, in which `text` fits into `room`.

    If none fits, returns the smallest one allowed.
    """
    font = scale.font(units, weight)
    for step in range(_STEPS):
        share = 1 - (1 - SMALLEST_SHARE) * step / (_STEPS - 1)
        font = scale.font(units * share, weight)
        if fits(font, text, room, wrap=wrap):
            break
    return font


def fits(font: QFont, text: str, room: QSize, *, wrap: bool = True) -> bool:
    """Returns whether `text` in `font` fits into `room`, in pixels."""
    needed = text_size(font, text, room.width() if wrap else _HIGH)
    return needed.width() <= room.width() and needed.height() <= room.height()


def text_size(font: QFont, text: str, width: int) -> QSize:
    """Returns the size of `text` in pixels when it wraps at `width`."""
    return QFontMetrics(font).boundingRect(QRect(0, 0, max(width, 1), _HIGH), WRAPPED, text).size()


@dataclass(frozen=True)
class PlacedText:
    """A text with the font, position and colours with which it is painted. Tests of the layout use it."""

    text: str
    font: QFont
    place: QRect
    """The rectangle in the widget's pixels."""
    colour: QColor
    ground: QColor
    wrap: bool = True


class Text(QWidget):
    """A label whose text wraps and shrinks to fit."""

    def __init__(
        self,
        parent: QWidget,
        units: float = theme.BODY,
        weight: QFont.Weight = QFont.Weight.Normal,
        colour: QColor = theme.TEXT,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignHCenter,
        ground: QColor = theme.GROUND,
    ) -> None:
        super().__init__(parent)
        self._units = units
        self._weight = weight
        self.colour = colour
        self._ground = ground
        self.align = align
        self._scale = Scale.of(QSize(800, 800))
        self.text = ""

    def set_text(self, text: str) -> None:
        """Shows `text`, which is also the accessible name."""
        if text != self.text:
            self.text = text
            self.setAccessibleName(text)
            self.update()

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Uses these sizes from now on."""
        if metrics.text != self._scale:
            self._scale = metrics.text
            self.update()

    @property
    def font_wanted(self) -> QFont:
        """The font at full size."""
        return self._scale.font(self._units, self._weight)

    def height_for(self, width: int) -> int:
        """Returns the height in pixels at full size; 0 for an empty text."""
        return text_size(self.font_wanted, self.text, width).height() if self.text else 0

    def width_for(self) -> int:
        """Returns the width in pixels on one line."""
        return QFontMetrics(self.font_wanted).horizontalAdvance(self.text) + 2

    @property
    def placed_texts(self) -> list[PlacedText]:
        """The text as it is painted."""
        if not self.text:
            return []
        font = fit_font(self._scale, self._units, self._weight, self.text, self.size())
        return [PlacedText(self.text, font, self.rect(), self.colour, self._ground)]

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        for placed in self.placed_texts:
            painter.setFont(placed.font)
            painter.setPen(placed.colour)
            painter.drawText(placed.place, WRAPPED | int(self.align | Qt.AlignmentFlag.AlignVCenter), placed.text)
