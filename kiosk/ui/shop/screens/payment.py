"""The screens from the payment to the product: paying, declined, dispensing, refunding and out of order."""

from __future__ import annotations

from collections.abc import Hashable

from PyQt6.QtWidgets import QWidget

from kiosk.ui.products.images import ProductImages
from kiosk.ui.shop.screens.code_layout import arrange_with_code
from kiosk.ui.shop.screens.message import MessageScreen
from kiosk.ui.translations.live import Message
from kiosk.ui.translations.shop import ShopStrings
from kiosk.ui.widgets import theme
from kiosk.ui.widgets.button import ButtonStyle
from kiosk.ui.widgets.metrics import DisplayMetrics
from kiosk.ui.widgets.qr_code import QrCode
from kiosk.ui.widgets.text import Text
from kiosk.vending.sale.events import Back, Cancel, Continue
from kiosk.vending.sale.snapshot import Snapshot


class ClaimScreen(MessageScreen):
    """A message that becomes a claim while the terminal may hold money for nothing.

    A claim is a number that the customer keeps, and a QR code with the same text.
    """

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget, icon: str) -> None:
        super().__init__(strings, images, parent, icon)
        self.code = QrCode(self)
        self.scan = Text(self, theme.CAPTION, colour=theme.QUIET)

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Return what the layout depends on: the base key, the number to keep (the claim) and the faults."""
        return (super().layout_key(snapshot), snapshot.claim, snapshot.faults)

    def set_message_or_claim(self, message: Message, snapshot: Snapshot) -> None:
        """Show `message`, with its text replaced by the claim if the sale has one."""
        claim = snapshot.claim
        self.set_message(Message(message.title, self.strings.claim(claim)) if claim else message)
        lines = [self.strings.simulated()] if snapshot.simulated else []
        self.code.show_text("\n".join([*lines, self.strings.claim(claim)]) if claim else "")
        self.scan.set_text(self.strings.scan_claim() if claim else "")
        self.code.setVisible(claim is not None)

    def arrange(self, snapshot: Snapshot, metrics: DisplayMetrics) -> None:
        """Place the message, and the claim's QR code next to or below it."""
        if snapshot.claim is None:
            super().arrange(snapshot, metrics)
            return
        area, parts = self.message_area(metrics), self.parts(metrics)
        arrange_with_code(area, parts, self.code, self.scan, metrics, wide_units=40, upright_units=40)

    def forget(self) -> None:
        """Clear the claim's QR code."""
        super().forget()
        self.code.show_text("")


class PayingScreen(MessageScreen):
    """Shows the product and the amount while the customer pays at the reader."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "card")
        self.cancel = self.bar.add(self.touch_slot(Cancel()))
        self.back = self.bar.add(self.touch_slot(Back()))

    def set_texts(self, snapshot: Snapshot) -> None:
        """Show the product, the amount and how to pay."""
        self.product.set_text(self.images.name(snapshot.chosen.slot, self.strings.language) if snapshot.chosen else "")
        self.amount.set_text(self.strings.money(snapshot.amount, snapshot.currency))
        self.set_message(self.strings.pay())
        self.cancel.set_text(self.strings.cancel())
        self.back.set_text(self.strings.back())


class DeclinedScreen(ClaimScreen):
    """Says why the payment failed, and offers to try again, to choose another product or to cancel."""

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "sorry")
        self.cancel = self.bar.add(self.touch_slot(Cancel()))
        self.other = self.bar.add(self.touch_slot(Back()))
        self.again = self.bar.add(self.touch_slot(Continue()), ButtonStyle.PRIMARY)

    def layout_key(self, snapshot: Snapshot) -> Hashable:
        """Return the key of a claim screen and whether the customer can try again."""
        return (super().layout_key(snapshot), snapshot.can_continue)

    def set_texts(self, snapshot: Snapshot) -> None:
        """Say why the payment failed. *Try again* is off while the reader is busy, and hidden if a device failed."""
        message = self.strings.declined(snapshot.reason)
        is_reader_busy = not snapshot.can_continue and not snapshot.faults
        note = self.strings.declined_for_good() if is_reader_busy else ""
        self.set_message_or_claim(Message(message.title, note) if is_reader_busy else message, snapshot)
        self.note.set_text(note if snapshot.claim else "")
        self.cancel.set_text(self.strings.cancel())
        self.other.set_text(self.strings.other_products())
        self.again.set_text(self.strings.try_again())
        self.again.setVisible(not snapshot.faults)
        self.again.setEnabled(snapshot.can_continue)


class DispensingScreen(MessageScreen):
    """Shows that the product is on its way. How long the motor takes is unknown, so there is no progress bar."""

    icon_units = 34.0

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "tray")

    def set_texts(self, snapshot: Snapshot) -> None:
        """Show the product and that it is on its way."""
        self.product.set_text(self.images.name(snapshot.chosen.slot, self.strings.language) if snapshot.chosen else "")
        self.set_message(self.strings.dispensing())


class RefundingScreen(MessageScreen):
    """Says that the product did not come and that the money is on its way back."""

    icon_units = 30.0

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "refund")

    def set_texts(self, snapshot: Snapshot) -> None:
        """Show the amount and why it is refunded."""
        self.amount.set_text(self.strings.money(snapshot.amount, snapshot.currency))
        self.set_message(self.strings.refunding(snapshot.reason))


class OutOfOrderScreen(ClaimScreen):
    """Says that the machine cannot sell, with the names of its faults for service staff."""

    icon_units = 30.0

    def __init__(self, strings: ShopStrings, images: ProductImages, parent: QWidget) -> None:
        super().__init__(strings, images, parent, "closed")

    def set_texts(self, snapshot: Snapshot) -> None:
        """Show the apology or the claim, and the names of the faults."""
        self.set_message_or_claim(self.strings.out_of_order(), snapshot)
        self.note.set_text(" · ".join(sorted(snapshot.faults)))
