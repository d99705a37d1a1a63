"""The screen of one product: its picture, price and minimum age, and the button that buys it."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QRectF
from PyQt6.QtGui import QFont, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import Picture, ProductImages
from kiosk.ui.shop.screens.base import Screen
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.icons import paint_badge
from kiosk.ui.widgets.layout import ColumnItem, arrange_column
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.ui.widgets.theme import Scale
from kiosk.vending.sale.events import Back, Continue
from kiosk.vending.sale.snapshot import Snapshot


class Badge(QWidget):
    """A round badge with a minimum age in years."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.age = 0

    def show_age(self, age: int) -> None:
        """Show `age` in years, or hide the badge for 0."""
        self.age = age
        self.setVisible(age > 0)
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: ARG002, N802
        font = Scale(self.height() / 100).font(33, QFont.Weight.Bold)
        paint_badge(QPainter(self), QRectF(self.rect()), self.age, font, theme.GROUND)


class ProductScreen(Screen):
    """The picture and the texts: side by side where the screen is wide enough, otherwise one above the other."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent)

        # Widgets
        self.picture = Picture(self, images)
        self.name = Text(self, theme.TITLE, QFont.Weight.DemiBold)
        self.price = Text(self, theme.AMOUNT, QFont.Weight.DemiBold)
        self.badge = Badge(self)
        self.limit = Text(self, theme.BODY, colour=theme.QUIET)
        self.back = self.bar.add(self.touch_slot(Back()))
        self.buy = self.bar.add(self.touch_slot(Continue()), ButtonStyle.PRIMARY)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Show the name, the price, the picture and the minimum age of the chosen product."""
        offer = snapshot.chosen
        if offer is None:
            return
        price = self.strings.money(snapshot.amount, snapshot.currency)
        self.picture.show_slot(offer.slot)
        self.name.set_text(self.images.name(offer.slot, self.strings.language))
        self.price.set_text(price)
        self.badge.show_age(offer.minimum_age)
        self.limit.set_text(self.strings.age_limit(offer.minimum_age) if offer.minimum_age else "")
        self.back.set_text(self.strings.back())
        self.buy.set_text(self.strings.buy(price))

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:  # noqa: ARG002
        """Place the picture beside the texts, or above them where the screen is narrow."""
        area = self.content_area(metrics).adjusted(0, metrics.px(theme.GAP), 0, -metrics.px(theme.SPACE))
        badge = metrics.px(9)
        texts = [
            ColumnItem(self.name, width=metrics.px(80)),
            ColumnItem(self.price, gap=0),
            ColumnItem(self.badge, badge, badge, least=badge * 2 // 3, gap=metrics.px(theme.SPACE)),
            ColumnItem(self.limit, width=metrics.px(70)),
        ]
        gap = metrics.px(theme.GAP)
        if area.width() > area.height() * 1.15:
            left = QRect(area.left(), area.top(), area.width() * 45 // 100, area.height())
            self.picture.setGeometry(left.adjusted(0, gap, -gap, -gap))
            arrange_column(area.adjusted(left.width() + gap, 0, 0, 0), texts, gap)
        else:
            height = min(area.height() * 55 // 100, area.width())
            arrange_column(area, [ColumnItem(self.picture, height, least=height // 3), *texts], gap)
