"""The running sale: it ties the state machine to journal, terminal, dispenser and ID verifiers, without Qt.

A screen needs four things of it, all from one thread:

    shop.tick(now)                  # every 50 to 250 ms; `now` in seconds of a monotonic clock
    shop.touch(Choose("A1"))        # what was touched (kiosk.vending.events)
    shop.age_checked(sale, passed)  # what the age check made of the customer of `snapshot.sale`
    shop.snapshot                   # what to show

`touch` and the others act at the time of the last tick. Nothing waits for a device: commands go out, and answers are
fetched by the next tick. What comes of every call is in the next `snapshot`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from kiosk.errors import KioskError
from kiosk.vending.catalog import Catalog
from kiosk.vending.dispenser import Dispenser
from kiosk.vending.events import (
    AgeChecked,
    Event,
    Message,
    Operation,
    SetPrice,
    SetStock,
    Stay,
    Tick,
    Touch,
    WalkedAway,
)
from kiosk.vending.facts import Fact, MachineStarted, PaymentApproved, SaleOpened, StockSet
from kiosk.vending.faults import FaultChanged
from kiosk.vending.id_check import IdVerifier, PinVerifier
from kiosk.vending.journal import Journal, JournalError
from kiosk.vending.ledger import apply, fold
from kiosk.vending.payment import PaymentTerminal
from kiosk.vending.recovery import recovered
from kiosk.vending.sale import step
from kiosk.vending.snapshot import Snapshot
from kiosk.vending.state import (
    Authorize,
    BeginId,
    Dispense,
    Effect,
    EndId,
    Phase,
    Record,
    ReversePayment,
    Rules,
    SettlePayment,
    State,
    Timing,
)
from kiosk.vending.view import Bill, snapshot_of


class OperationError(KioskError):
    """A setting from service mode that cannot be."""


class Shop:
    """The sale of one machine, from its start on.

    The start resolves every sale that the last run left open (`kiosk.vending.recovery`). Raises `JournalError`.
    """

    def __init__(
        self,
        catalog: Catalog,
        journal: Journal,
        terminal: PaymentTerminal,
        dispenser: Dispenser,
        verifiers: Sequence[IdVerifier] = (),
        *,
        automatic_age_check: bool = False,
        timing: Timing | None = None,
        version: str = "",
        now: float = 0.0,
    ) -> None:
        self._catalog = catalog
        self._journal = journal
        self._terminal = terminal
        self._dispenser = dispenser
        self._verifiers = verifiers
        self._now = now
        self._rules = Rules(
            journal.id,
            catalog.items(),
            automatic_age_check,
            tuple(verifier.method for verifier in verifiers),
            timing or Timing(),
        )
        self._state = State(fold(entry.fact for entry in journal.entries()))
        self._bill: Bill | None = None
        for fact in self._facts_of_the_start(version):
            self._record(fact)
            self._state = State(apply(self._state.ledger, fact))

    def tick(self, now: float) -> None:
        """Fetches what the devices said, and lets time pass. Call it at least four times a second."""
        self._now = max(now, self._now)
        for event in [*self._said(), Tick()]:
            self._happen(event)

    def touch(self, touch: Touch) -> None:
        """Something was touched; what makes no sense now changes nothing."""
        self._happen(touch)

    def age_checked(self, sale: str, passed: bool) -> None:
        """The age check of a sale has ended: passed, or ask for ID. One for another sale changes nothing."""
        self._happen(AgeChecked(sale, passed))

    def walked_away(self) -> None:
        """The camera has seen nobody for a while; only to be said where `snapshot.camera` is true."""
        self._happen(WalkedAway())

    def enter_pin(self, pin: str) -> None:
        """An attendant's PIN was typed; the answer comes with a later tick. It is kept and written nowhere."""
        if self._state.phase is Phase.ASK_ID:
            for verifier in self._verifiers:
                if verifier.method == "pin":
                    cast(PinVerifier, verifier).enter(pin)
            self._happen(Stay())

    def operate(self, operation: Operation) -> None:
        """Service mode. Raises `OperationError` for stock or a price that cannot be."""
        if isinstance(operation, SetStock):
            capacity = {product.slot: product.capacity for product in self._catalog.product}
            if operation.slot not in capacity:
                raise OperationError(f"there is no slot {operation.slot}")
            if not 0 <= operation.count <= capacity[operation.slot]:
                raise OperationError(f"slot {operation.slot} holds 0 to {capacity[operation.slot]} products")
        if isinstance(operation, SetPrice) and not 1 <= operation.price <= 10_000_000:
            raise OperationError("a price is a whole number of minor units from 1 to 10000000")
        self._happen(operation)

    def stop_selling(self, stopped: bool) -> None:
        """The operator takes the machine out of order, or puts it back; a sale that is paid for ends first."""
        self._happen(FaultChanged("operator", stopped))

    @property
    def state(self) -> State:
        """The state itself, for tests and service logs; a screen has the snapshot."""
        return self._state

    @property
    def snapshot(self) -> Snapshot:
        """What to show now."""
        simulated = self._terminal.simulated or self._dispenser.simulated
        wait = max((self._pin_wait(verifier) for verifier in self._verifiers), default=0.0)
        return snapshot_of(self._rules, self._catalog, self._state, self._bill, self._now, wait, simulated)

    def _said(self) -> list[Message]:
        messages: list[Message] = [*self._terminal.poll(self._now), *self._dispenser.poll(self._now)]
        for verifier in self._verifiers:
            messages += verifier.poll(self._now)
        return messages

    def _pin_wait(self, verifier: IdVerifier) -> float:
        return cast(PinVerifier, verifier).wait_s(self._now) if verifier.method == "pin" else 0.0

    def _happen(self, event: Event) -> None:
        if "journal" in self._state.faults:
            return  # only a new start knows what the journal has
        state, effects = step(self._rules, self._state, event, self._now)
        try:
            for effect in effects:
                self._do(effect)
        except JournalError:
            self._state = State(
                state.ledger, Phase.OUT_OF_ORDER, faults=state.faults | {"journal"}, retries=self._state.retries
            )
        else:
            self._state = state

    def _do(self, effect: Effect) -> None:
        match effect:
            case Record():
                self._record(effect.fact)
            case Authorize():
                self._terminal.authorize(effect.transaction, effect.amount, effect.currency)
            case SettlePayment():
                self._terminal.settle(effect.transaction)
            case ReversePayment():
                self._terminal.reverse(effect.transaction)
            case Dispense():
                self._dispenser.dispense(effect.vend, effect.slot)
            case BeginId():
                for verifier in self._verifiers:
                    verifier.begin(effect.sale, effect.minimum_age)
            case EndId():
                for verifier in self._verifiers:
                    verifier.end(effect.sale)

    def _record(self, fact: Fact) -> None:
        entry = self._journal.append(fact)
        if isinstance(fact, SaleOpened):
            self._bill = Bill(fact.sale, fact.slot, fact.product, fact.price, fact.currency)
        if isinstance(fact, PaymentApproved) and self._bill and fact.sale == self._bill.sale:
            self._bill = self._bill.paid(entry.utc, fact.reference)

    def _facts_of_the_start(self, version: str) -> Iterable[Fact]:
        yield MachineStarted(version)
        yield from recovered(self._state.ledger)
        for product in self._catalog.product:
            if product.slot not in self._state.ledger.slots:
                yield StockSet(product.slot, product.stock, "initial")
