"""The texts of the demo's control window, except its buttons."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QObject

from kiosk.vending.sale.state import Phase


class DemoStrings(QObject):
    """Texts for the person who controls the simulated devices."""

    def window_title(self) -> str:
        return self.tr("FacialNet Kiosk: controls of the simulation")

    def controls(self) -> str:
        return self.tr("Simulation")

    def facts(self, attendant_pin: str, service_pin: str) -> str:
        return self.tr(
            "No real money, no real goods. Staff PIN {attendant}; service PIN {service}, after five taps in the shop's "
            "upper left corner."
        ).format(attendant=attendant_pin, service=service_pin)

    def automatic(self, is_on: bool) -> str:
        return self.tr("Automatic: on") if is_on else self.tr("Automatic: off")

    def state(self, phase: Phase, *, terminal: bool, dispenser: bool, reader: bool) -> str:
        """Where the sale is, and which of the devices waits for a button."""
        waits = []
        if terminal:
            waits.append(self.tr("the terminal waits for you"))
        if dispenser:
            waits.append(self.tr("the dispenser waits for you"))
        if reader:
            waits.append(self.tr("the ID reader waits for you"))
        return self._listed(self._phase(phase), waits or [self.tr("nothing is waiting")])

    def _listed(self, phase: str, waits: Sequence[str]) -> str:
        return self.tr("{phase}: {waits}").format(phase=phase, waits=", ".join(waits))

    def _phase(self, phase: Phase) -> str:
        return {
            Phase.ATTRACT: self.tr("First screen"),
            Phase.BROWSING: self.tr("Products"),
            Phase.SELECTED: self.tr("Product chosen"),
            Phase.AGE_CHECK: self.tr("Age check"),
            Phase.ASK_ID: self.tr("ID requested"),
            Phase.ID_REFUSED: self.tr("ID refused"),
            Phase.PAYING: self.tr("Payment"),
            Phase.DECLINED: self.tr("Payment declined"),
            Phase.DISPENSING: self.tr("Dispensing"),
            Phase.REFUNDING: self.tr("Refunding"),
            Phase.DONE: self.tr("Receipt"),
            Phase.OUT_OF_ORDER: self.tr("Out of order"),
            Phase.SERVICE: self.tr("Service"),
        }[phase]
