"""The bar of buttons at the bottom of every screen: back or cancel on the left, continue on the right.

On consecutive screens these two never have the same position, so that an accidental double tap does not undo a step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button, ButtonStyle
from kiosk.ui.widgets.layout import arrange_row
from kiosk.ui.widgets.metrics import DisplayMetrics

PRIMARY_WEIGHT = 1.7


class ActionBar:
    """The buttons of one screen, from left to right. It is not a widget itself."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self.buttons: list[Button] = []

    def add(self, slot: Callable[[], None], style: ButtonStyle = ButtonStyle.PLAIN) -> Button:
        """Adds and returns a button that calls `slot`."""
        button = Button(self._parent, style)
        button.clicked.connect(slot)
        self.buttons.append(button)
        return button

    @property
    def shown(self) -> list[Button]:
        """The buttons that are not hidden."""
        return [button for button in self.buttons if not button.isHidden()]

    def height(self, metrics: DisplayMetrics, width: int) -> int:
        """Returns the height of the bar in pixels, with the margin below it, for a bar of `width` pixels."""
        rows = len(self._rows(metrics, width))
        return rows * metrics.touch + max(rows - 1, 0) * metrics.px(theme.GAP) + metrics.px(theme.SPACE) if rows else 0

    def arrange(self, area: QRect, metrics: DisplayMetrics) -> None:
        """Places the buttons at the bottom of `area`."""
        rows = self._rows(metrics, area.width())
        gap = metrics.px(theme.GAP)
        bottom = area.bottom() + 1 - metrics.px(theme.SPACE)
        for buttons in reversed(rows):
            place = QRect(area.left(), bottom - metrics.touch, area.width(), metrics.touch)
            if buttons == self.shown and buttons[-1].button_style is not ButtonStyle.PRIMARY:
                # without a primary button the right stays empty
                place.setWidth(min(area.width(), self._width(metrics, buttons)))
            weights = [PRIMARY_WEIGHT if button.button_style is ButtonStyle.PRIMARY else 1.0 for button in buttons]
            arrange_row(place, buttons, gap, weights)
            bottom = place.top() - gap
        for button in self.buttons:
            button.rescale(metrics)

    def _width(self, metrics: DisplayMetrics, buttons: Sequence[Button]) -> int:
        for button in buttons:
            button.rescale(metrics)
        widest = max(button.sizeHint().width() for button in buttons)
        return max(widest, metrics.px(26)) * len(buttons) + metrics.px(theme.GAP) * (len(buttons) - 1)

    def _rows(self, metrics: DisplayMetrics, width: int) -> list[list[Button]]:
        shown = self.shown
        if len(shown) < 3:
            return [shown] if shown else []
        for button in shown:
            button.rescale(metrics)
        widths = [button.sizeHint().width() for button in shown]
        primary = [button for button in shown if button.button_style is ButtonStyle.PRIMARY]
        # without a primary button, all get the same width
        needed = sum(widths) if primary else max(widths) * len(shown)
        if needed + metrics.px(theme.GAP) * (len(shown) - 1) <= width:
            return [shown]
        first = primary or shown[-1:]
        return [first, [button for button in shown if button not in first]]
