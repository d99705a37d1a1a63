"""A cashless reader on MDB, through an interface by Qibixx as the bus's master. See docs/hardware.md.

It looks before it acts: every command follows from the answer to a `D,STATUS`, and another `D,STATUS` tells what became
of it. What the interface says of its own accord only makes it look sooner. So a line that is lost, doubled or cut short
costs a moment and no money: a command that got lost is seen not to have worked, and none is sent twice on a guess.

    D,REQ,1.80,1    VEND REQUEST       → d,STATUS,VEND, then d,STATUS,RESULT,1,1.80 or d,STATUS,RESULT,-1
    D,REQ,-1        VEND CANCEL        → d,STATUS,RESULT,-1 or d,STATUS,IDLE
    D,END           VEND SUCCESS       → d,STATUS,IDLE
    D,END,-1        VEND FAILURE       → d,STATUS,IDLE
    D,0 and D,2     RESET              → d,STATUS,OFF, RESET, INIT,1 → D,READER,1 → IDLE

Nothing but `D,END` makes a charge final. A payment for which it was never sent is returned as soon as the reader is
seen without an open vend: by VEND FAILURE, VEND CANCEL, VEND DENIED, or a RESET, upon which a reader has to end what it
was at (MDB/ICP 4.3, 7.4.1). One for which it was sent, and whose answer was lost together with the reader's state, is
`unknown`: neither `Settled` nor `Reversed` is ever said of it, and the sale lists it for the operator.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from kiosk.vending.currency import MINOR_DIGITS, in_major_units
from kiosk.vending.faults import FaultChanged
from kiosk.vending.mdb_memory import MdbMemory, Remembered, Stage
from kiosk.vending.mdb_status import Refusal, Status, parsed
from kiosk.vending.payment import Approved, Declined, PaymentMessage, Reversed, Settled
from kiosk.vending.serial_line import LineDown, LineUp, Link

log = logging.getLogger(__name__)

HEARTBEAT = 2.0
"""Seconds between two looks while nothing happens."""
HASTE = 0.5
"""The same while a payment is open."""
PATIENCE = 1.0
"""Seconds after which a look is taken to be unanswered."""
DEAD_AFTER = 3
"""Unanswered looks after which the interface is away."""
RESEND = 1.0
"""Seconds until a command without effect is sent again."""
STUCK_AFTER = 6
"""Commands without effect to end a payment, after which the reader is reset."""
GRACE = 10.0
"""Seconds that a reset of our own may take before the terminal counts as away."""
PRODUCT = 1
"""The product number of every request: the reader is told no slot."""

NUMBERS = {
    "AUD": 36, "BRL": 986, "CAD": 124, "CHF": 756, "CNY": 156, "CZK": 203, "DKK": 208, "EUR": 978, "GBP": 826,
    "HKD": 344, "HUF": 348, "INR": 356, "JPY": 392, "KRW": 410, "MXN": 484, "NOK": 578, "NZD": 554, "PLN": 985,
    "SEK": 752, "SGD": 702, "TRY": 949, "TWD": 901, "USD": 840, "ZAR": 710,
}  # fmt: skip
"""ISO 4217's numbers of common currencies, to find a reader that is set to another one."""


@dataclass
class _Payment:
    """The payment that the reader is at, or will be at next."""

    transaction: str
    amount: int
    currency: str
    stage: Stage | None = None
    """None until the reader may have been asked."""
    wish: Literal["settle", "reverse"] | None = None
    approved: bool = False
    denied: bool = False
    lost: bool = False
    """Whether the reader was reset under it."""
    refusal: str | None = None
    """What the interface said to the last command, if it refused it."""
    seen: bool = False
    """Whether the reader was seen to be at it."""
    sure: bool = True
    """Whether the line was up ever since the last command."""
    tries: int = 0
    """Commands to end it that were sent."""


class MdbTerminal:
    """A payment terminal (`kiosk.vending.payment`) on a serial line."""

    simulated = False

    def __init__(self, link: Link, memory: MdbMemory) -> None:
        self._link = link
        self._memory = memory
        self._now = 0.0
        self._payment: _Payment | None = None
        self._queue: deque[_Payment] = deque()
        self._void: deque[str] = deque(maxlen=64)
        self._said: list[PaymentMessage] = []
        self._up = False
        self._away: bool | None = None
        self._excused_until = 0.0
        self._status: Status | None = None
        self._always_idle = True
        self._look_sent: float | None = None
        self._look_due = 0.0
        self._unanswered = 0
        self._sent = "", 0.0
        if left := memory.open():
            name, known = left
            self._payment = _Payment(name, known.amount, known.currency, known.stage, seen=True, sure=False)

    def authorize(self, transaction: str, amount: int, currency: str) -> None:
        """Queues the payment for the reader."""
        known = self._memory.get(transaction) or transaction in self._void or self._find(transaction)
        if not known:
            self._queue.append(_Payment(transaction, amount, currency))
            self._look_soon()

    def settle(self, transaction: str) -> None:
        """Has the vend's success told, or says that it was."""
        payment, known = self._find(transaction), self._memory.get(transaction)
        if payment and payment.stage == "requested":
            payment.wish = "settle"
            self._look_soon()
        elif known and known.stage == "settled":
            self._said.append(Settled(transaction))
        elif not payment:
            log.error("MDB: payment %s cannot be settled: it is %s", transaction, known.stage if known else "not known")

    def reverse(self, transaction: str) -> None:
        """Has the vend cancelled or its failure told, or says that nothing was charged."""
        payment, known = self._find(transaction), self._memory.get(transaction)
        if payment and payment.stage is None:
            self._queue.remove(payment)
            self._avoid(transaction)
        elif payment and payment.stage == "requested":
            payment.wish = "reverse"
            self._look_soon()
        elif known and known.stage == "returned":
            self._said.append(Reversed(transaction))
        elif known is None and self._memory.whole:
            self._avoid(transaction)  # the reader was never asked, or the file would say so
        elif not payment:
            log.error(
                "MDB: payment %s cannot be reversed: it is %s", transaction, known.stage if known else "not known"
            )

    def close(self) -> None:
        """Gives the port back."""
        self._link.close()

    def poll(self, now: float) -> Sequence[PaymentMessage]:
        """Hears the interface, acts on what it answers, and looks again where that is due."""
        self._now = now
        for heard in self._link.poll():
            match heard:
                case LineUp():
                    self._up, self._unanswered, self._look_sent, self._look_due = True, 0, None, now
                case LineDown():
                    self._on_down()
                case str():
                    self._on_line(heard)
        self._look()
        self._notice_fault()
        said, self._said = self._said, []
        return said

    def _find(self, transaction: str) -> _Payment | None:
        """A payment that is not over."""
        candidates = [*([self._payment] if self._payment else []), *self._queue]
        return next((payment for payment in candidates if payment.transaction == transaction), None)

    def _avoid(self, transaction: str) -> None:
        if known := self._memory.get(transaction):
            self._memory.put(transaction, replace(known, stage="returned"))
        self._void.append(transaction)
        self._said.append(Reversed(transaction))

    # Looking

    def _look_soon(self) -> None:
        self._look_due = min(self._look_due, self._now)

    def _look(self) -> None:
        if not self._up:
            return
        if self._look_sent is not None and self._now >= self._look_sent + PATIENCE:
            self._look_sent = None
            self._unanswered += 1
            if self._unanswered >= DEAD_AFTER:
                self._status = None
                self._link.send("D,2")  # perhaps the master is off, and says nothing then; if it is on, it says so
        if self._look_sent is None and self._now >= self._look_due:
            self._link.send("D,STATUS")
            self._look_sent = self._now
            self._look_due = self._now + (HASTE if self._payment or self._queue else HEARTBEAT)

    def _command(self, command: str) -> bool:
        """Sends a command, and looks what comes of it; False for one that was just sent and may still take effect."""
        sent, at = self._sent
        if sent == command and self._now < at + RESEND:
            return False
        if self._payment:
            self._payment.refusal, self._payment.sure = None, True
        self._link.send(command)
        self._sent = command, self._now
        self._look_due = self._now
        return True

    def _notice_fault(self) -> None:
        away = not self._up or self._status is None or not self._status.is_on
        if away and self._up and self._now < self._excused_until:
            return
        if away != self._away:
            if away or self._away is not None:
                self._said.append(FaultChanged("terminal", away))
            self._away = away

    # Hearing

    def _on_down(self) -> None:
        self._up, self._status, self._look_sent = False, None, None
        if self._payment:
            self._payment.sure = False

    def _on_line(self, line: str) -> None:
        match parsed(line):
            case Status() as status:
                self._learn(status)
                if self._payment:
                    self._notice(self._payment, status)
                if status.is_answer and self._look_sent is not None:
                    if self._status and self._status.name != status.name:
                        self._sent = "", 0.0  # the last command has had its effect
                    self._look_sent, self._unanswered, self._status = None, 0, status
                    self._on_answer(status)
                else:
                    self._look_soon()
            case Refusal() as refusal:
                if self._payment and not refusal.what.endswith("is on"):  # that answers a needless D,2
                    self._payment.refusal = refusal.what
                self._look_soon()

    def _learn(self, status: Status) -> None:
        """Whether the reader can be asked before a card is there."""
        if status.reader and status.reader.mode is not None:
            self._always_idle = status.reader.mode == 2
        elif status.always_idle is not None:
            self._always_idle = status.always_idle

    @staticmethod
    def _notice(payment: _Payment, status: Status) -> None:
        if not status.is_on:
            payment.lost = True
        elif status.name in ("VEND", "RESULT"):
            payment.seen = True
            payment.denied = status.name == "RESULT" and status.approved is None

    # Acting

    def _on_answer(self, status: Status) -> None:
        payment = self._payment
        match status.name:
            case "OFF":
                self._command("D,2")
            case "INIT":
                self._command("D,READER,1")
            case "IDLE" | "CREDIT":
                if payment:
                    self._end(payment)
                self._begin(status)
            case "VEND" if payment is None or payment.wish == "reverse" or payment.stage == "reversing":
                self._stop(payment, "D,REQ,-1")
            case "RESULT" if payment is None or status.approved is None:
                self._stop(payment, "D,END,-1")
            case "RESULT":
                assert payment is not None
                assert status.approved is not None
                self._on_approved(payment, status.approved)

    def _on_approved(self, payment: _Payment, approved: Decimal) -> None:
        if payment.stage == "settling" or (payment.stage == "requested" and payment.wish == "settle"):
            if self._put(payment, "settling"):
                self._command("D,END")
        elif payment.stage == "reversing" or payment.wish == "reverse":
            if self._put(payment, "reversing"):
                self._stop(payment, "D,END,-1")
        elif not payment.approved:
            payment.approved = True
            amount = math.ceil(approved.scaleb(MINOR_DIGITS[payment.currency]))  # what is no whole number is not equal
            self._said.append(Approved(payment.transaction, amount))

    def _stop(self, payment: _Payment | None, command: str) -> None:
        """Ends what the reader is at without a charge; by a reset, if it cannot be moved otherwise."""
        if payment and payment.tries >= STUCK_AFTER:
            payment.tries = 0
            self._reset()
        elif self._command(command) and payment:
            payment.tries += 1

    def _reset(self) -> None:
        self._excused_until = self._now + GRACE
        self._command("D,0")  # off, upon which it is found off and switched on again

    def _begin(self, status: Status) -> None:
        """Asks the reader for the next payment, if it can be asked."""
        if self._payment:
            return
        if not self._queue:
            if status.name == "CREDIT":
                self._reset()  # a card that came too early: the next customer shall not pay with it
            return
        if status.name == "IDLE" and not self._always_idle:
            return  # the session begins with a card
        payment = self._queue.popleft()
        why_not = _why_not(payment, status)
        if why_not or not self._put(payment, "requested"):
            log.error("MDB: the reader cannot be asked for payment %s: %s", payment.transaction, why_not or "see above")
            self._void.append(payment.transaction)
            self._said.append(Declined(payment.transaction, "terminal"))
            return
        self._payment = payment
        self._sent = "", 0.0  # the last customer may have been asked for the same amount
        self._command(f"D,REQ,{in_major_units(payment.amount, payment.currency)},{PRODUCT}")

    def _end(self, payment: _Payment) -> None:
        """The reader is enabled and has no vend open, so the payment is over, one way or another."""
        if payment.stage == "settling":
            is_final = payment.sure and not payment.lost and payment.refusal is None
            self._finish(payment, "settled" if is_final else "unknown")
        elif payment.stage == "reversing" and payment.refusal not in (None, "-1"):
            self._finish(payment, "unknown")  # the documentation does not say how a refund fails
        elif payment.stage == "requested" and payment.refusal and not payment.seen and self._always_idle:
            # how the maker's own example finds out that a reader wants the card first
            log.warning("MDB: the reader refused a request without a card: from now on it is waited for")
            self._always_idle, self._payment = False, None
            if payment.wish == "reverse":
                self._finish(payment, "returned")
            else:
                self._queue.appendleft(_Payment(payment.transaction, payment.amount, payment.currency))
        else:
            self._finish(payment, "returned")

    def _finish(self, payment: _Payment, outcome: Literal["settled", "returned", "unknown"]) -> None:
        self._payment = None
        was_asked_back = payment.wish == "reverse" or payment.stage == "reversing"
        self._put(payment, outcome)  # if that fails, the file says less, and the payment is looked into again
        if outcome == "settled":
            self._said.append(Settled(payment.transaction))
        elif outcome == "unknown":
            log.error("MDB: what became of payment %s is not known: ask the card company", payment.transaction)
        elif was_asked_back:
            self._said.append(Reversed(payment.transaction))
        elif payment.wish is None and not payment.approved:
            self._said.append(Declined(payment.transaction, "card" if payment.denied else "terminal"))

    def _put(self, payment: _Payment, stage: Stage) -> bool:
        if payment.stage == stage:
            return True
        kept = self._memory.put(payment.transaction, Remembered(stage, payment.amount, payment.currency))
        if kept:
            payment.stage = stage
        return kept


def _why_not(payment: _Payment, status: Status) -> str:
    """Why the reader cannot be asked for this amount; nothing if it can."""
    reader = status.reader
    if reader is None:
        return ""
    number = NUMBERS.get(payment.currency)
    if number is not None and 1000 <= reader.currency < 2000 and reader.currency != 1000 + number:
        return (
            f"it is set to the currency {reader.currency - 1000} of ISO 4217, and the prices are in {payment.currency}"
        )
    step = Decimal(reader.scale).scaleb(-reader.decimals)
    if step <= 0 or Decimal(in_major_units(payment.amount, payment.currency)) % step:
        return f"it counts in steps of {step} {payment.currency}"
    return ""
