"""The stock page: a tile for each slot, and an editor for the count and the price of one slot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PyQt6.QtCore import QRect, QSize
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QWidget

from kiosk.ui.service.number_stepper import Stepper, side_by_side
from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.grid import grid_for
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.text import Text
from kiosk.vending.catalog.currency import PRICES, minor_digits
from kiosk.vending.sale.events import Operation, SetPrice, SetStock, Stay
from kiosk.vending.sale.operator import OperationError
from kiosk.vending.sale.snapshot import Offer

PRICE_STEP = {0: 10, 2: 5, 3: 50, 4: 500}
"""Step of the price in minor units, by the number of minor digits of the currency."""


class StockPage(Page):
    """Lists the slots and edits one of them. Saving records the count even if unchanged: the operator confirmed it."""

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self._metrics: DisplayMetrics | None = None
        self._page = 0
        self.slot: str | None = None
        names = context.catalog.product

        # Widgets
        self.tiles = {product.slot: self.button(self._edit_slot(product.slot)) for product in names}
        self.more = self.button(self._show_next_page, icon="right")
        self.heading = Text(self, theme.LEAD, QFont.Weight.DemiBold)
        self.status = Text(self, theme.BODY, colour=theme.QUIET)
        self.count = Stepper(self)
        self.price = Stepper(self, lambda price: shop_strings.money(price, context.catalog.currency))
        self.full = self.button(lambda: self.count.set_value(self.count.maximum))
        self.save = self.button(self._save, ButtonStyle.PRIMARY)
        self._editor: tuple[QWidget, ...] = (
            self.heading, self.status, self.count, self.price, self.full, self.save,
        )  # fmt: skip

        # Slots and texts
        self.count.label.set_text(strings.count())
        self.price.label.set_text(strings.price())
        self.full.set_text(strings.full())
        self.save.set_text(strings.save())
        for stepper in (self.count, self.price):
            stepper.changed.connect(lambda: context.shop.touch(Stay()))
            stepper.changed.connect(lambda: self.status.set_text(""))

    def title(self) -> str:
        """Return "Stock and prices" in the current language."""
        return self.strings.stock()

    def start(self) -> None:
        """Show the first page of tiles."""
        self.slot, self._page = None, 0

    def step_back(self) -> bool:
        """Return from the editor to the tiles without saving."""
        if self.slot is None:
            return False
        self.slot = None
        self._arrange()
        return True

    def edit(self, slot: str) -> None:
        """Open the editor for `slot`. A slot that is not in the catalogue opens nothing."""
        offer = self._offer(slot)
        if offer is None:
            return
        self.slot = slot
        digits = minor_digits(offer.currency)
        self.count.set_range(offer.count, 0, offer.capacity)
        self.price.set_range(offer.price, PRICES[0], PRICES[-1], PRICE_STEP[digits])
        self.heading.set_text(f"{slot} · {self._name(slot)}")
        self.status.set_text("")
        self._arrange()

    def refresh(self) -> None:
        """Show each slot's name, count and price on its tile."""
        for offer in self.context.shop.snapshot.offers:
            price = self.shop_strings.money(offer.price, offer.currency)
            self.tiles[offer.slot].set_text(self.strings.slot(offer, self._name(offer.slot), price))

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Place the tiles, or the editor while a slot is open."""
        self._metrics = metrics
        self._arrange()

    def _arrange(self) -> None:
        metrics = self._metrics
        if metrics is None:
            return
        for widget in self._editor:
            widget.setVisible(self.slot is not None)
        if self.slot is None:
            self._arrange_tiles(metrics)
        else:
            for tile in (*self.tiles.values(), self.more):
                tile.hide()
            self._arrange_editor(metrics)

    def _arrange_tiles(self, metrics: DisplayMetrics) -> None:
        gap = metrics.px(theme.GAP)
        minimum = QSize(metrics.px(38), max(metrics.touch, metrics.px(15)))
        maximum = QSize(metrics.px(70), metrics.px(24))
        single_page = grid_for(len(self.tiles), self.size(), minimum, maximum, gap)
        area = self.rect() if single_page.pages == 1 else self.rect().adjusted(0, 0, 0, -metrics.touch - gap)
        grid = single_page if single_page.pages == 1 else grid_for(len(self.tiles), area.size(), minimum, maximum, gap)
        self._page %= grid.pages
        first = self._page * grid.per_page
        for index, tile in enumerate(self.tiles.values()):
            is_on_page = first <= index < first + grid.per_page
            tile.setVisible(is_on_page)
            if is_on_page:
                tile.setGeometry(grid.place(area, index - first, gap))
        self.more.setVisible(grid.pages > 1)
        self.more.set_text(self.strings.page(self._page + 1, grid.pages))
        width = max(self.more.sizeHint().width(), metrics.px(26))
        self.more.setGeometry(self.width() - width, self.height() - metrics.touch, width, metrics.touch)

    def _arrange_editor(self, metrics: DisplayMetrics) -> None:
        gap = metrics.px(theme.GAP)
        head = self.heading.height_for(self.width()) + gap
        status_height = metrics.text.px(theme.BODY * 1.6)
        self.heading.setGeometry(0, 0, self.width(), head)
        bar = QRect(0, self.height() - metrics.touch, self.width(), metrics.touch)
        self.status.setGeometry(0, bar.top() - status_height - gap, self.width(), status_height)
        middle = QRect(0, head, self.width(), self.status.y() - head)
        side_by_side(middle, (self.count, self.price), metrics)
        half = (self.width() - gap) // 2
        self.full.setGeometry(bar.left(), bar.top(), half, bar.height())
        self.save.setGeometry(bar.right() + 1 - half, bar.top(), half, bar.height())

    def _save(self) -> None:
        if self.slot is None:
            return
        offer = self._offer(self.slot)
        if offer is None:
            return
        reason: Literal["refill", "correction"] = "refill" if self.count.value > offer.count else "correction"
        operations: list[tuple[Operation, str]] = [
            (SetStock(self.slot, self.count.value, reason), self.strings.cannot_hold(self.slot, offer.capacity))
        ]
        if self.price.value != offer.price:
            minimum, maximum = (self.shop_strings.money(price, offer.currency) for price in (PRICES[0], PRICES[-1]))
            operations.append((SetPrice(self.slot, self.price.value), self.strings.cannot_cost(minimum, maximum)))
        for operation, refusal in operations:
            try:
                self.context.shop.operate(operation)
            except OperationError:
                self.status.set_text(refusal)
                return
        is_broken = "journal" in self.context.shop.snapshot.faults
        self.status.set_text(self.strings.journal_broken() if is_broken else self.strings.saved())

    def _show_next_page(self) -> None:
        self._page += 1
        self._arrange()

    def _offer(self, slot: str) -> Offer | None:
        """Return the offer of `slot`. None for a slot that is not in the catalogue, which old journal rows may name."""
        return next((offer for offer in self.context.shop.snapshot.offers if offer.slot == slot), None)

    def _name(self, slot: str) -> str:
        (product,) = (product for product in self.context.catalog.product if product.slot == slot)
        return product.name_in(self.shop_strings.language)

    def _edit_slot(self, slot: str) -> Callable[[], None]:
        return lambda: self.edit(slot)
