"""The running sale: it ties the state machine to journal, terminal, dispenser and ID verifiers, without Qt.

A screen needs four things of it, all from one thread:

    shop.tick(now)                  # every 50 to 250 ms; `now` in seconds of a monotonic clock
    shop.touch(Choose("A1"))        # what was touched (kiosk.vending.sale.events)
    shop.report_age_check(sale, passed)  # what the age check made of the customer of `snapshot.sale`
    shop.snapshot                   # what to show

`touch` and the others act at the time of the last tick. Nothing waits for a device: commands go out, and answers are
fetched by the next tick. What comes of every call is in the next `snapshot`.

A journal that cannot be written stops everything: no touch counts, no device is heard or told anything. Later ticks
open it again, ever more seldom, and resolve what was open as a start does; only then is there a sale again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from kiosk.config import TimeoutsConfig
from kiosk.vending.catalog.catalog import Catalog
from kiosk.vending.devices.protocols import Dispenser, FaultChanged, IdVerifier, PaymentTerminal, PinVerifier
from kiosk.vending.journal import Journal, JournalDamagedError, JournalError
from kiosk.vending.journal.facts import (
    Checkpoint,
    Fact,
    JournalReopened,
    MachineStarted,
    PaymentApproved,
    SaleOpened,
    StockSet,
)
from kiosk.vending.journal.ledger import Ledger, apply
from kiosk.vending.journal.recovery import CHECKPOINT_EVERY, make_checkpoint, rebuild_ledger, recovery_facts
from kiosk.vending.sale.events import (
    AgeChecked,
    Event,
    Message,
    Operation,
    Stay,
    Tick,
    Touch,
    VisitEnded,
    WalkedAway,
)
from kiosk.vending.sale.operator import check_operation
from kiosk.vending.sale.snapshot import ReceiptDraft, Snapshot, build_snapshot
from kiosk.vending.sale.state import (
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
)
from kiosk.vending.sale.state_machine import step

log = logging.getLogger(__name__)

FIRST_REOPENING = 2.0
"""Seconds after which a journal that failed is opened again; doubled each time that it fails once more."""
LONGEST_REOPENING = 30.0


class Shop:
    """The sale of one machine, from its start on.

    The start resolves every sale that the last run left open (`kiosk.vending.journal.recovery`). Raises `JournalError`.
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
        timeouts: TimeoutsConfig | None = None,
        checkpoint_every: int = CHECKPOINT_EVERY,
        version: str = "",
        now: float = 0.0,
    ) -> None:
        self._catalog = catalog
        self._journal = journal
        self._terminal = terminal
        self._dispenser = dispenser
        self._verifiers = verifiers
        self._now = now
        self._heard: deque[Message] = deque()
        self.journal_is_damaged = False
        """Whether the journal failed and was found to be damaged: only a fresh start begins another."""
        self._reopening = FIRST_REOPENING
        self._reopen_at = now
        self._rules = Rules(
            journal.id,
            catalog.items(),
            automatic_age_check,
            tuple(verifier.method for verifier in verifiers),
            timeouts or TimeoutsConfig(),
        )
        self._checkpoint_every = checkpoint_every
        self._state = State(self._recalled())
        self._draft: ReceiptDraft | None = None
        for fact in self._facts_of_the_start(version):
            self._record(fact)
            self._state = State(apply(self._state.ledger, fact))

    def tick(self, now: float) -> None:
        """Fetches what the devices said, and lets time pass. Call it at least four times a second."""
        self._now = max(now, self._now)
        if self._is_broken:
            self._reopen()
        if not self._is_broken:
            self._heard += self._said()
        while self._heard and not self._is_broken:
            message = self._heard[0]
            self._happen(message)
            if not self._is_broken:  # else what was said is still to be journalled, once that is possible
                self._heard.popleft()
        self._happen(Tick())
        self._note_ledger()

    def touch(self, touch: Touch) -> None:
        """Something was touched; what makes no sense now changes nothing."""
        self._happen(touch)

    def report_age_check(self, sale: str, passed: bool) -> None:
        """The age check of a sale has ended: passed, or ask for ID. One for another sale changes nothing."""
        self._happen(AgeChecked(sale, passed))

    def report_customer_left(self) -> None:
        """The camera has seen nobody for a while; only to be said where `snapshot.camera` is true."""
        self._happen(WalkedAway())

    def report_visit_end(self) -> None:
        """The camera, looking, has seen nobody at the first screen for a while; elsewhere this changes nothing."""
        self._happen(VisitEnded())

    def enter_pin(self, pin: str) -> None:
        """An attendant's PIN was typed; the answer comes with a later tick. It is kept and written nowhere."""
        if self._state.phase is Phase.ASK_ID:
            for verifier in self._verifiers:
                if verifier.method == "pin":
                    cast(PinVerifier, verifier).enter(pin)
            self._happen(Stay())

    def operate(self, operation: Operation) -> None:
        """Service mode. Raises `OperationError` for stock or a price that cannot be."""
        check_operation(operation, self._catalog)
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
        return build_snapshot(self._rules, self._catalog, self._state, self._draft, self._now, wait, simulated)

    def _said(self) -> list[Message]:
        messages: list[Message] = [*self._terminal.poll(self._now), *self._dispenser.poll(self._now)]
        for verifier in self._verifiers:
            messages += verifier.poll(self._now)
        return messages

    def _pin_wait(self, verifier: IdVerifier) -> float:
        return cast(PinVerifier, verifier).wait_s(self._now) if verifier.method == "pin" else 0.0

    @property
    def _is_broken(self) -> bool:
        return "journal" in self._state.faults

    def _happen(self, event: Event) -> None:
        if self._is_broken:  # nobody knows what the journal has before it is read again
            if isinstance(event, FaultChanged):
                faults = self._state.faults - {event.fault}
                self._state = replace(self._state, faults=faults | {event.fault} if event.present else faults)
            return
        state, effects = step(self._rules, self._state, event, self._now)
        ledger = self._state.ledger
        try:
            for effect in effects:
                self._do(effect)
                if isinstance(effect, Record):
                    ledger = apply(ledger, effect.fact)
        except JournalError as error:
            log.error("%s", error)
            self._break(ledger, state)
        else:
            self._state = state

    def _break(self, ledger: Ledger, state: State) -> None:
        """The journal failed. `ledger` is what it certainly has, `state` what it kept from coming about."""
        if self._state.sale:
            for verifier in self._verifiers:
                verifier.end(self._state.sale)
        self._state = State(
            ledger,
            Phase.OUT_OF_ORDER,
            id_is_needed=state.id_is_needed,
            faults=state.faults | {"journal"},
            retries=self._state.retries,
        )
        self._reopen_at = self._now + self._reopening

    def _reopen(self) -> None:
        """Once its time has come: what a start does about the sales that were left open, in the middle of a run."""
        if self._now < self._reopen_at:
            return
        self._reopening = min(self._reopening * 2, LONGEST_REOPENING)
        self._reopen_at = self._now + self._reopening
        ledger = self._state.ledger
        try:
            self._journal.reopen()
            ledger = self._recalled()
            for fact in (JournalReopened(), *recovery_facts(ledger, "journal")):
                self._record(fact)
                ledger = apply(ledger, fact)
        except JournalError as error:
            self.journal_is_damaged = isinstance(error, JournalDamagedError)
            log.error("%s", error)
            self._state = replace(self._state, ledger=ledger)
        else:
            self.journal_is_damaged = False
            log.warning("the journal can be written again")
            self._reopening = FIRST_REOPENING
            self._state = replace(self._state, ledger=ledger, faults=self._state.faults - {"journal"})

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
            self._draft = ReceiptDraft(fact.sale, fact.slot, fact.product, fact.price, fact.currency)
        if isinstance(fact, PaymentApproved) and self._draft and fact.sale == self._draft.sale:
            self._draft = self._draft.with_payment(entry.utc, fact.reference)

    def _recalled(self) -> Ledger:
        last = self._journal.latest(Checkpoint)
        self._noted = last.seq if last else 0
        return rebuild_ledger(self._journal)

    def _note_ledger(self) -> None:
        """Now and then, so that the next start is quick."""
        if self._is_broken or self._journal.head.seq - self._noted < self._checkpoint_every:
            return
        try:
            self._record(make_checkpoint(self._state.ledger))
        except JournalError as error:
            log.error("%s", error)
            self._break(self._state.ledger, self._state)
        else:
            self._noted = self._journal.head.seq

    def _facts_of_the_start(self, version: str) -> Iterable[Fact]:
        yield MachineStarted(version)
        yield from recovery_facts(self._state.ledger)
        for product in self._catalog.product:
            if product.slot not in self._state.ledger.slots:
                yield StockSet(product.slot, product.stock, "initial")
