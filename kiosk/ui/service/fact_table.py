"""A table of facts: a label, an icon for good or bad, and a value in each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRect, QRectF, QSize, Qt
from PyQt6.QtGui import QFont, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import paint_icon
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import WRAPPED, PlacedText, fit_font

LABEL_SHARE = 0.26
"""The label's share of the width."""
ROW_HEIGHT = 2.9
"""Height of a row in multiples of the font size: two lines and some space."""
UPRIGHT_ROW_HEIGHT = 4.6
"""The same in an upright window, whose lines are short."""


@dataclass(frozen=True)
class Row:
    """One fact. `is_ok` is None for a fact that is neither good nor bad."""

    label: str
    value: str
    is_ok: bool | None = None


class FactTable(QWidget):
    """Shows as many rows as fit, or all of them in less height with `shows_all`. `units` is the font size."""

    def __init__(
        self, parent: QWidget, *, label_share: float = LABEL_SHARE, units: float = theme.BODY, shows_all: bool = False
    ) -> None:
        super().__init__(parent)
        self._shows_all = shows_all
        self._share = label_share
        self._units = units
        self._metrics = DisplayMetrics.of(QSize(800, 800), 4.0)
        self.rows: tuple[Row, ...] = ()
        self.first = 0

    def show_rows(self, rows: Sequence[Row], first: int = 0) -> None:
        """Show `rows` from index `first` on."""
        if (tuple(rows), first) != (self.rows, self.first):
            self.rows, self.first = tuple(rows), first
            self.update()

    def rescale(self, metrics: DisplayMetrics) -> None:
        """Use the sizes of `metrics`."""
        self._metrics = metrics
        self.update()

    @property
    def capacity(self) -> int:
        """The number of rows that fit."""
        return len(self.rows) if self._shows_all else max(self.height() // self._max_row_height, 1)

    @property
    def _max_row_height(self) -> int:
        return self._metrics.text.px(self._units * (UPRIGHT_ROW_HEIGHT if self._metrics.upright else ROW_HEIGHT))

    @property
    def visible_rows(self) -> tuple[Row, ...]:
        """The rows that are shown."""
        return self.rows[self.first : self.first + self.capacity]

    @property
    def placed_texts(self) -> list[PlacedText]:
        """The texts of the visible rows as they are painted: label and value in turn."""
        drawn = []
        for index, row in enumerate(self.visible_rows):
            label, value, _ = self._row_rects(index)
            for text, place, colour, weight in (
                (row.label, label, theme.QUIET, QFont.Weight.Normal),
                (row.value, value, theme.TEXT, QFont.Weight.DemiBold if row.is_ok is False else QFont.Weight.Normal),
            ):
                font = fit_font(self._metrics.text, self._units, weight, text, place.size())
                drawn.append(PlacedText(text, font, place, colour, theme.GROUND))
        return drawn

    def _row_rects(self, index: int) -> tuple[QRect, QRect, QRectF]:
        """Return the rectangles of the label, the value and the icon of a visible row, in pixels."""
        height = min(self.height() // max(len(self.visible_rows), 1), self._max_row_height)
        gap = self._metrics.px(theme.GAP)
        side = self._metrics.px(self._units)
        left = round(self.width() * self._share)
        top = index * height
        icon = QRectF(left, top + (height - side) / 2, side, side)
        start = left + side + gap
        return QRect(0, top, left - gap, height), QRect(start, top, self.width() - start, height), icon

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for placed in self.placed_texts:
            painter.setFont(placed.font)
            painter.setPen(placed.colour)
            painter.drawText(
                placed.place, WRAPPED | int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), placed.text
            )
        painter.setPen(theme.TRACK)
        for index, row in enumerate(self.visible_rows):
            _, value, icon = self._row_rects(index)
            if row.is_ok is not None:
                paint_icon(painter, "check" if row.is_ok else "close", icon, theme.QUIET if row.is_ok else theme.TEXT)
            painter.drawLine(0, value.bottom(), self.width(), value.bottom())
