"""A payment terminal: a cashless reader on MDB, behind an interface by Qibixx as bus master. See docs/hardware.md.

The driver acts only on answers to `D,STATUS` (see `interface.py`). A lost, repeated or damaged line therefore costs a
moment and no money, and no command is repeated on a guess.

    D,REQ,1.80,1    VEND REQUEST       → d,STATUS,VEND, then d,STATUS,RESULT,1,1.80 or d,STATUS,RESULT,-1
    D,REQ,-1        VEND CANCEL        → d,STATUS,RESULT,-1 or d,STATUS,IDLE
    D,END           VEND SUCCESS       → d,STATUS,IDLE
    D,END,-1        VEND FAILURE       → d,STATUS,IDLE
    D,0 and D,2     RESET              → d,STATUS,OFF, RESET, INIT,1 → D,READER,1 → IDLE

Only `D,END` makes a charge final. A payment for which it was not sent is returned once the reader has no open vend:
after VEND FAILURE, VEND CANCEL, VEND DENIED, or a RESET, at which a reader must end its session (MDB/ICP 4.3, 7.4.1).
If `D,END` was sent and its answer was lost together with the reader's state, the payment is `unknown`: the driver never
answers `Settled` or `Reversed`, and the sale lists the payment for the operator.
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

MOST_STOPS = 6
"""Attempts to end the reader's session without effect before a reset; the reader's own time must also be over."""
REQUEST_DELAY_S = 1.0
"""Seconds in which a request may still be on its way to the bus while the interface is idle."""
MAX_ANSWER_S = 60
"""The longest answer time in seconds that the kiosk accepts from a reader's set-up data."""
PRODUCT = 1
"""The product number in every request; the reader does not learn the slot."""


@dataclass
class _Payment:
    """A payment at the reader or in the queue."""

    transaction: str
    amount: int
    currency: str
    stage: Stage | None = None
    """None until the kiosk may have asked the reader."""
    requested_end: Literal["settle", "reverse"] | None = None
    approved: bool = False
    denied: bool = False
    lost: bool = False
    """Whether the reader was reset during the payment."""
    refusal: str | None = None
    """The interface's refusal of the last command, if it refused it."""
    seen: bool = False
    """Whether the reader has shown this payment."""
    line_stayed_up: bool = True
    """Whether the line has been up since the last command."""
    asked_at: float = -math.inf
    """When this run sent the request, in seconds."""


class MdbTerminal:
    """A `PaymentTerminal` on a serial line. It keeps the progress of its payments in `store`."""

    simulated = False

    def __init__(self, link: Link, store: PaymentStore) -> None:
        self._interface = MdbInterface(link)
        self._store = store
        self._payment: _Payment | None = None
        self._queue: deque[_Payment] = deque()
        self._cancelled: deque[str] = deque(maxlen=64)
        self._messages: list[PaymentMessage] = []
        self._away: bool | None = None
        self._always_idle = True
        self._now = 0.0
        self._answer_s = 0
        """Seconds that the reader may take for an answer (MDB/ICP 4.3, 7.4.2)."""
        self._stops = 0
        """Attempts to end the reader's session that have had no effect yet."""
        self._stopping_since = 0.0
        if left := store.open_payment():
            name, known = left
            self._payment = _Payment(name, known.amount, known.currency, known.stage, seen=True, line_stayed_up=False)

    def authorize(self, transaction: str, amount: int, currency: str) -> None:
        """Queues the payment for the reader."""
        known = self._store.get(transaction) or transaction in self._cancelled or self._find(transaction)
        if not known:
            self._queue.append(_Payment(transaction, amount, currency))
            self._interface.query_soon()

    def settle(self, transaction: str) -> None:
        """Reports the vend's success to the reader, or answers `Settled` if that is done."""
        payment, known = self._find(transaction), self._store.get(transaction)
        if payment and payment.stage == "requested":
            payment.requested_end = "settle"
            self._interface.query_soon()
        elif known and known.stage == "settled":
            self._messages.append(Settled(transaction))
        elif not payment:
            log.error(
                "MDB: payment %s cannot be settled, because it is %s. Check it in the card company's list",
                transaction,
                known.stage if known else "not known",
            )

    def reverse(self, transaction: str) -> None:
        """Cancels the vend or reports its failure to the reader, or answers `Reversed` if nothing was charged."""
        payment, known = self._find(transaction), self._store.get(transaction)
        if payment and payment.stage is None:
            self._queue.remove(payment)
            self._cancel(transaction)
        elif payment and payment.stage == "requested":
            payment.requested_end = "reverse"
            self._interface.query_soon()
        elif known and known.stage == "returned":
            self._messages.append(Reversed(transaction))
        elif known is None and self._store.is_readable:
            self._cancel(transaction)  # else the file would show that the reader was asked
        elif not payment:
            log.error(
                "MDB: payment %s cannot be reversed, because it is %s. Check it in the card company's list",
                transaction,
                known.stage if known else "not known",
            )

    def close(self) -> None:
        """Releases the port."""
        self._interface.close()

    def poll(self, now: float) -> Sequence[PaymentMessage]:
        """Reads the interface's lines, acts on its answers, and sends the commands that are due."""
        self._now = now
        for message in self._interface.poll(now):
            match message:
                case Answer(status):
                    self._note_status(status)
                    self._on_answer(status)
                case Hint(status):
                    self._note_status(status)
                case Refusal(what) if self._payment:
                    self._payment.refusal = what
                case LineDown() if self._payment:
                    self._payment.line_stayed_up = False
        self._interface.query_status(is_busy=bool(self._payment or self._queue))
        self._report_fault()
        messages, self._messages = self._messages, []
        return messages

    def _find(self, transaction: str) -> _Payment | None:
        """Returns the open payment of a transaction, or None."""
        candidates = [*([self._payment] if self._payment else []), *self._queue]
        return next((payment for payment in candidates if payment.transaction == transaction), None)

    def _cancel(self, transaction: str) -> None:
        if known := self._store.get(transaction):
            self._store.put(transaction, replace(known, stage="returned"))
        self._cancelled.append(transaction)
        self._messages.append(Reversed(transaction))

    def _report_fault(self) -> None:
        away = self._interface.is_away
        if away != self._away:
            if away or self._away is not None:
                self._messages.append(FaultChanged("terminal", away))
            self._away = away

    def _note_status(self, status: Status) -> None:
        """Notes the reader's set-up and the payment's progress from any status, solicited or not."""
        if status.reader and status.reader.mode is not None:
            self._always_idle = status.reader.mode == 2
        elif status.always_idle is not None:
            self._always_idle = status.always_idle
        if status.reader:
            self._answer_s = max(0, min(status.reader.seconds, MAX_ANSWER_S))
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
            self._payment.refusal, self._payment.line_stayed_up = None, True
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
                    self._end_payment(payment, status)
                self._request_next(status)
            case "VEND" if payment is None or payment.requested_end == "reverse" or payment.stage == "reversing":
                self._end_session("D,REQ,-1")
            case "RESULT" if payment is None or status.approved is None:
                self._end_session("D,END,-1")
            case "RESULT":
                assert payment is not None
                assert status.approved is not None
                self._on_approved(payment, status.approved)

    def _on_approved(self, payment: _Payment, approved: Decimal) -> None:
        if payment.stage == "settling" or (payment.stage == "requested" and payment.requested_end == "settle"):
            if self._store_stage(payment, "settling"):
                # A running D,END must not be refused as a second one, so the reader gets its time to end the session.
                has_had_no_effect = payment.refusal is not None or not payment.line_stayed_up
                self._command("D,END", again_after=RESEND if has_had_no_effect else max(RESEND, self._answer_s))
        elif payment.stage == "reversing" or payment.requested_end == "reverse":
            if self._store_stage(payment, "reversing"):
                self._end_session("D,END,-1")
        elif not payment.approved:
            payment.approved = True
            amount = math.ceil(
                approved.scaleb(minor_digits(payment.currency))
            )  # rounding up makes a fraction differ from the price
            self._messages.append(Approved(payment.transaction, amount))

    def _end_session(self, command: str) -> None:
        """Ends the reader's session without a charge; by a reset, if the command has no effect."""
        if self._stops >= MOST_STOPS and self._now >= self._stopping_since + self._answer_s:
            self._stops = 0
            self._interface.reset()
        elif self._command(command):
            if not self._stops:
                self._stopping_since = self._now
            self._stops += 1

    def _request_next(self, status: Status) -> None:
        """Requests the next queued payment, if the reader is ready for it."""
        if self._payment:
            return
        if not self._queue:
            if status.name == "CREDIT":
                self._interface.reset()  # a card that came too early must not pay for the next customer
            return
        if status.name == "IDLE" and not self._always_idle:
            return  # the session begins with a card
        payment = self._queue.popleft()
        reason = reason_rejected(payment.amount, payment.currency, status.reader)
        if reason or not self._store_stage(payment, "requested"):
            log.error(
                "MDB: payment %s cannot be requested: %s",
                payment.transaction,
                reason or "it could not be written, see above",
            )
            self._cancelled.append(payment.transaction)
            self._messages.append(Declined(payment.transaction, "terminal"))
            return
        self._payment, payment.asked_at = payment, self._now
        price = to_major_units(payment.amount, payment.currency)
        self._interface.command(f"D,REQ,{price},{PRODUCT}", is_new=True)  # the last request may have had the same price

    def _end_payment(self, payment: _Payment, status: Status) -> None:
        """Ends a payment whose vend is over, because the reader is enabled and has no open vend."""
        says_mode = status.reader is not None and status.reader.mode is not None
        if (
            not payment.seen
            and not payment.lost
            and payment.refusal is None
            and self._now < payment.asked_at + REQUEST_DELAY_S
        ):
            return  # the request may not have reached the bus yet
        if payment.stage == "settling":
            is_final = payment.line_stayed_up and not payment.lost and not payment.denied and payment.refusal is None
            self._close_payment(payment, "settled" if is_final else "unknown")
        elif payment.stage == "reversing" and payment.refusal not in (None, "-1"):
            self._close_payment(payment, "unknown")  # the maker's documentation does not say how a refund fails
        elif payment.refusal and not payment.seen and self._always_idle and not says_mode:
            # The maker's example recognises a reader that needs the card first in this way.
            log.warning("MDB: the reader refused a request without a card: the kiosk now waits for the card first")
            self._always_idle, self._payment = False, None
            if payment.requested_end == "reverse":
                self._close_payment(payment, "returned")
            else:
                self._queue.appendleft(_Payment(payment.transaction, payment.amount, payment.currency))
        else:
            self._close_payment(payment, "returned")

    def _close_payment(self, payment: _Payment, outcome: Literal["settled", "returned", "unknown"]) -> None:
        self._payment = None
        is_reversal = payment.requested_end == "reverse" or payment.stage == "reversing"
        self._store_stage(payment, outcome)  # if that fails, the next start handles the payment again
        if outcome == "settled":
            self._messages.append(Settled(payment.transaction))
        elif outcome == "unknown":
            log.error(
                "MDB: the terminal has not confirmed the end of payment %s. Check it in the card company's list",
                payment.transaction,
            )
        elif is_reversal:
            self._messages.append(Reversed(payment.transaction))
        elif payment.requested_end is None and not payment.approved:
            self._messages.append(Declined(payment.transaction, "card" if payment.denied else "terminal"))

    def _store_stage(self, payment: _Payment, stage: Stage) -> bool:
        if payment.stage == stage:
            return True
        is_stored = self._store.put(payment.transaction, PaymentRecord(stage, payment.amount, payment.currency))
        if is_stored:
            payment.stage = stage
        return is_stored
