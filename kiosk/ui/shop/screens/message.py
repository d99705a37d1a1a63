"""The plain screen: a sign, what is going on, what to do about it."""

from __future__ import annotations

from PyQt6.QtCore import QRect
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.translations.live import Message
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import Sign
from kiosk.ui.widgets.layout import Part, column
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.snapshot import Snapshot

WIDEST = 92.0
"""Of a line of text, in units: a longer one is hard to read."""


class MessageScreen(Screen):
    """Sign, title and text in the middle, actions at the bottom."""

    sign_units = 24.0

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget, sign: str) -> None:
        super().__init__(strings, images, parent)

        # Widgets
        self.sign = Sign(self, sign)
        self.above = Text(self, theme.BODY, colour=theme.QUIET)
        self.amount = Text(self, theme.AMOUNT, QFont.Weight.DemiBold)
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.text = Text(self, theme.LEAD, colour=theme.QUIET)
        self.small = Text(self, theme.CAPTION, colour=theme.QUIET)

    def say(self, message: Message) -> None:
        self.title.say(message.title)
        self.text.say(message.text)

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:  # noqa: ARG002
        column(self.middle(metrics), self.parts(metrics), metrics.px(theme.GAP))

    def middle(self, metrics: DisplayMetrics) -> QRect:
        """What the bar leaves."""
        return self.content_area(metrics).adjusted(0, metrics.px(theme.GAP), 0, -metrics.px(theme.SPACE))

    def parts(self, metrics: DisplayMetrics) -> list[Part]:
        """From top to bottom."""
        wide = metrics.px(WIDEST)
        sign = metrics.px(self.sign_units)
        return [
            Part(self.sign, sign, sign, least=sign // 3),
            Part(self.above, width=wide, gap=metrics.px(theme.MARGIN)),
            Part(self.amount, width=wide, gap=0),
            Part(self.title, width=wide, gap=metrics.px(theme.SPACE)),
            Part(self.text, width=wide),
            Part(self.small, width=wide, gap=metrics.px(theme.MARGIN)),
        ]

    def advance(self, seconds: float) -> None:
        self.sign.advance(seconds)
