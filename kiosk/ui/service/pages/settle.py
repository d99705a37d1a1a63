"""The page on which an operator settles what the machine cannot decide, such as a vend in doubt."""

from __future__ import annotations

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtWidgets import QWidget

from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.layout import arrange_row
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vending.sale.events import Settle
from kiosk.vending.sale.snapshot import Attention


class SettlePage(Page):
    """Shows one open question at a time, with a button for each answer."""

    count_requested = pyqtSignal(str)
    """Emitted with the slot whose stock must be counted."""

    may_use_upper_half = True

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self._index = 0
        self._metrics: DisplayMetrics | None = None
        self.attention: Attention | None = None

        # Widgets
        self.question = self.line(theme.LEAD)
        self.next_button = self.button(self._show_next, icon="right")
        self.left_machine = self.button(lambda: self._settle(True))
        self.stayed = self.button(lambda: self._settle(False))
        self.money = self.button(lambda: self._settle(None))
        self.count = self.button(self._count, ButtonStyle.PRIMARY)

        # Texts
        self.left_machine.set_text(strings.it_left())
        self.stayed.set_text(strings.it_stayed())
        self.money.set_text(strings.money_settled())
        self.count.set_text(strings.count_slot())

    def title(self) -> str:
        """Return "To settle" in the current language."""
        return self.strings.to_settle()

    def start(self) -> None:
        """Go to the first question."""
        self._index = 0

    def refresh(self) -> None:
        """Show the current question if it has changed."""
        questions = self.context.shop.snapshot.attention
        self._index = self._index % len(questions) if questions else 0
        attention = questions[self._index] if questions else None
        self.next_button.set_text(self.strings.page(self._index + 1, max(len(questions), 1)))
        if attention != self.attention or not self.question.text or self.next_button.isHidden() != (len(questions) < 2):
            self.attention = attention
            self._set_texts(len(questions))

    def arrange(self, metrics: DisplayMetrics) -> None:
        """Place the question above a row of the visible buttons."""
        self._metrics = metrics
        gap = metrics.px(theme.GAP)
        bar = QRect(0, self.height() - metrics.touch, self.width(), metrics.touch)
        self.question.setGeometry(0, 0, self.width(), bar.top() - gap)
        buttons = [self.next_button, self.left_machine, self.stayed, self.money, self.count]
        shown = [button for button in buttons if not button.isHidden()]
        if shown:
            arrange_row(bar, shown, gap)

    def _set_texts(self, count: int) -> None:
        attention = self.attention
        kind = attention.kind if attention else ""
        self.next_button.setVisible(count > 1)
        for button, is_visible in (
            (self.left_machine, kind == "in_doubt"),
            (self.stayed, kind == "in_doubt"),
            (self.money, kind in ("unsettled", "replaced", "gone")),
            (self.count, kind == "blocked"),
        ):
            button.setVisible(is_visible)
        if attention is None:
            self.question.set_text(self.strings.nothing_to_settle())
        else:
            money = self.shop_strings.money(attention.amount, attention.currency or self.context.catalog.currency)
            self.question.set_text(self.strings.attention(attention, money))
        if self._metrics is not None:
            self.arrange(self._metrics)

    def _settle(self, dropped: bool | None) -> None:
        if self.attention is not None:
            self.context.shop.operate(Settle(self.attention.item, dropped))
            self.refresh()

    def _count(self) -> None:
        if self.attention is not None:
            self.count_requested.emit(self.attention.slot)

    def _show_next(self) -> None:
        self._index += 1
        self.refresh()
