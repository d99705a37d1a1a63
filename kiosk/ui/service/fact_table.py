"""Facts in rows: what, and how it is, with a sign where it is right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QFont, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import paint_sign
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import WRAPPED, Drawn, fitting

LABEL_SHARE = 0.26
LINES = 2.9
"""Height of a row, in heights of its letters' size: two lines and some air."""
NARROW_LINES = 4.6
"""The same where the screen is upright, and a line short."""


@dataclass(frozen=True)
class Row:
    """`right` is None for what is neither right nor wrong."""

    label: str
    value: str
    right: bool | None = None


class FactTable(QWidget):
    """As many as fit, `first` on top; or `every` one, as low as that makes them."""

    def __init__(
        self, parent: QWidget, *, label_share: float = LABEL_SHARE, units: float = theme.BODY, every: bool = False
    ) -> None:
        super().__init__(parent)
        self._every = every
        self._share = label_share
        self._units = units
        self._metrics = DisplayMetrics.of(QSize(800, 800), 4.0)
        self.rows: tuple[Row, ...] = ()
        self.first = 0

    def show_rows(self, rows: Sequence[Row], first: int = 0) -> None:
        if (tuple(rows), first) != (self.rows, self.first):
            self.rows, self.first = tuple(rows), first
            self.update()

    def rescale(self, metrics: DisplayMetrics) -> None:
        self._metrics = metrics
        self.update()

    @property
    def room(self) -> int:
        """How many rows there is room for."""
        return len(self.rows) if self._every else max(self.height() // self._most_high, 1)

    @property
    def _most_high(self) -> int:
        return self._metrics.text.px(self._units * (NARROW_LINES if self._metrics.upright else LINES))

    @property
    def shown(self) -> tuple[Row, ...]:
        return self.rows[self.first : self.first + self.room]

    @property
    def drawn(self) -> list[Drawn]:
        drawn = []
        for index, row in enumerate(self.shown):
            label, value, _ = self._places(index)
            for text, place, colour, weight in (
                (row.label, label, theme.QUIET, QFont.Weight.Normal),
                (row.value, value, theme.TEXT, QFont.Weight.DemiBold if row.right is False else QFont.Weight.Normal),
            ):
                font = fitting(self._metrics.text, self._units, weight, text, place.size())
                drawn.append(Drawn(text, font, place, colour, theme.GROUND))
        return drawn

    def _places(self, index: int) -> tuple[QRect, QRect, QRectF]:
        high = min(self.height() // max(len(self.shown), 1), self._most_high)
        gap = self._metrics.px(theme.GAP)
        side = self._metrics.px(self._units)
        left = round(self.width() * self._share)
        top = index * high
        sign = QRectF(left, top + (high - side) / 2, side, side)
        start = left + side + gap
        return QRect(0, top, left - gap, high), QRect(start, top, self.width() - start, high), sign

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for drawn in self.drawn:
            painter.setFont(drawn.font)
            painter.setPen(drawn.colour)
            painter.drawText(
                drawn.place, WRAPPED | int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), drawn.text
            )
        painter.setPen(theme.TRACK)
        for index, row in enumerate(self.shown):
            _, value, sign = self._places(index)
            if row.right is not None:
                paint_sign(painter, "check" if row.right else "close", sign, theme.QUIET if row.right else theme.TEXT)
            painter.drawLine(0, value.bottom(), self.width(), value.bottom())
