"""Asks the customer, over the whole window, whether they are still there before the sale is cleared."""

from __future__ import annotations

import math

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFont, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.action_bar import ActionBar
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.icons import paint_ring
from kiosk.ui.widgets.layout import ColumnItem, arrange_column, split
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.ui.widgets.theme import Scale


class Countdown(QWidget):
    """The seconds that are left, in a ring that empties."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._seconds = 0.0
        self._total = 1.0

    def show_seconds(self, seconds: float) -> None:
        """Show the `seconds` that are left. The largest value since `restart` is the full ring."""
        self._seconds = seconds
        self._total = max(self._total, seconds)
        self.update()

    def restart(self) -> None:
        """Forget how many seconds a full ring stands for."""
        self._total = 1.0

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        place = paint_ring(painter, self.rect(), 0.06, -self._seconds / self._total)
        painter.setPen(theme.TEXT)
        painter.setFont(Scale(place.width() / 100).font(34, QFont.Weight.DemiBold))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(math.ceil(self._seconds)))


class StillThere(QWidget):
    """The question with its countdown. Every touch except the one on *no* means yes."""

    stay_requested = pyqtSignal()
    leave_requested = pyqtSignal()

    def __init__(self, strings: ShopStrings, parent: QWidget) -> None:
        super().__init__(parent)
        self._strings = strings
        self._arranged_for: tuple[QSize, DisplayMetrics] | None = None

        # Widgets
        self.countdown = Countdown(self)
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.text = Text(self, theme.LEAD, colour=theme.QUIET)
        self.bar = ActionBar(self)
        self.no = self.bar.add(self.leave_requested.emit)
        self.yes = self.bar.add(self.stay_requested.emit, ButtonStyle.PRIMARY)
        self.hide()

    def ask(self, seconds: float | None, metrics: DisplayMetrics) -> None:
        """Show the question with `seconds` left, or hide it for None. Called at every tick."""
        if seconds is None:
            if not self.isHidden():
                self.hide()
            return
        if self.isHidden():
            self.countdown.restart()
            self._arranged_for = None  # the language may have changed
        if (self.size(), metrics) != self._arranged_for:
            self._arranged_for = self.size(), metrics
            self._arrange(metrics)
        if self.isHidden():
            self.show()
            self.raise_()
        self.countdown.show_seconds(seconds)

    def _arrange(self, metrics: DisplayMetrics) -> None:
        self.title.set_text(self._strings.still_there())
        self.text.set_text(self._strings.still_there_why())
        self.no.set_text(self._strings.leave())
        self.yes.set_text(self._strings.still_here())
        for text in (self.title, self.text):
            text.rescale(metrics)
        margin = metrics.px(theme.SPACE)
        area = self.rect().adjusted(margin, margin, -margin, 0)
        upper, lower = split(area, self.bar.height(metrics, area.width()))
        self.bar.arrange(lower, metrics)
        ring = metrics.px(30)
        parts = [
            ColumnItem(self.countdown, ring, ring, least=ring // 3),
            ColumnItem(self.title, gap=metrics.px(theme.MARGIN)),
        ]
        arrange_column(upper, [*parts, ColumnItem(self.text)], metrics.px(theme.GAP))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        QPainter(self).fillRect(self.rect(), theme.OVER)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Treat a touch beside the buttons as yes."""
        super().mousePressEvent(event)
        self.stay_requested.emit()
