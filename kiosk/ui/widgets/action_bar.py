"""The bar at the bottom of every screen: what leads away on the left, the way on at the right.

What leads away and the way on are never in the same place on two screens that follow each other, so that a finger
that taps twice does not undo what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QWidget

from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button, ButtonStyle
from kiosk.ui.widgets.layout import row
from kiosk.ui.widgets.metrics import DisplayMetrics

PRIMARY_WEIGHT = 1.7


class ActionBar:
    """The buttons of one screen, in their order from the left; no widget of its own."""

    def __init__(self, parent: QWidget) -> None:
        self._parent = parent
        self.buttons: list[Button] = []

    def add(self, slot: Callable[[], None], rank: ButtonStyle = ButtonStyle.PLAIN) -> Button:
        button = Button(self._parent, rank)
        button.clicked.connect(slot)
        self.buttons.append(button)
        return button

    @property
    def shown(self) -> list[Button]:
        return [button for button in self.buttons if not button.isHidden()]

    def height(self, look: DisplayMetrics, width: int) -> int:
        """What the bar takes, its margin below it included."""
        rows = len(self._rows(look, width))
        return rows * look.touch + max(rows - 1, 0) * look.px(theme.GAP) + look.px(theme.SPACE) if rows else 0

    def arrange(self, area: QRect, look: DisplayMetrics) -> None:
        """Place the bar at the bottom of `area`."""
        rows = self._rows(look, area.width())
        gap = look.px(theme.GAP)
        bottom = area.bottom() + 1 - look.px(theme.SPACE)
        for buttons in reversed(rows):
            place = QRect(area.left(), bottom - look.touch, area.width(), look.touch)
            if buttons == self.shown and buttons[-1].rank is not ButtonStyle.PRIMARY:
                # nothing leads on: the right stays empty
                place.setWidth(min(area.width(), self._width(look, buttons)))
            weights = [PRIMARY_WEIGHT if button.rank is ButtonStyle.PRIMARY else 1.0 for button in buttons]
            row(place, buttons, gap, weights)
            bottom = place.top() - gap
        for button in self.buttons:
            button.rescale(look)

    def _width(self, look: DisplayMetrics, buttons: Sequence[Button]) -> int:
        for button in buttons:
            button.rescale(look)
        widest = max(button.sizeHint().width() for button in buttons)
        return max(widest, look.px(26)) * len(buttons) + look.px(theme.GAP) * (len(buttons) - 1)

    def _rows(self, look: DisplayMetrics, width: int) -> list[list[Button]]:
        shown = self.shown
        if len(shown) < 3:
            return [shown] if shown else []
        for button in shown:
            button.rescale(look)
        widths = [button.sizeHint().width() for button in shown]
        primary = [button for button in shown if button.rank is ButtonStyle.PRIMARY]
        # without a primary one, all get the same width
        needed = sum(widths) if primary else max(widths) * len(shown)
        if needed + look.px(theme.GAP) * (len(shown) - 1) <= width:
            return [shown]
        first = primary or shown[-1:]
        return [first, [button for button in shown if button not in first]]
