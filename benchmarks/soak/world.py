"""Simulated devices that report what they really do to the soak's driver, and the record of those reports.

The devices run in the kiosk's process and can die with it. Each charge, refund and dropped product goes through a pipe
at once, before the kiosk knows of it, so neither a crash nor a full disk loses it.
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

SendMessage = Callable[..., None]

UNANSWERED = ("DROP_UNSEEN", "SILENCE", "VANISH")
"""Behaviours of a dispenser after which the kiosk cannot know how the vend ended."""


def message_sender(descriptor: int) -> SendMessage:
    """Returns a function that writes its arguments to `descriptor` as one line of JSON.

    A line is shorter than a pipe's atomic write, so it arrives whole or not at all.
    """

    def send(**message: Any) -> None:
        os.write(descriptor, json.dumps(message).encode() + b"\n")

    return send


class ReportingTerminal(SimulatedTerminal):
    """A terminal that reports every charge, refund and settlement."""

    def __init__(self, truth: Path, send: SendMessage) -> None:
        self._send: SendMessage | None = None
        super().__init__(truth)
        self.truth = None
        self._send = send

    def _count(self, transaction: str, what: str, amount: int) -> None:
        if self._send:
            self._send(terminal=[transaction, what, amount])
        super()._count(transaction, what, amount)

    def _behave(self, transaction: str, behaviour: terminal.Behaviour) -> None:
        if self._send:
            self._send(payment=transaction, behaviour=behaviour.name)
        super()._behave(transaction, behaviour)


class ReportingDispenser(SimulatedDispenser):
    """A dispenser that reports every dropped product, and every vend that it will never answer."""

    def __init__(self, truth: Path, send: SendMessage) -> None:
        self._send: SendMessage | None = None
        super().__init__(truth)
        self.truth = None
        self._send = send

    def vanish(self) -> None:
        if self._send:
            for vend in self._due:
                self._send(vend=vend, behaviour="VANISH")
        super().vanish()

    def dispense(self, vend: str, slot: str) -> None:
        if self.away and self._send:
            self._send(vend=vend, behaviour="VANISH")
        super().dispense(vend, slot)

    def _count(self, vend: str, slot: str) -> None:
        if self._send:
            self._send(dispenser=[vend, slot])
        super()._count(vend, slot)

    def _behave(self, vend: str, slot: str, behaviour: dispenser.Behaviour) -> None:
        if self._send:
            self._send(vend=vend, behaviour=behaviour.name)
        super()._behave(vend, slot, behaviour)


@dataclass
class Truth:
    """What really happened to money and goods, as the devices reported it."""

    held: Counter[str] = field(default_factory=Counter)
    """Minor units charged and not returned, by transaction."""
    settled: set[str] = field(default_factory=set)
    dropped: Counter[str] = field(default_factory=Counter)
    """Products dropped, by vend."""
    held_at_drop: dict[str, int] = field(default_factory=dict)
    """Minor units held for a sale when its first product dropped."""
    vends: dict[str, list[str]] = field(default_factory=dict)
    """The dispenser's behaviours in each vend."""
    payments: Counter[str] = field(default_factory=Counter)
    """How often the terminal showed each behaviour."""

    def add(self, message: Mapping[str, Any]) -> None:
        """Takes in one message from a device."""
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
        """Returns the minor units charged and not returned for a sale."""
        return sum(held for transaction, held in self.held.items() if transaction.startswith(f"{sale}-"))
