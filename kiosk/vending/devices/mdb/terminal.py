"""A cashless reader on MDB, through an interface by Qibixx as the bus's master. See docs/hardware.md.

Every command follows from the answer to a `D,STATUS` (see `interface.py`), so a line that is lost, doubled
or cut short costs a moment and no money, and no command is sent twice on a guess.

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

from kiosk.vending.catalog.currency import minor_digits, to_major_units
from kiosk.vending.devices.mdb.interface import RESEND, Answer, Hint, MdbInterface
from kiosk.vending.devices.mdb.payment_store import PaymentRecord, PaymentStore, Stage
from kiosk.vending.devices.mdb.protocol import Refusal, Status, reason_rejected
from kiosk.vending.devices.protocols import Approved, Declined, FaultChanged, PaymentMessage, Reversed, Settled
from kiosk.vending.devices.serial_line import LineDown, Link

log = logging.getLogger(__name__)

STUCK_AFTER = 6
"""Commands without effect to end what the reader is at, after which it is reset; not before its own time is over."""
ASKED_WITHIN = 1.0
"""Seconds in which a request may still be on its way to the bus, and the interface idle."""
LONGEST_ANSWER = 60
"""Seconds at most that a reader is taken at its word for."""
PRODUCT = 1
"""The product number of every request: the reader is told no slot."""


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
    asked_at: float = -math.inf
    """When this run sent the request."""


class MdbTerminal:
    """A payment terminal (`kiosk.vending.devices.protocols`) on a serial line."""

    simulated = False

    def __init__(self, link: Link, memory: PaymentStore) -> None:
        self._interface = MdbInterface(link)
        self._memory = memory
        self._payment: _Payment | None = None
        self._queue: deque[_Payment] = deque()
        self._void: deque[str] = deque(maxlen=64)
        self._said: list[PaymentMessage] = []
        self._away: bool | None = None
        self._always_idle = True
        self._now = 0.0
        self._answers_within = 0
        """Seconds that the reader may take over an answer (MDB/ICP 4.3, 7.4.2)."""
        self._stops = 0
        """Commands to end what the reader is at that were sent without effect."""
        self._stopping_since = 0.0
        if left := memory.open():
            name, known = left
            self._payment = _Payment(name, known.amount, known.currency, known.stage, seen=True, sure=False)

    def authorize(self, transaction: str, amount: int, currency: str) -> None:
        """Queues the payment for the reader."""
        known = self._memory.get(transaction) or transaction in self._void or self._find(transaction)
        if not known:
            self._queue.append(_Payment(transaction, amount, currency))
            self._interface.look_soon()

    def settle(self, transaction: str) -> None:
        """Has the vend's success told, or says that it was."""
        payment, known = self._find(transaction), self._memory.get(transaction)
        if payment and payment.stage == "requested":
            payment.wish = "settle"
            self._interface.look_soon()
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
            self._interface.look_soon()
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
        self._interface.close()

    def poll(self, now: float) -> Sequence[PaymentMessage]:
        """Hears the interface, acts on what it answers, and looks again where that is due."""
        self._now = now
        for said in self._interface.hear(now):
            match said:
                case Answer(status):
                    self._notice(status)
                    self._on_answer(status)
                case Hint(status):
                    self._notice(status)
                case Refusal(what) if self._payment:
                    self._payment.refusal = what
                case LineDown() if self._payment:
                    self._payment.sure = False
        self._interface.look(hasty=bool(self._payment or self._queue))
        self._notice_fault()
        messages, self._said = self._said, []
        return messages

    def _find(self, transaction: str) -> _Payment | None:
        """A payment that is not over."""
        candidates = [*([self._payment] if self._payment else []), *self._queue]
        return next((payment for payment in candidates if payment.transaction == transaction), None)

    def _avoid(self, transaction: str) -> None:
        if known := self._memory.get(transaction):
            self._memory.put(transaction, replace(known, stage="returned"))
        self._void.append(transaction)
        self._said.append(Reversed(transaction))

    def _notice_fault(self) -> None:
        away = self._interface.is_away
        if away != self._away:
            if away or self._away is not None:
                self._said.append(FaultChanged("terminal", away))
            self._away = away

    def _notice(self, status: Status) -> None:
        """What is of use whoever said it when: how the reader is set up, and what the payment has been through."""
        if status.reader and status.reader.mode is not None:
            self._always_idle = status.reader.mode == 2
        elif status.always_idle is not None:
            self._always_idle = status.always_idle
        if status.reader:
            self._answers_within = max(0, min(status.reader.seconds, LONGEST_ANSWER))
        if status.name not in ("VEND", "RESULT"):
            self._stops = 0
        payment = self._payment
        if payment and not status.is_on:
            payment.lost = True
        elif payment and status.name in ("VEND", "RESULT"):
            payment.seen = True
            payment.denied = status.name == "RESULT" and status.approved is None

    def _command(self, command: str, *, again_after: float = RESEND) -> bool:
        sent = self._interface.command(command, again_after=again_after)
        if sent and self._payment:
            self._payment.refusal, self._payment.sure = None, True
        return sent

    def _on_answer(self, status: Status) -> None:
        payment = self._payment
        match status.name:
            case "OFF":
                self._command("D,2")
            case "INIT":
                self._command("D,READER,1")
            case "IDLE" | "CREDIT":
                if payment:
                    self._end(payment, status)
                self._begin(status)
            case "VEND" if payment is None or payment.wish == "reverse" or payment.stage == "reversing":
                self._stop("D,REQ,-1")
            case "RESULT" if payment is None or status.approved is None:
                self._stop("D,END,-1")
            case "RESULT":
                assert payment is not None
                assert status.approved is not None
                self._on_approved(payment, status.approved)

    def _on_approved(self, payment: _Payment, approved: Decimal) -> None:
        if payment.stage == "settling" or (payment.stage == "requested" and payment.wish == "settle"):
            if self._put(payment, "settling"):
                # one that is under way is not to be refused as a second one: the reader has its time to end a session
                has_had_no_effect = payment.refusal is not None or not payment.sure
                self._command("D,END", again_after=RESEND if has_had_no_effect else max(RESEND, self._answers_within))
        elif payment.stage == "reversing" or payment.wish == "reverse":
            if self._put(payment, "reversing"):
                self._stop("D,END,-1")
        elif not payment.approved:
            payment.approved = True
            amount = math.ceil(approved.scaleb(minor_digits(payment.currency)))  # what is no whole number is not equal
            self._said.append(Approved(payment.transaction, amount))

    def _stop(self, command: str) -> None:
        """Ends what the reader is at without a charge; by a reset, if it cannot be moved otherwise."""
        if self._stops >= STUCK_AFTER and self._now >= self._stopping_since + self._answers_within:
            self._stops = 0
            self._interface.reset()
        elif self._command(command):
            if not self._stops:
                self._stopping_since = self._now
            self._stops += 1

    def _begin(self, status: Status) -> None:
        """Asks the reader for the next payment, if it can be asked."""
        if self._payment:
            return
        if not self._queue:
            if status.name == "CREDIT":
                self._interface.reset()  # a card that came too early: the next customer shall not pay with it
            return
        if status.name == "IDLE" and not self._always_idle:
            return  # the session begins with a card
        payment = self._queue.popleft()
        reason = reason_rejected(payment.amount, payment.currency, status.reader)
        if reason or not self._put(payment, "requested"):
            log.error("MDB: the reader cannot be asked for payment %s: %s", payment.transaction, reason or "see above")
            self._void.append(payment.transaction)
            self._said.append(Declined(payment.transaction, "terminal"))
            return
        self._payment, payment.asked_at = payment, self._now
        price = to_major_units(payment.amount, payment.currency)
        self._interface.command(f"D,REQ,{price},{PRODUCT}", anew=True)  # perhaps the last customer's price, too

    def _end(self, payment: _Payment, status: Status) -> None:
        """The reader is enabled and has no vend open, so the payment is over, one way or another."""
        says_mode = status.reader is not None and status.reader.mode is not None
        if (
            not payment.seen
            and not payment.lost
            and payment.refusal is None
            and self._now < payment.asked_at + ASKED_WITHIN
        ):
            return  # the request may not have reached the bus yet
        if payment.stage == "settling":
            is_final = payment.sure and not payment.lost and not payment.denied and payment.refusal is None
            self._finish(payment, "settled" if is_final else "unknown")
        elif payment.stage == "reversing" and payment.refusal not in (None, "-1"):
            self._finish(payment, "unknown")  # the documentation does not say how a refund fails
        elif payment.refusal and not payment.seen and self._always_idle and not says_mode:
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
        kept = self._memory.put(payment.transaction, PaymentRecord(stage, payment.amount, payment.currency))
        if kept:
            payment.stage = stage
        return kept
