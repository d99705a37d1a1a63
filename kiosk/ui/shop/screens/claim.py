"""A screen for when the terminal may hold money that nothing was sold for: a number to keep, and to take along."""

from __future__ import annotations

from collections.abc import Hashable

from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.message import MessageScreen
from kiosk.ui.translations.live import Message
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.layout import Part, column
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.qr_code import QrCode
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.snapshot import Snapshot


class ClaimScreen(MessageScreen):
    """The plain screen, and while there is a claim, its number and a code of it."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget, sign: str) -> None:
        super().__init__(strings, images, parent, sign)
        self.code = QrCode(self)
        self.scan = Text(self, theme.CAPTION, colour=theme.QUIET)

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        return (super().layout_key(snapshot), snapshot.claim, snapshot.faults)

    def say_or_claim(self, message: Message, snapshot: Snapshot) -> None:
        """`message`; where there is a claim, that instead of its text."""
        claim = snapshot.claim
        self.say(Message(message.title, self.strings.claim(claim)) if claim else message)
        lines = [self.strings.simulated()] if snapshot.simulated else []
        self.code.show_text("\n".join([*lines, self.strings.claim(claim)]) if claim else "")
        self.scan.say(self.strings.scan_claim() if claim else "")
        self.code.setVisible(claim is not None)

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        if snapshot.claim is None:
            super().arrange(snapshot, metrics)
            return
        area, gap = self.middle(metrics), metrics.px(theme.GAP)
        if area.width() > area.height() * 1.15:
            side = min(
                area.height() - self.scan.height_for(metrics.px(40)) - gap, area.width() * 2 // 5, metrics.px(40)
            )
            right = QRect(area.right() + 1 - side, area.top(), side, area.height())
            column(right, [Part(self.code, side, least=side * 2 // 3), Part(self.scan)], gap)
            column(area.adjusted(0, 0, -side - metrics.px(theme.MARGIN), 0), self.parts(metrics), gap)
        else:
            side = min(metrics.px(40), area.height() // 3)
            code = Part(self.code, side, side, least=side * 3 // 4, gap=metrics.px(theme.SPACE))
            column(area, [*self.parts(metrics), code, Part(self.scan, width=metrics.px(80))], gap)

    def forget(self) -> None:
        super().forget()
        self.code.show_text("")
