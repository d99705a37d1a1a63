"""What no program can decide: a person looks, and says."""

from __future__ import annotations

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtWidgets import QWidget

from kiosk.ui.service.page import Page, ServiceContext
from kiosk.ui.translations.service import ServiceStrings
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.layout import row
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.vending.sale.events import Settle
from kiosk.vending.sale.snapshot import Attention


class SettlePage(Page):
    """One thing at a time."""

    count_wanted = pyqtSignal(str)
    """The slot that has to be counted."""

    may_use_upper_half = True

    def __init__(
        self, context: ServiceContext, strings: ServiceStrings, shop_strings: ShopStrings, parent: QWidget
    ) -> None:
        super().__init__(context, strings, shop_strings, parent)
        self._index = 0
        self._metrics: DisplayMetrics | None = None
        self.shown: Attention | None = None

        # Widgets
        self.question = self.line(theme.LEAD)
        self.next = self.button(self._turn, sign="right")
        self.left_machine = self.button(lambda: self._settle(True))
        self.stayed = self.button(lambda: self._settle(False))
        self.money = self.button(lambda: self._settle(None))
        self.count = self.button(self._count, ButtonStyle.PRIMARY)

        # Strings
        self.left_machine.say(strings.it_left())
        self.stayed.say(strings.it_stayed())
        self.money.say(strings.money_settled())
        self.count.say(strings.count_slot())

    def title(self) -> str:
        return self.strings.to_settle()

    def opened(self) -> None:
        self._index = 0

    def refresh(self) -> None:
        things = self.context.shop.snapshot.attention
        self._index = self._index % len(things) if things else 0
        shown = things[self._index] if things else None
        self.next.say(self.strings.page(self._index + 1, max(len(things), 1)))
        if shown != self.shown or not self.question.text or self.next.isHidden() != (len(things) < 2):
            self.shown = shown
            self._say(len(things))

    def arrange(self, metrics: DisplayMetrics) -> None:
        self._metrics = metrics
        gap = metrics.px(theme.GAP)
        bar = QRect(0, self.height() - metrics.touch, self.width(), metrics.touch)
        self.question.setGeometry(0, 0, self.width(), bar.top() - gap)
        buttons = [self.next, self.left_machine, self.stayed, self.money, self.count]
        shown = [button for button in buttons if not button.isHidden()]
        if shown:
            row(bar, shown, gap)

    def _say(self, count: int) -> None:
        shown = self.shown
        kind = shown.kind if shown else ""
        self.next.setVisible(count > 1)
        for button, wanted in (
            (self.left_machine, kind == "in_doubt"),
            (self.stayed, kind == "in_doubt"),
            (self.money, kind in ("unsettled", "replaced", "gone")),
            (self.count, kind == "blocked"),
        ):
            button.setVisible(wanted)
        if shown is None:
            self.question.say(self.strings.nothing_to_settle())
        else:
            money = self.shop_strings.money(shown.amount, shown.currency or self.context.catalog.currency)
            self.question.say(self.strings.attention(shown, money))
        if self._metrics is not None:
            self.arrange(self._metrics)

    def _settle(self, dropped: bool | None) -> None:
        if self.shown is not None:
            self.context.shop.operate(Settle(self.shown.item, dropped))
            self.refresh()

    def _count(self) -> None:
        if self.shown is not None:
            self.count_wanted.emit(self.shown.slot)

    def _turn(self) -> None:
        self._index += 1
        self.refresh()
