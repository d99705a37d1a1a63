"""The payment, and a payment that did not happen."""

from __future__ import annotations

from collections.abc import Hashable

from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.claim import ClaimScreen
from kiosk.ui.shop.screens.message import MessageScreen
from kiosk.ui.translations.live import Message
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.vending.sale.events import Back, Cancel, Continue
from kiosk.vending.sale.snapshot import Snapshot


class PayingScreen(MessageScreen):
    """Everything happens at the reader; the screen says how much for what."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "card")
        self.cancel = self.bar.add(self.touch_slot(Cancel()))
        self.back = self.bar.add(self.touch_slot(Back()))

    def set_texts(self, snapshot: Snapshot) -> None:
        self.above.say(self.images.name(snapshot.chosen.slot, self.strings.language) if snapshot.chosen else "")
        self.amount.say(self.strings.money(snapshot.amount, snapshot.currency))
        self.say(self.strings.pay())
        self.cancel.say(self.strings.cancel())
        self.back.say(self.strings.back())


class DeclinedScreen(ClaimScreen):
    """Why, and what can be done now."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "sorry")
        self.cancel = self.bar.add(self.touch_slot(Cancel()))
        self.other = self.bar.add(self.touch_slot(Back()))
        self.again = self.bar.add(self.touch_slot(Continue()), ButtonStyle.PRIMARY)

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        return (super().layout_key(snapshot), snapshot.can_continue)

    def set_texts(self, snapshot: Snapshot) -> None:
        message = self.strings.declined(snapshot.reason)
        waits = not snapshot.can_continue and not snapshot.faults
        not_charged = self.strings.declined_for_good() if waits else ""
        self.say_or_claim(Message(message.title, not_charged) if waits else message, snapshot)
        self.small.say(not_charged if snapshot.claim else "")
        self.cancel.say(self.strings.cancel())
        self.other.say(self.strings.other_products())
        self.again.say(self.strings.try_again())
        self.again.setVisible(not snapshot.faults)
        self.again.setEnabled(snapshot.can_continue)
