"""A simulated payment terminal, which can behave in every way that a real one does.

It follows a script with one behaviour for each payment, or waits for calls: with `Behaviour.WAIT` nothing happens until
`approve`, `decline` or `silence` is called. It can keep in a file what it took and returned, like a real terminal
beside a kiosk that loses power.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from kiosk.vending.devices.protocols import Approved, Declined, FaultChanged, PaymentMessage, Reversed, Settled


class Behaviour(Enum):
    """What the terminal does with one payment."""

    WAIT = "wait for approve(), decline() or silence()"
    APPROVE = "approve"
    APPROVE_TWICE = "approve, and report it twice"
    APPROVE_SILENTLY = "take the money, and report nothing"
    APPROVE_TOO_MUCH = "take one minor unit more"
    APPROVE_LATE = "take the money even after the reversal, and report it then"
    DECLINE = "decline"
    CANCEL = "the customer cancels at the reader"
    TIME_OUT = "no card comes"
    SILENCE = "take nothing, and report nothing"
    VANISH = "take the money and disconnect"
    REVERSE_UNREQUESTED = "take nothing, and report a reversal"


@dataclass
class Account:
    """What really happened to one transaction, whatever the terminal reports. Amounts are in minor units."""

    amount: int = 0
    charged: int = 0
    """The sum of all charges."""
    returned: int = 0
    """The sum of all refunds."""
    settled: bool = False
    denied: bool = False
    """Whether the terminal reported that nothing is charged."""
    void: bool = False
    """Whether it was reversed, so that nothing may be charged any more."""

    @property
    def held(self) -> int:
        """The amount that the customer has paid and not got back."""
        return self.charged - self.returned


@dataclass
class SimulatedTerminal:
    """A `PaymentTerminal` without real money.

    `truth` is the file that records what happened. The next `unheard` acknowledgements get lost.
    """

    truth: Path | None = None
    default: Behaviour = Behaviour.APPROVE
    seconds: float = 0.0
    """Seconds that a payment takes."""
    unheard: int = 0
    repeats: bool = False
    """Whether it sends every message twice."""
    away: bool = False
    simulated: bool = True
    script: deque[Behaviour] = field(default_factory=deque)
    accounts: dict[str, Account] = field(default_factory=dict)
    waiting: str | None = None
    """The transaction that waits for `approve`, `decline` or `silence`."""
    _messages: list[PaymentMessage] = field(default_factory=list, init=False)
    _late: set[str] = field(default_factory=set, init=False)
    _due: dict[str, tuple[float, Behaviour]] = field(default_factory=dict, init=False)
    _now: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.truth and self.truth.exists():
            for line in self.truth.read_text(encoding="utf-8").splitlines():
                transaction, what, amount = json.loads(line)
                self._count(transaction, what, amount)
        self.connect()

    def plan(self, behaviours: Iterable[Behaviour]) -> None:
        """Appends behaviours to the script."""
        self.script.extend(behaviours)

    def authorize(self, transaction: str, amount: int, currency: str) -> None:  # noqa: ARG002
        """Starts a payment that it does not know yet, as the script says."""
        if self.away:
            return
        account = self.accounts.get(transaction)
        if account and (account.void or account.amount):
            return
        self._record(transaction, "asked", amount)
        behaviour = self.script.popleft() if self.script else self.default
        if self.seconds:
            self._due[transaction] = self._now + self.seconds, behaviour
        else:
            self._behave(transaction, behaviour)

    def reverse(self, transaction: str) -> None:
        """Returns the held money and acknowledges."""
        if self.away:
            return
        self.waiting = None if self.waiting == transaction else self.waiting
        self._due.pop(transaction, None)
        self._record(transaction, "void", 0)
        if held := self.accounts[transaction].held:
            self._record(transaction, "returned", held)
        self._acknowledge(Reversed(transaction))
        if transaction in self._late:
            self._late.remove(transaction)
            self._approve(transaction)

    def settle(self, transaction: str) -> None:
        """Makes the charge final and acknowledges."""
        if not self.away and transaction in self.accounts:
            self._record(transaction, "settled", 0)
            self._acknowledge(Settled(transaction))

    def close(self) -> None:
        """Does nothing: there is no device."""

    def poll(self, now: float) -> Sequence[PaymentMessage]:
        """Returns the messages since the last call."""
        self._now = now
        for transaction, (due, behaviour) in list(self._due.items()):
            if due <= now:
                del self._due[transaction]
                self._behave(transaction, behaviour)
        messages, self._messages = self._messages, []
        return messages

    def approve(self) -> None:
        """Approves the waiting payment."""
        if self.waiting:
            self._approve(self.waiting)

    def decline(self, reason: str = "card") -> None:
        """Declines the waiting payment."""
        if self.waiting:
            self._emit(Declined(self.waiting, reason))
            self.waiting = None

    def silence(self) -> None:
        """Never answers the waiting payment."""
        self.waiting = None

    def say(self, message: PaymentMessage) -> None:
        """Sends any message."""
        self._emit(message)

    def vanish(self) -> None:
        """Disconnects, as if the cable were pulled."""
        if not self.away:
            self.away, self.waiting = True, None
            self._due.clear()
            self._messages = [FaultChanged("terminal", True)]

    def connect(self) -> None:
        """Simulates a restart of the kiosk: messages that it did not fetch are lost, and charges are reported again."""
        self._messages = [FaultChanged("terminal", True)] if self.away else []
        if not self.away:
            self._report_hidden_charges()

    def come_back(self) -> None:
        """Connects again."""
        if self.away:
            self.away = False
            self._messages.append(FaultChanged("terminal", False))
            self._report_hidden_charges()

    def _behave(self, transaction: str, behaviour: Behaviour) -> None:
        amount = self.accounts[transaction].amount
        match behaviour:
            case Behaviour.WAIT:
                self.waiting = transaction
            case Behaviour.APPROVE:
                self._approve(transaction)
            case Behaviour.APPROVE_TWICE:
                self._approve(transaction)
                self._emit(self._messages[-1])
            case Behaviour.APPROVE_SILENTLY:
                self._record(transaction, "charged", amount)
            case Behaviour.APPROVE_TOO_MUCH:
                self._approve(transaction, amount + 1)
            case Behaviour.APPROVE_LATE:
                self._late.add(transaction)
            case Behaviour.DECLINE:
                self._emit(Declined(transaction))
            case Behaviour.CANCEL:
                self._emit(Declined(transaction, "cancelled"))
            case Behaviour.TIME_OUT:
                self._emit(Declined(transaction, "timeout"))
            case Behaviour.VANISH:
                self._record(transaction, "charged", amount)
                self.vanish()
            case Behaviour.REVERSE_UNREQUESTED:
                self._record(transaction, "void", 0)
                self._emit(Reversed(transaction))

    def _approve(self, transaction: str, amount: int | None = None) -> None:
        amount = self.accounts[transaction].amount if amount is None else amount
        self.waiting = None if self.waiting == transaction else self.waiting  # it charges a transaction only once
        self._record(transaction, "charged", amount)
        self._emit(Approved(transaction, amount, f"SIM{len(self.accounts):06}"))

    def _report_hidden_charges(self) -> None:
        for transaction, account in self.accounts.items():
            if account.denied and account.held:
                self._emit(Approved(transaction, account.held))

    def _acknowledge(self, message: PaymentMessage) -> None:
        if self.unheard:
            self.unheard -= 1
        else:
            self._emit(message)

    def _emit(self, message: PaymentMessage) -> None:
        if isinstance(message, (Declined, Reversed)) and message.transaction in self.accounts:
            self._record(message.transaction, "denied", 0)
        self._messages += [message] * (2 if self.repeats else 1)

    def _record(self, transaction: str, what: str, amount: int) -> None:
        self._count(transaction, what, amount)
        if self.truth:
            with self.truth.open("a", encoding="utf-8") as file:
                file.write(json.dumps([transaction, what, amount]) + "\n")

    def _count(self, transaction: str, what: str, amount: int) -> None:
        account = self.accounts.setdefault(transaction, Account())
        match what:
            case "asked":
                account.amount = amount
            case "charged":
                account.charged += amount
            case "returned":
                account.returned += amount
            case "settled":
                account.settled = True
            case "denied":
                account.denied = True
            case "void":
                account.void = True
