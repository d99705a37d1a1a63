"""The running sale: it connects the state machine to the journal, the terminal, the dispenser and the ID verifiers.

It knows nothing of Qt. A screen uses it from one thread:

    shop.tick(now)                      # every 50 to 250 ms; `now` in seconds of a monotonic clock
    shop.touch(Choose("A1"))            # a touch (kiosk.vending.sale.events)
    shop.report_age_check(sale, passed) # the result of the age check of the customer of `snapshot.sale`
    shop.snapshot                       # what to show

`touch` and the other calls act at the time of the last tick. No call waits for a device: commands are sent at once, and
the next tick fetches the answers. The next `snapshot` shows the result of each call.

If the journal cannot be written, everything stops: touches have no effect, and no device is polled or commanded. Later
ticks try to reopen the journal, at growing intervals, and then resolve the open sales as a start does. Only then can
the machine sell again.
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

FIRST_REOPEN_DELAY_S = 2.0
"""Seconds until a failed journal is opened again; doubled after each failure."""
LONGEST_REOPEN_DELAY_S = 30.0


class Shop:
    """The sale of one machine, from its start on.

    The constructor resolves the sales that the last run left open (`kiosk.vending.journal.recovery`). `now` is in
    seconds of the clock that `tick` gets. Raises `JournalError`.
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
        self._messages: deque[Message] = deque()
        self.journal_is_damaged = False
        """Whether the journal failed because it is damaged. Only a restart of the kiosk begins a new one."""
        self._reopen_delay = FIRST_REOPEN_DELAY_S
        self._reopen_at = now
        self._rules = Rules(
            journal.id,
            catalog.items(),
            automatic_age_check,
            tuple(verifier.method for verifier in verifiers),
            timeouts or TimeoutsConfig(),
        )
        self._checkpoint_every = checkpoint_every
        self._state = State(self._load_ledger())
        self._draft: ReceiptDraft | None = None
        for fact in self._startup_facts(version):
            self._record(fact)
            self._state = State(apply(self._state.ledger, fact))

    def tick(self, now: float) -> None:
        """Handles the devices' messages and the time `now`. Call it at least four times a second."""
        self._now = max(now, self._now)
        if self._is_broken:
            self._reopen()
        if not self._is_broken:
            self._messages += self._poll_devices()
        while self._messages and not self._is_broken:
            message = self._messages[0]
            self._handle(message)
            if not self._is_broken:  # else the message is handled once the journal works again
                self._messages.popleft()
        self._handle(Tick())
        self._write_checkpoint()

    def touch(self, touch: Touch) -> None:
        """Handles a touch. One that makes no sense in this phase changes nothing."""
        self._handle(touch)

    def report_age_check(self, sale: str, passed: bool) -> None:
        """Takes the result of a sale's age check: passed, or an ID is needed. Ignored for any but the current sale."""
        self._handle(AgeChecked(sale, passed))

    def report_customer_left(self) -> None:
        """Ends the sale of a customer whom the camera no longer sees. Call it only if `snapshot.camera` is true."""
        self._handle(WalkedAway())

    def report_visit_end(self) -> None:
        """Ends the visit, because the camera has seen no one for a while. Ignored except at the first screen."""
        self._handle(VisitEnded())

    def enter_pin(self, pin: str) -> None:
        """Passes a typed attendant's PIN to the verifier. Its answer comes with a later tick. No PIN is stored."""
        if self._state.phase is Phase.ASK_ID:
            for verifier in self._verifiers:
                if verifier.method == "pin":
                    cast(PinVerifier, verifier).enter(pin)
            self._handle(Stay())

    def operate(self, operation: Operation) -> None:
        """Handles an operation of service mode. Raises `OperationError` for a stock or a price out of range."""
        check_operation(operation, self._catalog)
        self._handle(operation)

    def stop_selling(self, stopped: bool) -> None:
        """Takes the machine out of order for the operator, or puts it back. A paid sale is completed first."""
        self._handle(FaultChanged("operator", stopped))

    @property
    def state(self) -> State:
        """The state itself, for tests and service logs. A screen uses the snapshot."""
        return self._state

    @property
    def snapshot(self) -> Snapshot:
        """What to show now."""
        simulated = self._terminal.simulated or self._dispenser.simulated
        wait = max((self._pin_wait(verifier) for verifier in self._verifiers), default=0.0)
        return build_snapshot(self._rules, self._catalog, self._state, self._draft, self._now, wait, simulated)

    def _poll_devices(self) -> list[Message]:
        messages: list[Message] = [*self._terminal.poll(self._now), *self._dispenser.poll(self._now)]
        for verifier in self._verifiers:
            messages += verifier.poll(self._now)
        return messages

    def _pin_wait(self, verifier: IdVerifier) -> float:
        return cast(PinVerifier, verifier).wait_s(self._now) if verifier.method == "pin" else 0.0

    @property
    def _is_broken(self) -> bool:
        return "journal" in self._state.faults

    def _handle(self, event: Event) -> None:
        if self._is_broken:  # what the journal holds is unknown until it is read again
            if isinstance(event, FaultChanged):
                faults = self._state.faults - {event.fault}
                self._state = replace(self._state, faults=faults | {event.fault} if event.present else faults)
            return
        state, effects = step(self._rules, self._state, event, self._now)
        ledger = self._state.ledger
        try:
            for effect in effects:
                self._execute(effect)
                if isinstance(effect, Record):
                    ledger = apply(ledger, effect.fact)
        except JournalError as error:
            log.error("%s", error)
            self._stop_on_journal_error(ledger, state)
        else:
            self._state = state

    def _stop_on_journal_error(self, ledger: Ledger, state: State) -> None:
        """Takes the machine out of order after the journal failed.

        `ledger` is what the journal certainly holds; `state` is the state that the failure prevented.
        """
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
        self._reopen_at = self._now + self._reopen_delay

    def _reopen(self) -> None:
        """Reopens the journal if that is due, and resolves the open sales as a start does."""
        if self._now < self._reopen_at:
            return
        self._reopen_delay = min(self._reopen_delay * 2, LONGEST_REOPEN_DELAY_S)
        self._reopen_at = self._now + self._reopen_delay
        ledger = self._state.ledger
        try:
            self._journal.reopen()
            ledger = self._load_ledger()
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
            self._reopen_delay = FIRST_REOPEN_DELAY_S
            self._state = replace(self._state, ledger=ledger, faults=self._state.faults - {"journal"})

    def _execute(self, effect: Effect) -> None:
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

    def _load_ledger(self) -> Ledger:
        last = self._journal.latest(Checkpoint)
        self._checkpoint_seq = last.seq if last else 0
        return rebuild_ledger(self._journal)

    def _write_checkpoint(self) -> None:
        """Journals a checkpoint if one is due, so that the next start is quick."""
        if self._is_broken or self._journal.head.seq - self._checkpoint_seq < self._checkpoint_every:
            return
        try:
            self._record(make_checkpoint(self._state.ledger))
        except JournalError as error:
            log.error("%s", error)
            self._stop_on_journal_error(self._state.ledger, self._state)
        else:
            self._checkpoint_seq = self._journal.head.seq

    def _startup_facts(self, version: str) -> Iterable[Fact]:
        yield MachineStarted(version)
        yield from recovery_facts(self._state.ledger)
        for product in self._catalog.product:
            if product.slot not in self._state.ledger.slots:
                yield StockSet(product.slot, product.stock, "initial")
