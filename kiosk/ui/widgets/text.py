"""Text that is never clipped: it wraps in its place, and gets smaller where it still does not fit."""

from __future__ import annotations

from dataclasses import dataclass

from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.theme import Scale

SMALLEST_SHARE = 0.6
"""To what share of its size a text may shrink: below that, the layout is wrong."""
_STEPS = 9
_HIGH = 100_000

WRAPPED = int(Qt.TextFlag.TextWordWrap)


def fitting(scale: Scale, units: float, weight: QFont.Weight, text: str, room: QSize, *, wrap: bool = True) -> QFont:
    """The largest font of at most `units` in which `text` fits into `room`; the smallest allowed if none does."""
    font = scale.font(units, weight)
    for step in range(_STEPS):
        share = 1 - (1 - SMALLEST_SHARE) * step / (_STEPS - 1)
        font = scale.font(units * share, weight)
        if fits(font, text, room, wrap=wrap):
            break
    return font


def fits(font: QFont, text: str, room: QSize, *, wrap: bool = True) -> bool:
    """Whether `text` in `font` needs no more than `room`."""
    needed = needs(font, text, room.width() if wrap else _HIGH)
    return needed.width() <= room.width() and needed.height() <= room.height()


def needs(font: QFont, text: str, width: int) -> QSize:
    """What `text` needs when it wraps at `width`."""
    return QFontMetrics(font).boundingRect(QRect(0, 0, max(width, 1), _HIGH), WRAPPED, text).size()


@dataclass(frozen=True)
class Drawn:
    """A text as it is drawn, for whoever checks the layout."""

    text: str
    font: QFont
    place: QRect
    """In the widget's pixels."""
    colour: QColor
    ground: QColor
    wrap: bool = True


class Text(QWidget):
    """A label."""

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

    def say(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self.setAccessibleName(text)
            self.update()

    def rescale(self, look: DisplayMetrics) -> None:
        if look.text != self._scale:
            self._scale = look.text
            self.update()

    @property
    def font_wanted(self) -> QFont:
        return self._scale.font(self._units, self._weight)

    def height_for(self, width: int) -> int:
        """Pixels that it needs at its full size; none if it says nothing."""
        return needs(self.font_wanted, self.text, width).height() if self.text else 0

    def width_for(self) -> int:
        """Pixels that it needs on one line."""
        return QFontMetrics(self.font_wanted).horizontalAdvance(self.text) + 2

    @property
    def drawn(self) -> list[Drawn]:
        if not self.text:
            return []
        font = fitting(self._scale, self._units, self._weight, self.text, self.size())
        return [Drawn(self.text, font, self.rect(), self.colour, self._ground)]

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        for drawn in self.drawn:
            painter.setFont(drawn.font)
            painter.setPen(drawn.colour)
            painter.drawText(drawn.place, WRAPPED | int(self.align | Qt.AlignmentFlag.AlignVCenter), drawn.text)
