"""The page of device tests: a test vend of one slot, and a test payment that charges nothing."""

from __future__ import annotations

from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QWidget

from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.layout import arrange_row
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vending.catalog.currency import minor_digits
from kiosk.vending.sale.events import PaymentTest, VendTest


class TestsPage(Page):
    """Selects a slot, starts a test and shows its result."""

    __test__ = False  # keeps pytest from collecting this class

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self._index = 0
        self.amount = 10 ** minor_digits(context.catalog.currency)
        """Amount of a test payment in minor units: one unit of the currency."""

        # Widgets
        self.slot = self.line(theme.LEAD)
        self.previous_button = self.button(lambda: self._select(-1), icon="left")
        self.next_button = self.button(lambda: self._select(1), icon="right")
        self.vend = self.button(self._vend)
        self.pay = self.button(self._pay)
        self.result = self.line(theme.LEAD)

        # Strings
        self.previous_button.setAccessibleName(strings.previous_slot())
        self.next_button.setAccessibleName(strings.next_slot())
        self.vend.set_text(strings.test_vend())
        self.pay.set_text(strings.test_payment(shop_strings.money(self.amount, context.catalog.currency)))
        self._select(0)

    def title(self) -> str:
        """Return "Tests" in the current language."""
        return self.strings.tests()

    def refresh(self) -> None:
        """Show the result of the test, and disable the buttons while one runs."""
        test = self.context.shop.snapshot.test
        self.result.set_text(self.strings.test_result(test))
        for button in (self.vend, self.pay):
            button.setEnabled(test != "running")

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Place the slot, the tests and the result, from top to bottom."""
        gap = metrics.px(theme.GAP)
        touch = metrics.touch
        width = self.width()
        self.previous_button.setGeometry(0, 0, touch, touch)
        self.next_button.setGeometry(width - touch, 0, touch, touch)
        self.slot.setGeometry(touch + gap, 0, width - 2 * (touch + gap), touch)
        arrange_row(QRect(0, touch + 2 * gap, width, touch), [self.vend, self.pay], gap)
        top = 2 * touch + 4 * gap
        self.result.setGeometry(0, top, width, min(self.height() - top, touch * 2))

    def _select(self, by: int) -> None:
        products = self.context.catalog.product
        self._index = (self._index + by) % len(products)
        product = products[self._index]
        self.slot.set_text(self.strings.test_slot(product.slot, product.name_in(self.shop_strings.language)))

    def _vend(self) -> None:
        self.context.shop.operate(VendTest(self.context.catalog.product[self._index].slot))
        self.refresh()

    def _pay(self) -> None:
        self.context.shop.operate(PaymentTest(self.amount, self.context.catalog.currency))
        self.refresh()
