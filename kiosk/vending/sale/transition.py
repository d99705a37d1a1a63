"""One step of the sale in the making: the state as it changes, and the effects in the order they have to happen in."""

from __future__ import annotations

from dataclasses import replace

from kiosk.common.backoff import delay_after, doubling_delays
from kiosk.vending.devices.faults import FaultName
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
"""Seconds until a reversal or settlement is sent again; the last one repeats."""
UNSETTLED_AFTER = 4
"""After so many repetitions without an acknowledgement the machine takes no new money."""

_ALIVE = BEFORE_DISPENSING | {Phase.DISPENSING, Phase.SERVICE}
"""Where the customer's sale stays open even if nothing waits for a device."""


class Transition:
    """Collects what one event does. `state` is replaced, never changed."""

    def __init__(self, rules: Rules, state: State, now: float) -> None:
        self.rules = rules
        self.state = state
        self.now = now
        self.effects: list[Effect] = []

    def record(self, fact: Fact) -> None:
        """Journals a fact, and counts it."""
        self.effects.append(Record(fact))
        self.state = replace(self.state, ledger=apply(self.state.ledger, fact))

    def act(self, effect: Effect) -> None:
        """Has something done, after everything recorded so far is in the journal."""
        self.effects.append(effect)

    def new_sale(self) -> str:
        """The id of the sale that is opened next: `journal-7`."""
        return f"{self.rules.journal}-{self.state.ledger.opened + 1}"

    def go(self, phase: Phase, reason: str = "") -> None:
        """Enters a phase, with its time."""
        if self.state.phase is Phase.ASK_ID and phase is not Phase.ASK_ID and self.state.sale:
            self.act(EndId(self.state.sale))
        self.state = replace(self.state, phase=phase, reason=reason, deadline=self._deadline(phase))
        if phase is not Phase.PAYING:
            self.state = replace(self.state, transaction=None)
        if phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
            self.state = replace(self.state, camera=None)
        if phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER, Phase.BROWSING):
            self.state = replace(self.state, sale=None)

    def renew(self) -> None:
        """Gives the phase its whole time again, because somebody is there."""
        self.state = replace(self.state, deadline=self._deadline(self.state.phase))

    def leave(self, phase: Phase, why: str) -> None:
        """Ends the sale from before dispensing; whatever the terminal took or may take goes back."""
        self.take_back(why)
        self.go(phase)

    def take_back(self, why: str) -> None:
        """Asks for the reversal of the payment that is waited for."""
        transaction = self.state.ledger.transactions.get(self.state.transaction or "")
        if transaction and transaction.state == "requested":
            self.record(ReversalRequested(transaction.sale, transaction.id, why))

    def finish(self) -> None:
        """What follows whatever happened: order, closed sales, commands that the terminal owes an answer to."""
        self._pursue()
        self._notice_order()
        self._pursue()
        self._close()

    def _notice_order(self) -> None:
        faults = self.state.faults
        if self.state.phase is Phase.OUT_OF_ORDER and not faults:
            self.go(Phase.ATTRACT)
        elif faults and self.state.phase is Phase.PAYING:
            away = next((device for device in ("terminal", "dispenser") if device in faults), None)
            if away:  # without a dispenser nobody is to be charged only to get it back
                self.take_back(away)
                self.go(Phase.DECLINED, away)
        elif faults and (self.state.phase is Phase.ATTRACT or self.state.phase in BEFORE_DISPENSING - {Phase.DECLINED}):
            self.leave(Phase.OUT_OF_ORDER, "out of order")

    def _close(self) -> None:
        in_front = self.state.sale if self.state.phase in _ALIVE else None
        for sale in self.state.ledger.finished():
            if sale.id != in_front:
                self.record(SaleClosed(sale.id, sale.outcome))

    def _pursue(self) -> None:
        """Sends what is due, for as long as it is not acknowledged."""
        retries = {id_: retry for id_, retry in self.state.retries.items() if id_ in self.state.ledger.transactions}
        for transaction in self.state.ledger.transactions.values():
            if transaction.state in ("settling", "reversing"):
                retry = retries.get(transaction.id, Retry(0, self.now))
                if retry.due <= self.now:
                    self.act(_command(transaction))
                    wait = delay_after(retry.sent, RETRY_DELAYS_S)
                    retries[transaction.id] = Retry(retry.sent + 1, self.now + wait)
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
        asks = phase in BEFORE_DISPENSING - {Phase.AGE_CHECK} or phase is Phase.SERVICE
        return Deadline(end, end - timeouts.warning if asks else None)


def _command(transaction: Transaction) -> Effect:
    if transaction.state == "settling":
        return SettlePayment(transaction.id)
    return ReversePayment(transaction.id)
