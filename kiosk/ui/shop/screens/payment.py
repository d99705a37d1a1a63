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

    def __init__(self, words: ShopStrings, shelf: ProductImages, parent: QWidget) -> None:
        super().__init__(words, shelf, parent, "card")
        self.cancel = self.bar.add(self.touch(Cancel()))
        self.back = self.bar.add(self.touch(Back()))

    def fill(self, snapshot: Snapshot) -> None:
        self.above.say(self.shelf.name(snapshot.chosen.slot, self.words.language) if snapshot.chosen else "")
        self.amount.say(self.words.money(snapshot.amount, snapshot.currency))
        self.say(self.words.pay())
        self.cancel.say(self.words.cancel())
        self.back.say(self.words.back())


class DeclinedScreen(ClaimScreen):
    """Why, and what can be done now."""

    def __init__(self, words: ShopStrings, shelf: ProductImages, parent: QWidget) -> None:
        super().__init__(words, shelf, parent, "sorry")
        self.cancel = self.bar.add(self.touch(Cancel()))
        self.other = self.bar.add(self.touch(Back()))
        self.again = self.bar.add(self.touch(Continue()), ButtonStyle.PRIMARY)

    def content(self, snapshot: Snapshot) -> Hashable:
        return (super().content(snapshot), snapshot.can_continue)

    def fill(self, snapshot: Snapshot) -> None:
        message = self.words.declined(snapshot.reason)
        waits = not snapshot.can_continue and not snapshot.faults
        busy = self.words.declined_for_good() if waits else ""
        self.say_or_claim(Message(message.title, busy) if waits else message, snapshot)
        self.small.say(busy if snapshot.claim else "")
        self.cancel.say(self.words.cancel())
        self.other.say(self.words.other_products())
        self.again.say(self.words.try_again())
        self.again.setVisible(not snapshot.faults)
        self.again.setEnabled(snapshot.can_continue)
