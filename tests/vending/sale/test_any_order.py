"""The sale in any order of events: customers, misbehaving devices, a full disk, and crashes at any instant.

What is checked is the world outside, which the simulated devices keep: money out of pocket, products that fell, motors
that turned. `HYPOTHESIS_EXAMPLES=5000 pytest tests/vending/sale/test_any_order.py` looks for longer, and at random.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kiosk.vending.devices.protocols import (
    Approved,
    Declined,
    Dropped,
    IdConfirmed,
    IdRefused,
    NotDropped,
    Reversed,
    Settled,
)
from kiosk.vending.devices.simulated.dispenser import Behaviour as Vend
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.journal import Entry
from kiosk.vending.journal.facts import Fact, SaleClosed, SaleOpened, StockSet, VendFailed, VendUnknown
from kiosk.vending.journal.recovery import rebuild_ledger
from kiosk.vending.sale.events import (
    Back,
    Cancel,
    Choose,
    Continue,
    EnterService,
    LeaveService,
    PaymentTest,
    SetCamera,
    SetStock,
    Settle,
    ShowId,
    Start,
    Stay,
    VendTest,
)
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import AGES, BEER, PRICES, STOCK, WATER, WINE, MemoryJournal, Rig

pytestmark = pytest.mark.proves("any-order", "unpaid-goods")

TOUCHES = [
    Start(camera=True),
    Start(camera=False),
    SetCamera(on=True),
    SetCamera(on=False),
    *(Choose(slot) for slot in (WATER, BEER, WINE)),
    *[Continue()] * 4,
    ShowId(),
    Stay(),
    Back(),
    Cancel(),
]
SLOTS = st.sampled_from([WATER, BEER, WINE])


class PowerCutError(Exception):
    """Ends the program between two instructions."""


class FragileJournal(MemoryJournal):
    """Cuts the power before or after a row is written."""

    def __init__(self, instant: Callable[[], None]) -> None:
        super().__init__()
        self.instant = instant

    def append(self, fact: Fact) -> Entry:
        self.instant()
        entry = super().append(fact)
        self.instant()
        return entry


class FragileRig(Rig):
    """A machine whose power is cut at the instant `cut_in`, counted in journal rows and commands."""

    def __init__(self) -> None:
        self.cut_in: int | None = None
        self.motors: Counter[str] = Counter()
        super().__init__(checkpoint_every=5)
        self.journal = FragileJournal(self.instant)
        for device, command in (
            (self.terminal, "authorize"),
            (self.terminal, "settle"),
            (self.terminal, "reverse"),
            (self.dispenser, "dispense"),
        ):
            setattr(device, command, self.fragile(getattr(device, command)))
        self.start()

    def instant(self) -> None:
        if self.cut_in is not None:
            self.cut_in -= 1
            if self.cut_in < 0:
                self.cut_in = None
                raise PowerCutError

    def fragile(self, command: Callable[..., None]) -> Callable[..., None]:
        def commanded(*arguments: Any) -> None:
            self.instant()
            command(*arguments)
            self.instant()

        return commanded


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.rig = FragileRig()
        self.cleared: set[str] = set()
        self.by_hand: set[str] = set()
        self.shelf = Counter(dict.fromkeys((WATER, BEER, WINE), STOCK))
        self.fallen = 0
        self.may_be_in_doubt: set[str] = set()
        self.owes_an_id = False
        """Tells whether a customer who failed or left a check may still be there."""
        dispense = self.rig.dispenser.dispense

        def watched(vend: str, slot: str) -> None:
            self.motor_turns(vend, slot)
            dispense(vend, slot)

        self.rig.dispenser.dispense = watched  # type: ignore[method-assign]

    # What happens

    def do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except PowerCutError:
            self.restart()

    def restart(self, *, keeps_messages: bool = False) -> None:
        self.owes_an_id = False  # nobody knows any more who was there
        keeps_messages = keeps_messages and not self.rig.terminal.away and not self.rig.dispenser.away
        self.rig.journal.room = None  # on a full disk it does not start at all
        while True:
            self.may_be_in_doubt |= {sale.id for sale in self.rig.recorded.sales.values() if sale.goods == "requested"}
            try:
                self.rig.start(keeps_messages=keeps_messages)
            except PowerCutError:
                continue
            return

    def operate(self, operation: Any) -> None:
        self.do(lambda: self.rig.shop.operate(operation))

    @rule(touch=st.sampled_from(TOUCHES))
    def customer_touches(self, touch: Any) -> None:
        before, shop = self.rig.phase, self.rig.shop
        self.do(lambda: self.rig.shop.touch(touch))
        if before is Phase.AGE_CHECK and self.rig.phase not in (before, Phase.OUT_OF_ORDER):
            self.owes_an_id = self.rig.shop is shop

    @rule(slot=SLOTS, camera=st.booleans())
    def customer_buys(self, slot: str, camera: bool) -> None:
        self.do(lambda: self.rig.buy(slot, camera=camera))

    @rule(
        slot=SLOTS,
        camera=st.booleans(),
        pay=st.sampled_from([*[Pay.APPROVE] * 4, *Pay]),
        vend=st.sampled_from([*[Vend.DROP] * 3, *Vend]),
        moments=st.integers(0, 5),
        cut=st.none() | st.integers(0, 25),
    )
    def customer_goes_far(self, slot: str, camera: bool, pay: Pay, vend: Vend, moments: int, cut: int | None) -> None:
        """Lets a customer use the machine for a while, perhaps until the power is cut."""
        self.put_in_order()
        self.rig.terminal.plan([pay])
        self.rig.dispenser.plan([vend])
        self.rig.cut_in = cut
        self.do(lambda: self.rig.buy(slot, camera=camera))
        self.prove_age()
        for _ in range(moments):
            self.do(lambda: self.rig.after(0.1))

    @rule(slots=st.lists(SLOTS, min_size=2, max_size=3), out=st.sampled_from(["ask", "late", *TOUCHES]))
    def customer_begins_again(self, slots: list[str], out: Any) -> None:
        """Leaves an age check in some way, cancels, and tries again before the camera has seen the customer leave."""
        self.put_in_order()
        for slot in slots:
            self.customer_buys(slot, camera=True)
            if out == "ask":
                self.age_is_checked("ask", back=0)
            elif out == "late":
                self.time_passes(31)
            else:
                self.customer_touches(out)
            self.customer_touches(Cancel())

    @rule()
    def camera_sees_nobody_for_a_while(self) -> None:
        self.do(self.rig.shop.report_visit_end)
        if self.rig.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER) and "journal" not in self.rig.shop.snapshot.faults:
            self.owes_an_id = False

    @rule(times=st.integers(1, 4))
    def moments_pass(self, times: int) -> None:
        for _ in range(times):
            self.do(lambda: self.rig.after(0.1))

    @rule(seconds=st.sampled_from([1, 2, 5, 10, 29, 46, 61, 121]))
    def time_passes(self, seconds: float) -> None:
        before, shop = self.rig.phase, self.rig.shop
        self.do(lambda: self.rig.after(seconds))
        if before is Phase.AGE_CHECK and self.rig.phase in (Phase.ASK_ID, Phase.ID_REFUSED):
            self.owes_an_id = self.rig.shop is shop

    @rule(
        answer=st.sampled_from(["passed", "ask", "id", "confirmed late", "refused late", "away"]),
        back=st.integers(0, 2),
    )
    def age_is_checked(self, answer: str, back: int) -> None:
        sale = self.sale(back)
        if answer in ("passed", "confirmed late"):
            self.cleared.add(sale)
        match answer:
            case "passed" | "ask":
                asks = answer == "ask" and (self.rig.phase, self.rig.shop.state.sale) == (Phase.AGE_CHECK, sale)
                self.owes_an_id = self.owes_an_id or asks
                self.do(lambda: self.rig.shop.report_age_check(sale, answer == "passed"))
            case "id":
                self.prove_age()
            case "confirmed late":
                self.rig.reader.say(IdConfirmed(sale, "reader"))
            case "refused late":
                self.rig.reader.say(IdRefused(sale, "reader"))
            case "away":
                self.do(self.rig.shop.report_customer_left)

    @rule(
        what=st.sampled_from(["approve", "approve", "decline", "silence", "vanish", "come_back", "come_back"]),
        unheard=st.integers(0, 6),
        repeats=st.booleans(),
    )
    def terminal_does(self, what: str, unheard: int, repeats: bool) -> None:
        self.rig.terminal.unheard, self.rig.terminal.repeats = unheard, repeats
        getattr(self.rig.terminal, what)()

    @precondition(lambda self: self.rig.terminal.accounts)
    @rule(data=st.data(), new=st.booleans())
    def terminal_answers_late(self, data: st.DataObject, new: bool) -> None:
        """Charges a transaction that was given up, once, or repeats a true report."""
        terminal = self.rig.terminal
        transaction = data.draw(st.sampled_from(list(terminal.accounts)))
        account = terminal.accounts[transaction]
        if new and account.amount and not account.charged and not terminal.away:
            terminal._approve(transaction)
        elif account.held:
            terminal.say(Approved(transaction, account.held))
        elif account.void:
            terminal.say(Reversed(transaction))
        if account.settled:
            terminal.say(Settled(transaction))
        terminal.say(data.draw(st.sampled_from([Reversed, Settled, Declined]))("somebody-else-1"))

    @rule(
        what=st.sampled_from(["drop", "drop", "jam", "silence", "vanish", "come_back", "come_back"]),
        repeats=st.booleans(),
    )
    def dispenser_does(self, what: str, repeats: bool) -> None:
        self.rig.dispenser.repeats = repeats
        getattr(self.rig.dispenser, what)()

    @precondition(lambda self: self.rig.motors)
    @rule(data=st.data(), dropped=st.booleans())
    def dispenser_answers_late(self, data: st.DataObject, dropped: bool) -> None:
        """Reports anything about a vend that has ended, and the truth about an open one."""
        vend = data.draw(st.sampled_from(list(self.rig.motors)))
        sale = self.rig.ledger.sales.get(vend)
        if sale and sale.goods == "requested":
            dropped = bool(self.rig.dispenser.dropped[vend])
            if not dropped and self.rig.dispenser.waiting:
                return
        self.rig.dispenser.say(Dropped(vend) if dropped else NotDropped(vend))

    @rule(instants=st.integers(0, 25), full=st.booleans())
    def power_or_disk_will_go(self, instants: int, full: bool) -> None:
        if full:
            self.rig.journal.room = instants
        else:
            self.rig.cut_in = instants

    @precondition(lambda self: self.rig.journal.room == 0)
    @rule(seconds=st.sampled_from([1, 5, 61]))
    def disk_has_room_again(self, seconds: float) -> None:
        """The sale recovers by itself."""
        self.rig.journal.room = None
        self.do(lambda: self.rig.after(seconds))
        self.do(lambda: self.rig.after(0.1))

    @rule(deaf=st.booleans())
    def power_goes(self, deaf: bool) -> None:
        """The devices' messages may be lost with the program."""
        self.restart(keeps_messages=not deaf)

    @rule(slot=SLOTS, count=st.integers(0, 5))
    def operator_counts(self, slot: str, count: int) -> None:
        """Counts the slots between vends, like a person at the open door."""
        if self.quiet():
            before = len(self.facts(StockSet))
            self.operate(SetStock(slot, count, "refill"))
            if len(self.facts(StockSet)) > before:
                self.shelf[slot] = count

    @rule(
        operation=st.sampled_from(
            [EnterService(), LeaveService(), VendTest(WATER), VendTest(WINE), PaymentTest(1, "EUR"), None]
        )
    )
    def operator_works(self, operation: Any) -> None:
        if operation:
            self.operate(operation)
        else:
            self.do(lambda: self.rig.shop.stop_selling(True))

    @precondition(lambda self: self.rig.shop.snapshot.attention)
    @rule()
    def operator_settles(self) -> None:
        item = self.rig.shop.snapshot.attention[0].item
        if self.quiet():
            self.by_hand.add(item)
            dropped = bool(self.rig.dispenser.dropped[item]) if item in self.rig.ledger.doubts else None
            self.operate(Settle(item, dropped))

    # What must hold, always

    def motor_turns(self, vend: str, slot: str) -> None:
        """Ends the turn of the motor."""
        self.rig.motors[vend] += 1
        assert self.rig.motors[vend] == 1, "a motor turned twice for one sale"
        (sale,) = [fact for fact in self.facts(SaleOpened) if fact.sale == vend]
        assert sale.slot == slot
        if not sale.test:
            assert self.held(vend) >= PRICES[slot], "a motor turned unpaid"
            assert AGES[slot] == 0 or vend in self.cleared, "an age was not clear"
            assert self.shelf[slot] > 0, "a motor turned for an empty slot"

    @invariant()
    def the_shelf_is_what_fell_from_it(self) -> None:
        for vend in list(self.rig.dispenser.dropped)[self.fallen :]:
            (sale,) = [fact for fact in self.facts(SaleOpened) if fact.sale == vend]
            if self.shelf[sale.slot] > 0:
                self.shelf[sale.slot] -= 1
        self.fallen = len(self.rig.dispenser.dropped)

    @invariant()
    def a_restart_would_know_what_the_sale_knows(self) -> None:
        if "journal" not in self.rig.shop.snapshot.faults:
            assert self.rig.ledger == self.rig.recorded
        assert rebuild_ledger(self.rig.journal) == self.rig.recorded

    @invariant()
    def stock_is_never_below_zero(self) -> None:
        assert all(slot.count >= 0 for slot in self.rig.ledger.slots.values())

    @invariant()
    def a_sale_ends_once(self) -> None:
        closed = Counter(fact.sale for fact in self.facts(SaleClosed))
        assert set(closed.values()) <= {1}

    @invariant()
    def only_the_undecidable_is_in_doubt(self) -> None:
        for fact in self.facts(VendUnknown):
            assert fact.reason in ("silent", "journal") or fact.sale in self.may_be_in_doubt

    @invariant()
    def nobody_gets_a_second_check_after_one_that_did_not_pass(self) -> None:
        """The check is not repeated in this visit, not even after cancelling: the camera must see no one first."""
        assert not (self.owes_an_id and self.rig.phase is Phase.AGE_CHECK)

    @invariant()
    def nothing_is_estimated_before_the_choice(self) -> None:
        snapshot = self.rig.shop.snapshot
        if snapshot.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER):
            assert snapshot.camera is None
            assert snapshot.sale is None

    # What must hold in the end

    def teardown(self) -> None:
        self.the_shelf_is_what_fell_from_it()
        self.there_is_a_way_back()
        self.everything_is_resolved()

    def there_is_a_way_back(self) -> None:
        """Starts from any phase, with devices that never answer again."""
        terminal, dispenser = self.rig.terminal, self.rig.dispenser
        self.rig.cut_in, self.rig.journal.room = None, None
        if "journal" in self.rig.shop.snapshot.faults:
            self.rig.after(60)
        terminal.vanish()
        dispenser.vanish()
        for _ in range(10):
            self.rig.after(601)
        assert self.rig.phase is Phase.OUT_OF_ORDER
        terminal.come_back()
        dispenser.come_back()
        terminal.unheard = 0
        self.rig.shop.stop_selling(False)
        for _ in range(10):
            self.rig.after(61)
        assert self.rig.phase is Phase.ATTRACT

    def everything_is_resolved(self) -> None:
        ledger = self.rig.ledger
        assert not ledger.sales
        assert not ledger.transactions
        outcomes = {fact.sale: fact.outcome for fact in self.facts(SaleClosed)}
        opened = {fact.sale: fact for fact in self.facts(SaleOpened)}
        failed = {fact.sale for fact in self.facts(VendFailed)}
        assert outcomes.keys() == opened.keys()
        for sale, outcome in outcomes.items():
            transactions = {each for each in self.rig.terminal.accounts if each.startswith(f"{sale}-")}
            if sale in self.by_hand or transactions & self.by_hand:
                continue
            dropped, held = self.rig.dispenser.dropped[sale], self.held(sale)
            if outcome == "sold":
                assert (dropped, held) == (1, PRICES[opened[sale].slot])
            else:
                assert held == 0, f"{sale} was charged and ended {outcome}"
            if outcome in ("refunded", "cancelled"):
                assert not dropped or sale in failed, f"{sale} was handed out for nothing"
            assert (outcome == "in_doubt") == any(fact.sale == sale for fact in self.facts(VendUnknown))
        for slot in (WATER, BEER, WINE):
            if not ledger.slot(slot).blocked and not self.by_hand:
                count = ledger.slot(slot).count
                assert count <= self.shelf[slot] <= count + ledger.uncertain(slot)

    # Helpers

    def put_in_order(self) -> None:
        """Lets an operator repair everything and leave service mode."""
        if "journal" in self.rig.shop.snapshot.faults:
            self.restart()
        self.rig.terminal.come_back()
        self.rig.dispenser.come_back()
        self.do(lambda: self.rig.shop.stop_selling(False))
        self.operate(LeaveService())
        self.do(lambda: self.rig.after(0.1))

    def prove_age(self) -> None:
        """Presents an adult's ID if the sale asks for one, or lets the age check pass."""
        snapshot = self.rig.shop.snapshot
        if snapshot.phase is Phase.AGE_CHECK:
            self.cleared.add(snapshot.sale)
            self.do(lambda: self.rig.shop.report_age_check(snapshot.sale, passed=True))
        elif self.rig.reader.wanted:
            self.cleared.add(self.rig.reader.wanted[0])
            self.rig.reader.present(40)

    def facts(self, kind: type) -> list[Any]:
        return [fact for fact in self.rig.journal.facts if isinstance(fact, kind)]

    def held(self, sale: str) -> int:
        accounts = self.rig.terminal.accounts
        return sum(account.held for each, account in accounts.items() if each.startswith(f"{sale}-"))

    def sale(self, back: int) -> str:
        return f"{self.rig.journal.id}-{max(self.rig.ledger.opened - back, 1)}"

    def quiet(self) -> bool:
        """Tells whether no motor turns and no customer is at the machine."""
        moves = self.rig.dispenser.waiting or any(sale.goods == "requested" for sale in self.rig.ledger.sales.values())
        return self.rig.phase in (Phase.ATTRACT, Phase.OUT_OF_ORDER, Phase.SERVICE) and not moves


EXAMPLES = os.environ.get("HYPOTHESIS_EXAMPLES")

TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=int(EXAMPLES or 120),
    stateful_step_count=60,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
