"""A payment terminal without a terminal, which can do everything that a real one does to a sale.

By script, one behaviour for each payment to come, or by hand: with `Behaviour.WAIT` nothing happens until somebody
calls `approve`, `decline` or `silence`. What it has taken and given back it keeps in a file, if it is given one, as a
real one does beside a kiosk that loses power.
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
    """What happens to one payment."""

    WAIT = "wait for approve(), decline() or silence()"
    APPROVE = "approve"
    APPROVE_TWICE = "approve, and say so twice"
    APPROVE_UNHEARD = "take the money, and say nothing"
    APPROVE_TOO_MUCH = "take one minor unit more"
    APPROVE_LATE = "take the money even after the reversal, and say so then"
    DECLINE = "decline"
    CANCEL = "the customer cancels at the reader"
    TIME_OUT = "no card comes"
    SILENCE = "take nothing, and say nothing"
    VANISH = "go away in the middle, with the money"
    REVERSE_UNASKED = "take nothing, and call it reversed"


@dataclass
class Account:
    """What the terminal knows of one transaction: its truth, whatever it says."""

    amount: int = 0
    charged: int = 0
    """Minor units taken, over all times."""
    returned: int = 0
    """Minor units given back, over all times."""
    settled: bool = False
    denied: bool = False
    """Whether it said that nothing is charged."""
    void: bool = False
    """Whether a reversal was asked for, so that nothing may be charged any more."""

    @property
    def held(self) -> int:
        """What the customer is out of pocket."""
        return self.charged - self.returned


@dataclass
class SimulatedTerminal:
    """Takes play money. `truth` is its file; `unheard` the number of acknowledgements that get lost next."""

    truth: Path | None = None
    otherwise: Behaviour = Behaviour.APPROVE
    seconds: float = 0.0
    """How long it takes over a payment."""
    unheard: int = 0
    repeats: bool = False
    """Whether it says everything twice."""
    away: bool = False
    simulated: bool = True
    script: deque[Behaviour] = field(default_factory=deque)
    accounts: dict[str, Account] = field(default_factory=dict)
    waiting: str | None = None
    """The transaction that waits for somebody to act."""
    _said: list[PaymentMessage] = field(default_factory=list, init=False)
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
        """Appends to the script."""
        self.script.extend(behaviours)

    def authorize(self, transaction: str, amount: int, currency: str) -> None:  # noqa: ARG002
        """Does what the script says, to a transaction that it does not know yet."""
        if self.away:
            return
        account = self.accounts.get(transaction)
        if account and (account.void or account.amount):
            return
        self._know(transaction, "asked", amount)
        behaviour = self.script.popleft() if self.script else self.otherwise
        if self.seconds:
            self._due[transaction] = self._now + self.seconds, behaviour
        else:
            self._behave(transaction, behaviour)

    def reverse(self, transaction: str) -> None:
        """Gives back what is held."""
        if self.away:
            return
        self.waiting = None if self.waiting == transaction else self.waiting
        self._due.pop(transaction, None)
        self._know(transaction, "void", 0)
        if held := self.accounts[transaction].held:
            self._know(transaction, "returned", held)
        self._acknowledge(Reversed(transaction))
        if transaction in self._late:
            self._late.remove(transaction)
            self._approve(transaction)

    def settle(self, transaction: str) -> None:
        """Makes final what is held."""
        if not self.away and transaction in self.accounts:
            self._know(transaction, "settled", 0)
            self._acknowledge(Settled(transaction))

    def close(self) -> None:
        """There is nothing to let go of."""

    def poll(self, now: float) -> Sequence[PaymentMessage]:
        """Everything said since the last call."""
        self._now = now
        for transaction, (due, behaviour) in list(self._due.items()):
            if due <= now:
                del self._due[transaction]
                self._behave(transaction, behaviour)
        said, self._said = self._said, []
        return said

    def approve(self) -> None:
        """The card of whoever waits is good."""
        if self.waiting:
            self._approve(self.waiting)

    def decline(self, reason: str = "card") -> None:
        """The card of whoever waits is not good."""
        if self.waiting:
            self._say(Declined(self.waiting, reason))
            self.waiting = None

    def silence(self) -> None:
        """Whoever waits never hears of it again."""
        self.waiting = None

    def say(self, message: PaymentMessage) -> None:
        """Says anything."""
        self._say(message)

    def vanish(self) -> None:
        """The cable is pulled: nothing is heard or said."""
        if not self.away:
            self.away, self.waiting = True, None
            self._due.clear()
            self._said = [FaultChanged("terminal", True)]

    def connect(self) -> None:
        """The kiosk has begun anew. What it did not fetch is lost; the rest is as `PaymentTerminal.poll` says."""
        self._said = [FaultChanged("terminal", True)] if self.away else []
        if not self.away:
            self._confess()

    def come_back(self) -> None:
        """The cable is in again."""
        if self.away:
            self.away = False
            self._said.append(FaultChanged("terminal", False))
            self._confess()

    def _behave(self, transaction: str, behaviour: Behaviour) -> None:
        amount = self.accounts[transaction].amount
        match behaviour:
            case Behaviour.WAIT:
                self.waiting = transaction
            case Behaviour.APPROVE:
                self._approve(transaction)
            case Behaviour.APPROVE_TWICE:
                self._approve(transaction)
                self._say(self._said[-1])
            case Behaviour.APPROVE_UNHEARD:
                self._know(transaction, "charged", amount)
            case Behaviour.APPROVE_TOO_MUCH:
                self._approve(transaction, amount + 1)
            case Behaviour.APPROVE_LATE:
                self._late.add(transaction)
            case Behaviour.DECLINE:
                self._say(Declined(transaction))
            case Behaviour.CANCEL:
                self._say(Declined(transaction, "cancelled"))
            case Behaviour.TIME_OUT:
                self._say(Declined(transaction, "timeout"))
            case Behaviour.VANISH:
                self._know(transaction, "charged", amount)
                self.vanish()
            case Behaviour.REVERSE_UNASKED:
                self._know(transaction, "void", 0)
                self._say(Reversed(transaction))

    def _approve(self, transaction: str, amount: int | None = None) -> None:
        amount = self.accounts[transaction].amount if amount is None else amount
        self.waiting = None if self.waiting == transaction else self.waiting  # it charges a transaction once
        self._know(transaction, "charged", amount)
        self._say(Approved(transaction, amount, f"SIM{len(self.accounts):06}"))

    def _confess(self) -> None:
        for transaction, account in self.accounts.items():
            if account.denied and account.held:
                self._say(Approved(transaction, account.held))

    def _acknowledge(self, message: PaymentMessage) -> None:
        if self.unheard:
            self.unheard -= 1
        else:
            self._say(message)

    def _say(self, message: PaymentMessage) -> None:
        if isinstance(message, (Declined, Reversed)) and message.transaction in self.accounts:
            self._know(message.transaction, "denied", 0)
        self._said += [message] * (2 if self.repeats else 1)

    def _know(self, transaction: str, what: str, amount: int) -> None:
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
