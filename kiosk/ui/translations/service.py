"""What service mode says: plain, complete, for people who repair the machine."""

from __future__ import annotations

from PyQt6.QtCore import QObject

from kiosk.common.errors import KioskError
from kiosk.estimate import MeasuredAccuracy, Status
from kiosk.system.usb_export import StoppedError
from kiosk.vending.journal import JournalDamagedError
from kiosk.vending.journal.operator_settings import BRIGHTNESS, OUT_OF_ORDER, VOLUME
from kiosk.vending.sale.snapshot import Attention, Offer
from kiosk.vision.process.messages import VisionState


class ServiceStrings(QObject):
    """The service side of the conversation."""

    # The way in

    def service(self) -> str:
        return self.tr("Service")

    def pin_wanted(self) -> str:
        return self.tr("Service PIN")

    def wrong_pin(self) -> str:
        return self.tr("Wrong PIN")

    def pin_wait(self, seconds: int) -> str:
        return self.tr("Next try in {seconds} s").format(seconds=seconds)

    def sale_ends_first(self) -> str:
        return self.tr("Please wait: a sale is ending")

    def close(self) -> str:
        return self.tr("Close")

    def back(self) -> str:
        return self.tr("Back")

    def leave_service(self) -> str:
        return self.tr("Back to the sale")

    # Pages

    def camera(self) -> str:
        return self.tr("Camera")

    def health(self) -> str:
        return self.tr("Health")

    def stock(self) -> str:
        return self.tr("Stock and prices")

    def to_settle(self, count: int = 0) -> str:
        return self.tr("To settle ({count})").format(count=count) if count else self.tr("To settle")

    def tests(self) -> str:
        return self.tr("Tests")

    def journal(self) -> str:
        return self.tr("Journal of today")

    def export(self) -> str:
        return self.tr("Export to USB")

    def machine(self) -> str:
        return self.tr("Machine")

    # Camera

    def track(self, number: int, quality: float, status: Status, live: bool | None) -> str:
        """`#4 · known · 93%`, for one face."""
        known = {"known": self.tr("known"), "estimating": self.tr("estimating"), "unknown": self.tr("unknown")}
        said = self.tr("#{number} · {status} · {quality}%").format(
            number=number, status=known[status], quality=round(quality * 100)
        )
        if live is None:
            return said
        return f"{said} · {self.tr('live') if live else self.tr('not found live')}"

    def rates(self, fps: float | None, latency: float | None) -> str:
        if fps is None or latency is None:
            return self.tr("no frames")
        return self.tr("{fps} fps · {latency} ms").format(fps=round(fps, 1), latency=round(latency))

    def no_picture(self) -> str:
        return self.tr("No picture")

    # Health

    def vision(self) -> str:
        return self.tr("Vision")

    def vision_state(self, state: VisionState) -> str:
        return {
            VisionState.STARTING: self.tr("starting"),
            VisionState.RUNNING: self.tr("running"),
            VisionState.NO_CAMERA: self.tr("no camera"),
            VisionState.RESTARTING: self.tr("restarting"),
            VisionState.ENDED: self.tr("ended"),
            VisionState.FAILED: self.tr("failed"),
        }[state]

    def frame_rate(self) -> str:
        return self.tr("Frames")

    def engine(self) -> str:
        return self.tr("Engine")

    def accuracy(self) -> str:
        return self.tr("Accuracy")

    def measured(self, accuracy: MeasuredAccuracy) -> str:
        return self.tr(
            "gender {gender}%, age group {age}%, within one {near}% on {faces} faces of {measured_on}"
        ).format(
            gender=round(accuracy.gender * 100, 1),
            age=round(accuracy.age * 100, 1),
            near=round(accuracy.age_within_one * 100, 1),
            faces=accuracy.faces,
            measured_on=accuracy.measured_on,
        )

    def terminal(self) -> str:
        return self.tr("Terminal")

    def dispenser(self) -> str:
        return self.tr("Dispenser")

    def settings(self) -> str:
        return self.tr("Settings")

    def journal_name(self) -> str:
        return self.tr("Journal")

    def disk(self) -> str:
        return self.tr("Disk")

    def free(self, gigabytes: float) -> str:
        return self.tr("{gigabytes} GB free").format(gigabytes=round(gigabytes, 1))

    def connected(self, is_there: bool, simulated: bool) -> str:
        said = self.tr("connected") if is_there else self.tr("not connected")
        return self.tr("{said}, simulated").format(said=said) if simulated else said

    def rows(self, head: str) -> str:
        return self.tr("complete, last entry {head}").format(head=head)

    def journal_broken(self) -> str:
        return self.tr("cannot be written: restart the machine")

    def journal_begun_anew(self, head: str) -> str:
        return self.tr("new journal, see “To settle”; last entry {head}").format(head=head)

    def program(self) -> str:
        return self.tr("Program")

    def unknown(self) -> str:
        return self.tr("not known yet")

    # Stock

    def slot(self, offer: Offer, name: str, price: str) -> str:
        lines = [f"{offer.slot} · {name}", self.in_slot(offer.count, offer.capacity) + f" · {price}"]
        if offer.blocked:
            lines.append(self.tr("blocked: count it"))
        elif offer.uncertain:
            lines.append(self.tr("{count} uncertain: count it").format(count=offer.uncertain))
        return "\n".join(lines)

    def cannot_hold(self, slot: str, capacity: int) -> str:
        return self.tr("Not saved: slot {slot} holds 0 to {capacity}").format(slot=slot, capacity=capacity)

    def cannot_cost(self, least: str, most: str) -> str:
        return self.tr("Price not saved: it must be {least} to {most}").format(least=least, most=most)

    def in_slot(self, count: int, capacity: int) -> str:
        return self.tr("{count} of {capacity}").format(count=count, capacity=capacity)

    def count(self) -> str:
        return self.tr("In the slot")

    def price(self) -> str:
        return self.tr("Price")

    def full(self) -> str:
        return self.tr("Full")

    def save(self) -> str:
        return self.tr("Save")

    def saved(self) -> str:
        return self.tr("Saved")

    # What a person has to settle

    def nothing_to_settle(self) -> str:
        return self.tr("Nothing has to be settled")

    def attention(self, attention: Attention, money: str) -> str:
        if attention.kind == "in_doubt":
            asked = self.tr("Sale {sale}, slot {slot}: did the product leave the machine?").format(
                sale=attention.item, slot=attention.slot
            )
            if attention.reported is None:
                return asked
            fell = self.tr("The dispenser later reported that it fell.")
            stayed = self.tr("The dispenser later reported that nothing fell.")
            return f"{asked} {fell if attention.reported else stayed}"
        if attention.kind == "replaced":
            said = self.tr(
                "The journal was damaged. It is saved in {folder}, and a new one was created. Count every slot,"
                " and reverse open payments at the terminal."
            ).format(folder=attention.item)
            owed = self.tr("Open payments: {payments}").format(payments=", ".join(attention.owed))
            return f"{said} {owed}" if attention.owed else said
        if attention.kind == "gone":
            return self.tr(
                "The journal was missing, and a new one was created. Look for the old one or a copy, count "
                "every slot, and reverse open payments at the terminal. Remaining files are in {folder}."
            ).format(folder=attention.item)
        if attention.kind == "blocked":
            return self.tr("Slot {slot} failed: clear it, then count it").format(slot=attention.slot)
        return self.tr(
            "Payment {item}: the terminal has not confirmed the end of {money}. Check the card company's list."
        ).format(item=attention.item, money=money)

    def it_left(self) -> str:
        return self.tr("It came out")

    def it_stayed(self) -> str:
        return self.tr("It is still inside")

    def money_settled(self) -> str:
        return self.tr("Settled by hand")

    def count_slot(self) -> str:
        return self.tr("Count the slot")

    # Tests

    def test_slot(self, slot: str, name: str) -> str:
        return self.tr("Slot {slot}: {name}").format(slot=slot, name=name)

    def previous_slot(self) -> str:
        return self.tr("Previous slot")

    def next_slot(self) -> str:
        return self.tr("Next slot")

    def test_vend(self) -> str:
        return self.tr("Test vend")

    def test_payment(self, money: str) -> str:
        return self.tr("Test payment of {money}").format(money=money)

    def test_result(self, test: str) -> str:
        return {
            "none": self.tr("A payment test gives the money back"),
            "running": self.tr("Running…"),
            "done": self.tr("It worked"),
            "failed": self.tr("It failed"),
        }[test]

    # Journal

    def reading(self) -> str:
        return self.tr("Reading…")

    def nothing_today(self) -> str:
        return self.tr("Nothing yet today")

    def page(self, number: int, pages: int) -> str:
        return self.tr("{number} / {pages}").format(number=number, pages=pages)

    def journal_error(self, error: KioskError) -> str:
        """What a journal's error, or the end of an export, is for an operator; the cause is as the system names it."""
        if isinstance(error, StoppedError):
            return self.tr("cancelled: nothing was written")
        if isinstance(error, JournalDamagedError):
            return self.tr("The journal is damaged ({what}). The next start saves it and creates a new one.").format(
                what=error.what
            )
        if error.__cause__ is None:  # a file of another version, which no running machine meets
            return str(error)
        return self.tr("The journal cannot be used ({why}): check its disk and folder").format(why=error.__cause__)

    def no_stick(self) -> str:
        return self.tr("No USB stick found under /media or /run/media")

    def choose_stick(self) -> str:
        return self.tr("Where to?")

    def exporting(self, share: float | None) -> str:
        """`share` of what is to be written; None before anything is."""
        if share is None:
            return self.tr("Checking the journal…")
        return self.tr("Writing… {percent}%").format(percent=round(share * 100))

    def exported(self, files: str, left_out: str = "") -> str:
        said = self.tr("Written: {files}. You can remove the stick.").format(files=files)
        if not left_out:
            return said
        rest = self.tr("Not written (no space, or an error): {names}").format(names=left_out)
        return f"{said} {rest}"

    def not_exported(self, why: str) -> str:
        return self.tr("Not written: {why}").format(why=why)

    # The machine

    def setting(self, name: str) -> str:
        return {
            VOLUME: self.tr("Volume"),
            BRIGHTNESS: self.tr("Brightness"),
            OUT_OF_ORDER: self.tr("Out of order"),
        }[name]

    def no_light(self) -> str:
        return self.tr("The system cannot change this screen's brightness")

    def percent(self, value: int) -> str:
        return self.tr("{value}%").format(value=value)

    def take_out_of_order(self) -> str:
        return self.tr("Take out of order")

    def put_back_in_order(self) -> str:
        return self.tr("Put back in order")

    def exit(self, really: bool) -> str:
        return self.tr("Really exit?") if really else self.tr("Exit the program")
