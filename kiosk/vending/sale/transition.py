"""One transition of the sale: it collects the next state and, in order, the effects of one event."""

from __future__ import annotations

from dataclasses import replace

from kiosk.common.backoff import delay_after, doubling_delays
from kiosk.vending.devices.protocols import FaultName
from kiosk.vending.journal.facts import Fact, ReversalRequested, SaleClosed
from kiosk.vending.journal.ledger import Transaction, apply
from kiosk.vending.sale.state import (
    BEFORE_DISPENSING,
    Deadline,
    Effect,
    EndId,
    Phase,
    Record,
    Retry,
    ReversePayment,
    Rules,
    SettlePayment,
    State,
)

RETRY_DELAYS_S = doubling_delays(2.0, 60.0)
"""Seconds until a reversal or settlement is sent again; the last delay repeats."""
UNSETTLED_AFTER = 4
"""Repetitions without an acknowledgement after which the machine takes no new money."""

_KEEPS_SALE_OPEN = BEFORE_DISPENSING | {Phase.DISPENSING, Phase.SERVICE}
"""Phases in which the customer's sale stays open even if it waits for no device."""


class Transition:
    """The effects of one event so far, and the state after them. `state` is replaced, never mutated."""

    def __init__(self, rules: Rules, state: State, now: float) -> None:
        self.rules = rules
        self.state = state
        self.now = now
        self.effects: list[Effect] = []

    def record(self, fact: Fact) -> None:
        """Adds a fact to the journal and to the ledger."""
        self.effects.append(Record(fact))
        self.state = replace(self.state, ledger=apply(self.state.ledger, fact))

    def add(self, effect: Effect) -> None:
        """Adds an effect, to be carried out once everything recorded before it is in the journal."""
        self.effects.append(effect)

    def new_sale_id(self) -> str:
        """Returns the id of the next sale: the journal's id and a number, `cafe0000-7`."""
        return f"{self.rules.journal}-{self.state.ledger.opened + 1}"

    def enter(self, phase: Phase, reason: str = "") -> None:
        """Enters a phase and sets its deadline."""
        if self.state.phase is Phase.ASK_ID and phase is not Phase.ASK_ID and self.state.sale:
            self.add(EndId(self.state.sale))
        self.state = replace(self.state, phase=phase, reason=reason, deadline=self._deadline(phase))
        if phase is not Phase.PAYING:
            self.state = replace(self.state, transaction=None)
        if phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
            self.state = replace(self.state, camera=None)
        if phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER, Phase.BROWSING):
            self.state = replace(self.state, sale=None)

    def restart_deadline(self) -> None:
        """Gives the phase its whole time again, because the customer is there."""
        self.state = replace(self.state, deadline=self._deadline(self.state.phase))

    def leave_sale(self, phase: Phase, why: str) -> None:
        """Leaves a sale before dispensing and enters `phase`. Whatever the terminal took or may take goes back."""
        self.reverse_payment(why)
        self.enter(phase)

    def reverse_payment(self, why: str) -> None:
        """Requests the reversal of the payment that the sale waits for."""
        transaction = self.state.ledger.transactions.get(self.state.transaction or "")
        if transaction and transaction.state == "requested":
            self.record(ReversalRequested(transaction.sale, transaction.id, why))

    def finish(self) -> None:
        """Does what follows every event: sends due commands, reacts to faults, and closes complete sales."""
        self._send_due_commands()
        self._react_to_faults()
        self._send_due_commands()
        self._close_sales()

    def _react_to_faults(self) -> None:
        faults = self.state.faults
        if self.state.phase is Phase.OUT_OF_ORDER and not faults:
            self.enter(Phase.ATTRACT)
        elif faults and self.state.phase is Phase.PAYING:
            away = next((device for device in ("terminal", "dispenser") if device in faults), None)
            if away:  # without a dispenser, a charge would only be refunded
                self.reverse_payment(away)
                self.enter(Phase.DECLINED, away)
        elif faults and (self.state.phase is Phase.ATTRACT or self.state.phase in BEFORE_DISPENSING - {Phase.DECLINED}):
            self.leave_sale(Phase.OUT_OF_ORDER, "out of order")

    def _close_sales(self) -> None:
        current = self.state.sale if self.state.phase in _KEEPS_SALE_OPEN else None
        for sale in self.state.ledger.finished():
            if sale.id != current:
                self.record(SaleClosed(sale.id, sale.outcome))

    def _send_due_commands(self) -> None:
        """Repeats each settlement and reversal, at growing intervals, until the terminal acknowledges it."""
        retries = {id_: retry for id_, retry in self.state.retries.items() if id_ in self.state.ledger.transactions}
        for transaction in self.state.ledger.transactions.values():
            if transaction.state in ("settling", "reversing"):
                retry = retries.get(transaction.id, Retry(0, self.now))
                if retry.due <= self.now:
                    self.add(_command_for(transaction))
                    delay = delay_after(retry.sent, RETRY_DELAYS_S)
                    retries[transaction.id] = Retry(retry.sent + 1, self.now + delay)
        unsettled = any(retry.sent > UNSETTLED_AFTER for retry in retries.values())
        faults: set[FaultName] = set(self.state.faults - {"unsettled"})
        if unsettled:
            faults.add("unsettled")
        self.state = replace(self.state, retries=retries, faults=frozenset(faults))

    def _deadline(self, phase: Phase) -> Deadline | None:
        timeouts = self.rules.timeouts
        if phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
            return None
        end: float = self.now + getattr(timeouts, phase.value)
        warns = phase in BEFORE_DISPENSING - {Phase.AGE_CHECK} or phase is Phase.SERVICE
        return Deadline(end, end - timeouts.warning if warns else None)


def _command_for(transaction: Transaction) -> Effect:
    if transaction.state == "settling":
        return SettlePayment(transaction.id)
    return ReversePayment(transaction.id)
