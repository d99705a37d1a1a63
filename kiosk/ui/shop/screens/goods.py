"""While the machine works: the product on its way, or the money on its way back."""

from __future__ import annotations

from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.claim import ClaimScreen
from kiosk.ui.shop.screens.message import MessageScreen
from kiosk.ui.translations.shop import ShopStrings
from kiosk.vending.sale.snapshot import Snapshot


class DispensingScreen(MessageScreen):
    """Nobody knows how long a motor takes, so nothing here counts or fills up."""

    sign_units = 34.0

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "tray")

    def set_texts(self, snapshot: Snapshot) -> None:
        self.above.say(self.images.name(snapshot.chosen.slot, self.strings.language) if snapshot.chosen else "")
        self.say(self.strings.dispensing())


class RefundingScreen(MessageScreen):
    """It did not work, and nobody pays for it."""

    sign_units = 30.0

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "refund")

    def set_texts(self, snapshot: Snapshot) -> None:
        self.amount.say(self.strings.money(snapshot.amount, snapshot.currency))
        self.say(self.strings.refunding(snapshot.reason))


class OutOfOrderScreen(ClaimScreen):
    """The whole machine, until somebody comes."""

    sign_units = 30.0

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "closed")

    def set_texts(self, snapshot: Snapshot) -> None:
        self.say_or_claim(self.strings.out_of_order(), snapshot)
        self.small.say(" · ".join(sorted(snapshot.faults)))  # names that service staff and logs use
