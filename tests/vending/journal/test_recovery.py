"""A start's recovery of what the last run left, fact by fact."""

from __future__ import annotations

import pytest

from kiosk.vending.journal.facts import (
    AgeCleared,
    Fact,
    JournalReopened,
    JournalReplaced,
    MachineStarted,
    PaymentApproved,
    PaymentDeclined,
    PaymentRequested,
    PaymentReversed,
    PaymentSettled,
    PinRefused,
    PriceSet,
    ReversalRequested,
    SaleClosed,
    SaleOpened,
    SettingChanged,
    SettledByOperator,
    StockSet,
    VendFailed,
    VendReportedLate,
    VendRequested,
    VendSucceeded,
    VendUnknown,
    data_of,
    kind_of,
    parse_fact,
)
from kiosk.vending.journal.ledger import MOST_SETTLED, Ledger, fold
from kiosk.vending.journal.recovery import make_checkpoint, recovery_facts

S, T = "j-1", "j-1-1"
OPENED = SaleOpened(S, "A1", "Water", 180, "EUR", 0)
REQUESTED, APPROVED = PaymentRequested(S, T, 180), PaymentApproved(S, T, 180)
VENDING = [OPENED, REQUESTED, APPROVED, VendRequested(S, "A1")]
RESTART = ReversalRequested(S, T, "restart")


@pytest.mark.parametrize(
    ("facts", "wanted", "left"),
    [
        ([], [], None),
        ([OPENED], [SaleClosed(S, "cancelled")], None),
        ([OPENED, REQUESTED], [RESTART], "reversing"),
        ([OPENED, REQUESTED, APPROVED], [RESTART], "reversing"),
        ([OPENED, REQUESTED, PaymentDeclined(S, T, "card")], [SaleClosed(S, "cancelled")], None),
        ([OPENED, REQUESTED, RESTART], [], "reversing"),
        ([OPENED, REQUESTED, RESTART, PaymentReversed(S, T)], [SaleClosed(S, "cancelled")], None),
        ([OPENED, REQUESTED, APPROVED, RESTART, PaymentReversed(S, T)], [SaleClosed(S, "refunded")], None),
        (VENDING, [VendUnknown(S, "A1", "restart")], "reversing"),
        ([*VENDING, VendUnknown(S, "A1", "restart")], [], "reversing"),
        ([*VENDING, VendSucceeded(S, "A1")], [], "settling"),
        ([*VENDING, VendSucceeded(S, "A1"), PaymentSettled(S, T)], [SaleClosed(S, "sold")], None),
        ([*VENDING, VendFailed(S, "A1", "jam")], [], "reversing"),
        ([*VENDING, VendFailed(S, "A1", "jam"), PaymentReversed(S, T)], [SaleClosed(S, "refunded")], None),
        ([OPENED, SaleClosed(S, "cancelled")], [], None),
    ],
)
def test_every_open_sale_is_brought_to_its_end(facts: list[Fact], wanted: list[Fact], left: str | None) -> None:
    before = fold([StockSet("A1", 3, "initial"), *facts])
    assert list(recovery_facts(before)) == wanted
    after = fold(wanted, before)
    assert [each.state for each in after.transactions.values()] == ([left] if left else [])
    assert recovery_facts(after) == ()


def test_a_motor_that_turns_keeps_its_sale_open() -> None:
    test_vend = SaleOpened(S, "A1", "Water", 0, "EUR", 0, test=True)
    assert not fold([test_vend, VendRequested(S, "A1")]).finished()
    assert fold([test_vend, VendRequested(S, "A1"), VendSucceeded(S, "A1")]).finished()


def test_a_payment_without_a_sale_is_reversed_too() -> None:
    ledger = fold([PaymentApproved("", "x-1", 50)])
    assert recovery_facts(ledger) == (ReversalRequested("", "x-1", "restart"),)


EVERY: list[Fact] = [
    MachineStarted("1"),
    OPENED,
    AgeCleared(S, "id_confirmed", "pin"),
    REQUESTED,
    APPROVED,
    PaymentDeclined(S, T, "card"),
    RESTART,
    PaymentReversed(S, T),
    PaymentSettled(S, T),
    VendRequested(S, "A1"),
    VendSucceeded(S, "A1"),
    VendFailed(S, "A1", "jam"),
    VendUnknown(S, "A1", "silent"),
    VendReportedLate(S, "A1", dropped=True),
    SaleClosed(S, "sold"),
    StockSet("A1", 3, "refill"),
    PriceSet("A1", 200, 180, "EUR"),
    JournalReopened(),
    JournalReplaced("journal-damaged-1", "row 3 was changed", "i-1-1"),
    SettledByOperator(S, dropped=False),
    PinRefused("attendant", S, 30),
    SettingChanged("volume", "40"),
    make_checkpoint(Ledger(opened=7)),
]


@pytest.mark.parametrize("fact", EVERY, ids=kind_of)
def test_a_fact_goes_to_the_journal_and_back(fact: Fact) -> None:
    assert parse_fact(kind_of(fact), data_of(fact)) == fact


@pytest.mark.parametrize("fact", EVERY, ids=kind_of)
def test_a_fact_of_an_unknown_sale_opens_none(fact: Fact) -> None:
    """With a new journal, answers may name transactions and vends that it never had."""
    if not isinstance(fact, SaleOpened):
        assert not fold([fact]).sales


@pytest.mark.parametrize(("kind", "data"), [("party", {}), ("sale_closed", {}), ("sale_closed", {"sale": S, "x": 1})])
def test_what_is_no_fact_is_refused(kind: str, data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"kind .* is unknown|field"):
        parse_fact(kind, data)


def test_what_is_remembered_stays_small() -> None:
    facts: list[Fact] = []
    for number in range(2 * MOST_SETTLED):
        sale, payment = f"j-{number}", f"j-{number}-1"
        facts += [
            SaleOpened(sale, "A1", "Water", 180, "EUR", 0),
            PaymentRequested(sale, payment, 180),
            PaymentApproved(sale, payment, 180),
            VendRequested(sale, "A1"),
            VendSucceeded(sale, "A1"),
            PaymentSettled(sale, payment),
            SaleClosed(sale, "sold"),
        ]
    ledger = fold(facts)
    assert (len(ledger.sales), len(ledger.transactions), len(ledger.settled)) == (0, 0, MOST_SETTLED)
    assert ledger.opened == 2 * MOST_SETTLED
    assert ledger.slot("A1").count == 0
    assert Ledger().slot("A1").count == 0
