"""The question before anything is cleared, over the whole window."""

from __future__ import annotations

import math

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtGui import QFont, QMouseEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.action_bar import ActionBar
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.layout import Part, column, split
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.ring import paint_ring
from kiosk.ui.widgets.text import Text
from kiosk.ui.widgets.theme import Scale


class Countdown(QWidget):
    """Seconds in a ring that runs empty."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.seconds = 0.0
        self.whole = 1.0

    def show_seconds(self, seconds: float) -> None:
        self.seconds = seconds
        self.whole = max(self.whole, seconds)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        painter = QPainter(self)
        place = paint_ring(painter, self.rect(), 0.06, -self.seconds / self.whole)
        painter.setPen(theme.TEXT)
        painter.setFont(Scale(place.width() / 100).font(34, QFont.Weight.DemiBold))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, str(math.ceil(self.seconds)))


class StillThere(QWidget):
    """Any touch but *no* says yes."""

    stays = pyqtSignal()
    leaves = pyqtSignal()

    def __init__(self, strings: ShopStrings, parent: QWidget) -> None:
        super().__init__(parent)
        self._strings = strings
        self._laid_out: tuple[QSize, DisplayMetrics] | None = None

        # Widgets
        self.countdown = Countdown(self)
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.text = Text(self, theme.LEAD, colour=theme.QUIET)
        self.bar = ActionBar(self)
        self.no = self.bar.add(self.leaves.emit)
        self.yes = self.bar.add(self.stays.emit, ButtonStyle.PRIMARY)
        self.hide()

    def ask(self, seconds: float | None, metrics: DisplayMetrics) -> None:
        """Stand there for `seconds` more; None takes it away."""
        if seconds is None:
            if not self.isHidden():
                self.hide()
            return
        if self.isHidden():
            self.countdown.whole = 1.0
            self._laid_out = None  # it may speak another language now
        if (self.size(), metrics) != self._laid_out:
            self._laid_out = self.size(), metrics
            self._arrange(metrics)
        if self.isHidden():
            self.show()
            self.raise_()
        self.countdown.show_seconds(seconds)

    def _arrange(self, metrics: DisplayMetrics) -> None:
        self.title.say(self._strings.still_there())
        self.text.say(self._strings.still_there_why())
        self.no.say(self._strings.leave())
        self.yes.say(self._strings.still_here())
        for text in (self.title, self.text):
            text.rescale(metrics)
        margin = metrics.px(theme.SPACE)
        area = self.rect().adjusted(margin, margin, -margin, 0)
        upper, lower = split(area, self.bar.height(metrics, area.width()))
        self.bar.arrange(lower, metrics)
        ring = metrics.px(30)
        parts = [Part(self.countdown, ring, ring, least=ring // 3), Part(self.title, gap=metrics.px(theme.MARGIN))]
        column(upper, [*parts, Part(self.text)], metrics.px(theme.GAP))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        QPainter(self).fillRect(self.rect(), theme.OVER)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        super().mousePressEvent(event)
        self.stays.emit()
