"""A number that is changed with a minus and a plus button."""

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
    """A label, a number and two buttons, which repeat while held. `format_value` returns the number as text."""

    changed = pyqtSignal(int)
    """Emitted with the new value."""

    def __init__(self, parent: QWidget, format_value: Callable[[int], str] = str) -> None:
        super().__init__(parent)
        self._format_value = format_value
        self.value, self.minimum, self.maximum, self.step = 0, 0, 100, 1
        self.label = Text(self, theme.BODY, colour=theme.QUIET)
        self.number = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.minus, self.plus = Button(self), Button(self)
        for button, icon, slot in ((self.minus, "−", self._decrease), (self.plus, "+", self._increase)):
            button.set_text(icon)
            button.setAutoRepeat(True)
            button.clicked.connect(slot)

    def set_range(self, value: int, minimum: int, maximum: int, step: int = 1) -> None:
        """Show `value`, which the buttons change by `step` from `minimum` to `maximum`. This emits nothing."""
        self.minimum, self.maximum, self.step = minimum, maximum, step
        self._show_value(value)

    def set_value(self, value: int) -> None:
        """Set `value`, limited to the range, and emit `changed` if it is a new one."""
        value = max(min(value, self.maximum), self.minimum)
        if value != self.value:
            self._show_value(value)
            self.changed.emit(value)

    def arrange(self, place: QRect, metrics: DisplayMetrics) -> None:
        """Place the stepper at `place`: the label on top, and below it minus, number and plus."""
        self.setGeometry(place)
        for each in (self.label, self.number, self.minus, self.plus):
            each.rescale(metrics)
        label_height = min(self.label.height_for(self.width()), max(self.height() - metrics.touch, 0))
        self.label.setGeometry(0, 0, self.width(), label_height)
        side = max(metrics.touch, min(self.height() - label_height, self.width() // 5))
        height = max(self.height() - label_height, 1)
        self.minus.setGeometry(0, label_height, side, height)
        self.plus.setGeometry(self.width() - side, label_height, side, height)
        self.number.setGeometry(side, label_height, self.width() - 2 * side, height)

    def _decrease(self) -> None:
        self.set_value(self.value - self.step)

    def _increase(self) -> None:
        self.set_value(self.value + self.step)

    def _show_value(self, value: int) -> None:
        self.value = value
        self.number.set_text(self._format_value(value))
        self.minus.setEnabled(value > self.minimum)
        self.plus.setEnabled(value < self.maximum)


def side_by_side(area: QRect, steppers: tuple[Stepper, Stepper], metrics: DisplayMetrics) -> None:
    """Place two steppers next to each other in `area`, or one above the other in an upright window."""
    gap = metrics.px(theme.GAP)
    if metrics.upright:
        height = min((area.height() - 3 * gap) // 2, metrics.touch * 2)
        top = area.top() + max(area.height() - 2 * height - 3 * gap, 0) // 3
        for index, stepper in enumerate(steppers):
            stepper.arrange(QRect(area.left(), top + index * (height + 3 * gap), area.width(), height), metrics)
    else:
        width, height = (area.width() - gap * 4) // 2, min(area.height(), metrics.touch * 2)
        top = area.top() + (area.height() - height) // 3
        for stepper, left in zip(steppers, (area.left(), area.right() + 1 - width), strict=True):
            stepper.arrange(QRect(left, top, width, height), metrics)
