"""A number between a minus and a plus."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text


class Stepper(QWidget):
    """Holding a button repeats it. `shown` says the number as a person writes it."""

    changed = pyqtSignal(int)

    def __init__(self, parent: QWidget, shown: Callable[[int], str] = str) -> None:
        super().__init__(parent)
        self._shown = shown
        self.value, self.least, self.most, self.step = 0, 0, 100, 1
        self.label = Text(self, theme.BODY, colour=theme.QUIET)
        self.number = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.minus, self.plus = Button(self), Button(self)
        for button, sign, slot in ((self.minus, "−", self._less), (self.plus, "+", self._more)):
            button.say(sign)
            button.setAutoRepeat(True)
            button.clicked.connect(slot)

    def offer(self, value: int, least: int, most: int, step: int = 1) -> None:
        """Begin with `value`, which may change from `least` to `most`."""
        self.least, self.most, self.step = least, most, step
        self._put(value)

    def set_value(self, value: int) -> None:
        """As if it had been typed."""
        value = max(min(value, self.most), self.least)
        if value != self.value:
            self._put(value)
            self.changed.emit(value)

    def arrange(self, place: QRect, metrics: DisplayMetrics) -> None:
        """Label above, then minus, number, plus."""
        self.setGeometry(place)
        for each in (self.label, self.number, self.minus, self.plus):
            each.rescale(metrics)
        high = min(self.label.height_for(self.width()), max(self.height() - metrics.touch, 0))
        self.label.setGeometry(0, 0, self.width(), high)
        side = max(metrics.touch, min(self.height() - high, self.width() // 5))
        tall = max(self.height() - high, 1)
        self.minus.setGeometry(0, high, side, tall)
        self.plus.setGeometry(self.width() - side, high, side, tall)
        self.number.setGeometry(side, high, self.width() - 2 * side, tall)

    def _less(self) -> None:
        self.set_value(self.value - self.step)

    def _more(self) -> None:
        self.set_value(self.value + self.step)

    def _put(self, value: int) -> None:
        self.value = value
        self.number.say(self._shown(value))
        self.minus.setEnabled(value > self.least)
        self.plus.setEnabled(value < self.most)


def side_by_side(area: QRect, steppers: tuple[Stepper, Stepper], metrics: DisplayMetrics) -> None:
    """Place two of them in `area`: one below the other where it is narrow."""
    gap = metrics.px(theme.GAP)
    if metrics.upright:
        tall = min((area.height() - 3 * gap) // 2, metrics.touch * 2)
        top = area.top() + max(area.height() - 2 * tall - 3 * gap, 0) // 3
        for index, stepper in enumerate(steppers):
            stepper.arrange(QRect(area.left(), top + index * (tall + 3 * gap), area.width(), tall), metrics)
    else:
        wide, tall = (area.width() - gap * 4) // 2, min(area.height(), metrics.touch * 2)
        top = area.top() + (area.height() - tall) // 3
        for stepper, left in zip(steppers, (area.left(), area.right() + 1 - wide), strict=True):
            stepper.arrange(QRect(left, top, wide, tall), metrics)
