"""The machine's texts for customers, in one place for translators.

Short, in words that need no second reading, and never about the person: it says what the machine can or cannot do.
"""

from __future__ import annotations

from PyQt6.QtCore import QObject

from kiosk.ui.translations.live import Message
from kiosk.vending.age_check import Prompt
from kiosk.vending.catalog.currency import format_price


class ShopStrings(QObject):
    """The sale's side of the conversation."""

    language = "en"
    counts = False
    """Whether it is counted how many people of each age group come in an hour (`fleet.count_visitors`)."""

    # Everywhere

    def simulated(self) -> str:
        return self.tr("Simulated: no real money, no real goods")

    def money(self, amount: int, currency: str) -> str:
        """Returns an amount of minor units as the language writes it: `€1.80`. Its spaces do not break a line."""
        return format_price(amount, currency, self.language)

    def cancel(self) -> str:
        return self.tr("Cancel")

    def back(self) -> str:
        return self.tr("Back")

    def done(self) -> str:
        return self.tr("Done")

    # The first screen

    def greeting(self) -> str:
        return self.tr("What would you like?")

    def notice(self) -> str:
        said = self.tr(
            "A camera can estimate your age and gender while you shop, on this machine alone. "
            "No picture is stored or sent. Until you choose, nothing is estimated."
        )
        if not self.counts:
            return said
        counted = self.tr("With the camera, the machine counts visitors per age group and hour.")
        return self.tr("{said} {counted}").format(said=said, counted=counted)

    def with_camera(self) -> Message:
        return Message(self.tr("With the camera"), self.tr("See your live estimate"))

    def with_camera_and_check(self) -> Message:
        return Message(self.tr("With the camera"), self.tr("You may not need an ID for age limits"))

    def without_camera(self) -> Message:
        return Message(self.tr("Without the camera"), self.tr("Nothing is estimated"))

    def large_text(self) -> str:
        return self.tr("Large text")

    def low_reach(self) -> str:
        return self.tr("Everything lower")

    # Products

    def choose(self) -> str:
        return self.tr("Choose a product")

    def sold_out(self) -> str:
        return self.tr("Sold out")

    def last_one(self) -> str:
        return self.tr("Last one")

    def previous_page(self) -> str:
        return self.tr("Previous page")

    def next_page(self) -> str:
        return self.tr("Next page")

    def page(self, number: int, pages: int) -> str:
        return self.tr("{number} / {pages}").format(number=number, pages=pages)

    def turn_camera_on(self) -> str:
        return self.tr("Camera on")

    def turn_camera_off(self) -> str:
        return self.tr("Camera off")

    def buy(self, price: str) -> str:
        return self.tr("Pay {price}").format(price=price)

    def age_limit(self, years: int) -> str:
        return self.tr("From {years} years. We check your age before you pay.").format(years=years)

    # The age check

    def age_check(self) -> str:
        return self.tr("Age check")

    def prompt(self, prompt: Prompt) -> Message:
        """What to do now."""
        return {
            Prompt.LOOK_AT_THE_SCREEN: Message(self.tr("Look at the screen"), self.tr("It takes a few seconds")),
            Prompt.ONE_PERSON_PLEASE: Message(self.tr("One person, please"), self.tr("Ask the others to step aside")),
            Prompt.A_LITTLE_CLOSER: Message(self.tr("A little closer"), self.tr("Step up to the machine")),
            Prompt.HOLD_STILL: Message(self.tr("Hold still"), self.tr("Keep looking at the screen")),
            Prompt.TURN_YOUR_HEAD: Message(self.tr("Turn your head slowly"), self.tr("A little left, a little right")),
            Prompt.ID_PLEASE: Message(self.tr("Your ID, please"), self.tr("The camera could not decide")),
            Prompt.THANK_YOU: Message(self.tr("Thank you"), self.tr("Next: payment")),
        }[prompt]

    def show_id_instead(self) -> str:
        return self.tr("Show an ID instead")

    # An ID

    def ask_id(self) -> str:
        return self.tr("Your ID, please")

    def ask_id_how(self, methods: tuple[str, ...]) -> str:
        if "reader" in methods and "pin" in methods:
            return self.tr("Hold your ID to the reader, or show it to the staff, who type their PIN here.")
        if "pin" in methods:
            return self.tr("Please show your ID to the staff. They type their PIN here.")
        return self.tr("Hold your ID to the reader.")

    def staff(self, years: int) -> str:
        return self.tr("Staff: {years} or older?").format(years=years)

    def wrong_pin(self) -> str:
        return self.tr("Wrong PIN")

    def pin_wait(self, seconds: int) -> str:
        return self.tr("Next try in {seconds} s").format(seconds=seconds)

    def erase(self) -> str:
        return self.tr("Erase")

    def confirm(self) -> str:
        return self.tr("Confirm")

    def refused(self) -> Message:
        return Message(
            self.tr("Sorry, not this one"),
            self.tr("This machine sells it only after an ID check. You can buy anything else."),
        )

    def other_products(self) -> str:
        return self.tr("Other products")

    # Money

    def pay(self) -> Message:
        return Message(
            self.tr("Tap or insert your card"), self.tr("At the reader. If it asks for a PIN, type it there.")
        )

    def declined(self, reason: str) -> Message:
        """Why nothing was paid, in a customer's words; only to be said of a sale without a claim."""
        return {
            "card": Message(self.tr("The card was declined"), self.tr("Nothing was charged. Another card may work.")),
            "cancelled": Message(self.tr("Payment cancelled"), self.tr("Nothing was charged.")),
            "timeout": Message(self.tr("No card came"), self.tr("Nothing was charged.")),
        }.get(reason) or Message(
            self.tr("The payment did not work"),
            self.tr("Nothing was charged. It is the machine's fault, not your card's."),
        )

    def claim(self, number: str) -> str:
        return self.tr("If your card was charged, you will get the money back. Keep this number: {number}").format(
            number=number
        )

    def scan_claim(self) -> str:
        return self.tr("Scan to keep this number")

    def declined_for_good(self) -> str:
        return self.tr("One moment, the reader is still busy.")

    def try_again(self) -> str:
        return self.tr("Try again")

    # Goods

    def dispensing(self) -> Message:
        return Message(self.tr("Here it comes"), self.tr("Take it from the tray below"))

    def refunding(self, reason: str) -> Message:
        came = self.tr("Your product did not come. We are sorry.")
        texts = {"jam": self.tr("Your product is stuck. We are sorry."), "nothing": came, "silent": came}
        text = texts.get(reason) or self.tr("This slot cannot sell just now. We are sorry.")
        return Message(self.tr("You get your money back"), text)

    def ended(self, outcome: str) -> Message:
        return {
            "sold": Message(self.tr("Thank you"), self.tr("Your product is in the tray below")),
            "refunded": Message(self.tr("Your money is back"), self.tr("Nothing is charged. We are sorry.")),
        }.get(outcome) or Message(
            self.tr("Your refund is on its way"),
            self.tr("The reader is slow to respond. Keep this number, so that the operator can find your payment."),
        )

    def receipt(self) -> str:
        return self.tr("Receipt")

    def receipt_rows(self, product: str, amount: str, time: str, sale: str, reference: str) -> list[tuple[str, str]]:
        rows = [(product, amount), (self.tr("Time"), time), (self.tr("Sale"), sale)]
        return [*rows, (self.tr("Payment"), reference)] if reference else rows

    def scan(self) -> str:
        return self.tr("Scan to keep your receipt")

    # Time and order

    def still_there(self) -> str:
        return self.tr("Are you still there?")

    def still_there_why(self) -> str:
        return self.tr("Otherwise everything is cleared")

    def still_here(self) -> str:
        return self.tr("Yes, go on")

    def leave(self) -> str:
        return self.tr("No, clear it")

    def out_of_order(self) -> Message:
        return Message(self.tr("Out of order"), self.tr("We are sorry. This machine cannot sell just now."))

    def for_service(self, why: str) -> str:
        """A line for the service staff. `why` is in English."""
        return self.tr("Service: {why}").format(why=why)

    def camera_away(self) -> Message:
        return Message(self.tr("The camera is not available"), self.tr("You can shop on without it"))
