"""The dialog that asks for the service PIN. It covers the customer's screens, which keep running below."""

from __future__ import annotations

import math

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QWidget

from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import Button
from kiosk.ui.widgets.layout import centred, lower_half
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.pin_pad import Dots, PinPad
from kiosk.ui.widgets.text import Text

IDLE_TIMEOUT = 30.0
"""Seconds without a touch after which the dialog closes."""


class PinDialog(QWidget):
    """Lets the operator type a PIN. The dialog itself cannot check it."""

    entered = pyqtSignal(str)
    """Emitted with the PIN that was typed."""
    cancelled = pyqtSignal()
    """Emitted by the close button and after `IDLE_TIMEOUT`."""

    def __init__(self, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget) -> None:
        super().__init__(parent)
        self._strings = strings
        self._shop_strings = shop_strings
        self._idle_seconds = 0.0

        # Widgets
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.result = Text(self, theme.BODY, colour=theme.QUIET)
        self.dots = Dots(self)
        self.pad = PinPad(self)
        self.close_button = Button(self)

        # Slots
        self.pad.entered.connect(self.entered)
        self.pad.typed.connect(self._on_typed)
        self.close_button.clicked.connect(self.cancelled)

        # Appearance
        theme.fill_ground(self, theme.GROUND)
        self.hide()

    def ask(self) -> None:
        """Open the dialog without any digits, in the current language."""
        self._idle_seconds = 0.0
        self.title.set_text(self._strings.pin_wanted())
        self.close_button.set_text(self._strings.close())
        self.pad.name_keys(self._shop_strings.erase(), self._shop_strings.confirm())
        self.pad.clear()
        self.result.set_text("")
        self.raise_()
        self.show()

    def show_result(self, text: str, wait_s: float = 0.0) -> None:
        """Show what the last PIN led to. With `wait_s` > 0, show that wait and lock the keys instead."""
        self.result.set_text(self._strings.pin_wait(math.ceil(wait_s)) if wait_s > 0 else text)
        self.pad.set_open(wait_s <= 0)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass without a touch."""
        self._idle_seconds += seconds
        if self._idle_seconds >= IDLE_TIMEOUT:
            self.cancelled.emit()

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Set the geometry of every widget, in pixels of the dialog."""
        gap, margin = metrics.px(theme.GAP), metrics.px(theme.SPACE)
        for text in (self.title, self.result):
            text.rescale(metrics)
        inner = self.rect().adjusted(margin, margin, -margin, -margin)
        self.close_button.rescale(metrics)
        hint = self.close_button.sizeHint()
        self.close_button.setGeometry(inner.left(), inner.bottom() + 1 - metrics.touch, hint.width(), metrics.touch)
        area = inner.adjusted(0, 0, 0, -metrics.touch - gap)
        if metrics.low:
            head, pad = QRect(area), QRect(inner if not metrics.upright else area)
            head.setBottom(lower_half(self) - gap)
            pad.setTop(lower_half(self))
            if not metrics.upright:  # two rows of keys next to the close button
                pad.setLeft(self.close_button.geometry().right() + 1 + gap)
        elif metrics.upright:
            head, pad = QRect(area), QRect(area)
            head.setHeight(area.height() // 3)
            pad.setTop(head.bottom() + 1)
        else:
            head, pad = QRect(area), QRect(area)
            head.setWidth(area.width() * 2 // 5)
            pad.setLeft(head.right() + 1 + gap)
            pad.setBottom(inner.bottom())
        heights = [self.title.height_for(head.width()), metrics.px(7), metrics.px(theme.BODY * 3)]
        top = head.top() + (head.height() - sum(heights)) // 2
        for widget, height in zip((self.title, self.dots, self.result), heights, strict=True):
            widget.setGeometry(head.left(), top, head.width(), height)
            top += height
        columns = self.pad.columns_for(pad.width(), pad.height(), metrics)
        side = min(pad.width() / columns, pad.height() / (12 // columns), metrics.touch * 1.6)
        self.pad.setGeometry(centred(pad, round(side * columns), round(side * (12 // columns))))
        self.pad.arrange(columns, metrics)

    def _on_typed(self, count: int) -> None:
        self._idle_seconds = 0.0
        self.dots.show_count(count)
