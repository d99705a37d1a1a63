"""The world outside the kiosk: simulated devices whose truth is told to whoever runs the soak, and that truth.

The devices live in the kiosk's process and may die with it. What they took, gave back and dropped does not: it goes
through a pipe at the instant that it happens, before the kiosk hears of it, and a full disk does not hold it up.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kiosk.vending.devices.simulated import dispenser, terminal
from kiosk.vending.devices.simulated.dispenser import SimulatedDispenser
from kiosk.vending.devices.simulated.terminal import SimulatedTerminal

Tell = Callable[..., None]

UNANSWERED = ("DROP_UNSEEN", "SILENCE", "VANISH")
"""What a dispenser may do to a vend so that nobody can know its end."""


def teller(descriptor: int) -> Tell:
    """Says something as one line of JSON, whole or not at all: shorter than a pipe's atomic write."""

    def tell(**message: Any) -> None:
        os.write(descriptor, json.dumps(message).encode() + b"\n")

    return tell


class ToldTerminal(SimulatedTerminal):
    """Tells every row of its truth."""

    def __init__(self, truth: Path, tell: Tell) -> None:
        self._tell: Tell | None = None
        super().__init__(truth)
        self.truth = None
        self._tell = tell

    def _count(self, transaction: str, what: str, amount: int) -> None:
        if self._tell:
            self._tell(terminal=[transaction, what, amount])
        super()._count(transaction, what, amount)

    def _behave(self, transaction: str, behaviour: terminal.Behaviour) -> None:
        if self._tell:
            self._tell(payment=transaction, behaviour=behaviour.name)
        super()._behave(transaction, behaviour)


class ToldDispenser(SimulatedDispenser):
    """Tells what falls, and which vends nobody will hear of again."""

    def __init__(self, truth: Path, tell: Tell) -> None:
        self._tell: Tell | None = None
        super().__init__(truth)
        self.truth = None
        self._tell = tell

    def vanish(self) -> None:
        if self._tell:
            for vend in self._due:
                self._tell(vend=vend, behaviour="VANISH")
        super().vanish()

    def dispense(self, vend: str, slot: str) -> None:
        if self.away and self._tell:
            self._tell(vend=vend, behaviour="VANISH")
        super().dispense(vend, slot)

    def _count(self, vend: str, slot: str) -> None:
        if self._tell:
            self._tell(dispenser=[vend, slot])
        super()._count(vend, slot)

    def _behave(self, vend: str, slot: str, behaviour: dispenser.Behaviour) -> None:
        if self._tell:
            self._tell(vend=vend, behaviour=behaviour.name)
        super()._behave(vend, slot, behaviour)


@dataclass
class Truth:
    """What happened to money and goods, whatever the kiosk believes."""

    held: Counter[str] = field(default_factory=Counter)
    """Minor units that customers are out of pocket, by transaction."""
    settled: set[str] = field(default_factory=set)
    dropped: Counter[str] = field(default_factory=Counter)
    """Products that fell, by vend."""
    held_at_drop: dict[str, int] = field(default_factory=dict)
    """Minor units held for a sale when its product fell first."""
    vends: dict[str, list[str]] = field(default_factory=dict)
    """What the dispenser did to each vend."""
    payments: Counter[str] = field(default_factory=Counter)
    """How often the terminal did what."""

    def add(self, message: Mapping[str, Any]) -> None:
        """One line that a device told."""
        if "terminal" in message:
            transaction, what, amount = message["terminal"]
            self.held[transaction] += {"charged": amount, "returned": -amount}.get(what, 0)
            if what == "settled":
                self.settled.add(transaction)
        elif "dispenser" in message:
            vend, _ = message["dispenser"]
            self.dropped[vend] += 1
            self.held_at_drop.setdefault(vend, self.held_for(vend))
        elif "vend" in message:
            self.vends.setdefault(message["vend"], []).append(message["behaviour"])
        elif "payment" in message:
            self.payments[message["behaviour"]] += 1

    def held_for(self, sale: str) -> int:
        """Minor units that the customer of a sale is out of pocket."""
        return sum(held for transaction, held in self.held.items() if transaction.startswith(f"{sale}-"))
