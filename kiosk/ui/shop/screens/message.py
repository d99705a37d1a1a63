"""The base class of screens that only show a message: an icon, what happens, and what to do."""

from __future__ import annotations

from PyQt6.QtCore import QRect
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.translations.live import Message
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.icons import AnimatedIcon
from kiosk.ui.widgets.layout import ColumnItem, arrange_column
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.snapshot import Snapshot

MAX_LINE_UNITS = 92.0
"""Width of a line of text, in units of the layout. Longer lines are hard to read."""


class MessageScreen(Screen):
    """An icon, a title and a text in the middle, and the actions at the bottom."""

    icon_units = 24.0
    """Size of the icon, in units of the layout."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget, icon: str) -> None:
        super().__init__(strings, images, parent)

        # Widgets
        self.icon_name = AnimatedIcon(self, icon)
        self.product = Text(self, theme.BODY, colour=theme.QUIET)
        self.amount = Text(self, theme.AMOUNT, QFont.Weight.DemiBold)
        self.title = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.text = Text(self, theme.LEAD, colour=theme.QUIET)
        self.note = Text(self, theme.CAPTION, colour=theme.QUIET)

    def set_message(self, message: Message) -> None:
        """Show the title and the text of `message`."""
        self.title.set_text(message.title)
        self.text.set_text(message.text)

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:  # noqa: ARG002
        """Place the parts of the message in one column."""
        arrange_column(self.message_area(metrics), self.parts(metrics), metrics.px(theme.GAP))

    def message_area(self, metrics: DisplayMetrics) -> QRect:
        """Return the area above the action bar with its margins removed, in pixels. This also arranges the bar."""
        return self.content_area(metrics).adjusted(0, metrics.px(theme.GAP), 0, -metrics.px(theme.SPACE))

    def parts(self, metrics: DisplayMetrics) -> list[ColumnItem]:
        """Return the parts of the message, from top to bottom."""
        width = metrics.px(MAX_LINE_UNITS)
        icon = metrics.px(self.icon_units)
        return [
            ColumnItem(self.icon_name, icon, icon, least=icon // 3),
            ColumnItem(self.product, width=width, gap=metrics.px(theme.MARGIN)),
            ColumnItem(self.amount, width=width, gap=0),
            ColumnItem(self.title, width=width, gap=metrics.px(theme.SPACE)),
            ColumnItem(self.text, width=width),
            ColumnItem(self.note, width=width, gap=metrics.px(theme.MARGIN)),
        ]

    def advance(self, seconds: float) -> None:
        """Move the icon's animation on by `seconds`."""
        self.icon_name.advance(seconds)
