"""The MDB driver alone, on a line that the test controls."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from kiosk.vending.devices.mdb.payment_store import PaymentRecord, PaymentStore
from kiosk.vending.devices.mdb.terminal import MdbTerminal
from kiosk.vending.devices.protocols import Approved, Declined, FaultChanged, PaymentMessage, Reversed, Settled
from tests.fakes.mdb_interface import MdbInterface
from tests.fakes.wire import Wire


class Bench:
    """The driver, its line and the emulated interface."""

    def __init__(self, folder: Path, interface: MdbInterface | None = None) -> None:
        self.now = 0.0
        self.path = folder / "mdb.json"
        self.interface = interface or MdbInterface()
        self.wire = Wire(self.interface)
        self.said: list[PaymentMessage] = []
        self.start()

    def start(self) -> None:
        self.wire.reopen()
        self.terminal = MdbTerminal(self.wire, PaymentStore(self.path))

    def run(self, seconds: float = 3.0) -> list[PaymentMessage]:
        """Returns the messages since the last call."""
        said: list[PaymentMessage] = []
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            said += self.terminal.poll(self.now)
        self.said += said
        return said

    def ask(self, transaction: str = "t1", amount: int = 180) -> None:
        self.run()
        self.terminal.authorize(transaction, amount, "EUR")
        self.run()

    def approved(self, transaction: str = "t1") -> None:
        self.ask(transaction)
        self.interface.approve()
        assert self.run() == [Approved(transaction, 180)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_it_says_that_it_is_away_before_it_is_there(bench: Bench) -> None:
    assert bench.run(0.1) == [FaultChanged("terminal", True)]
    assert bench.run() == [FaultChanged("terminal", False)]
    assert [line for line in bench.wire.sent if line != "D,STATUS"] == ["D,2", "D,READER,1"]


def test_a_payment_from_request_to_success(bench: Bench) -> None:
    bench.approved()
    assert "D,REQ,1.80,1" in bench.wire.sent
    assert not bench.interface.charged
    bench.terminal.settle("t1")
    assert bench.run() == [Settled("t1")]
    assert bench.interface.charged == Decimal("1.80")
    bench.terminal.settle("t1")
    assert bench.run() == [Settled("t1")]
    assert bench.wire.sent.count("D,END") == 1


def test_a_payment_is_refunded_by_the_vends_failure(bench: Bench) -> None:
    bench.approved()
    bench.terminal.reverse("t1")
    assert bench.run() == [Reversed("t1")]
    assert bench.interface.vends[0].end == "failure"
    bench.terminal.reverse("t1")
    assert bench.run() == [Reversed("t1")]
    assert bench.wire.sent.count("D,END,-1") == 1


@pytest.mark.parametrize("lingers", [True, False])
def test_a_card_that_is_no_good_is_declined(bench: Bench, lingers: bool) -> None:
    bench.ask()
    bench.interface.deny(lingers=lingers)
    assert bench.run() == [Declined("t1", "card")]
    assert bench.interface.state == "IDLE"


def test_a_payment_is_cancelled_before_the_card(bench: Bench) -> None:
    bench.ask()
    bench.terminal.reverse("t1")
    assert bench.run() == [Reversed("t1")]
    assert bench.interface.vends[0].end == "cancelled"


def test_a_payment_that_was_never_heard_of_is_reversed_and_never_asked_for(bench: Bench) -> None:
    bench.run()
    bench.terminal.reverse("t1")
    bench.terminal.authorize("t1", 180, "EUR")
    assert bench.run() == [Reversed("t1")]
    assert not bench.interface.vends


def test_the_next_payment_waits_for_the_last_one(bench: Bench) -> None:
    bench.ask("t1")
    bench.terminal.authorize("t2", 350, "EUR")
    assert bench.run() == []
    assert len(bench.interface.vends) == 1
    bench.terminal.reverse("t2")  # of which the reader has not heard
    assert bench.run() == [Reversed("t2")]
    bench.terminal.authorize("t3", 350, "EUR")
    bench.terminal.reverse("t1")
    assert bench.run() == [Reversed("t1")]
    assert [vend.amount for vend in bench.interface.vends] == [Decimal("1.80"), Decimal("3.50")]


def test_another_amount_is_said_as_it_is(bench: Bench) -> None:
    bench.ask()
    bench.interface.approve(Decimal("18.00"))
    assert bench.run() == [Approved("t1", 1800)]


@pytest.mark.parametrize("event", ["lose_power", "unplug_reader"])
def test_a_reset_reader_has_returned_what_it_had_not_sold(bench: Bench, event: str) -> None:
    bench.approved()
    getattr(bench.interface, event)()
    bench.run()
    bench.terminal.reverse("t1")
    bench.interface.plug_reader()
    assert Reversed("t1") in bench.run()
    assert bench.interface.vends[0].end == "reset"


def test_a_reader_that_leaves_the_bus_is_a_fault(bench: Bench) -> None:
    bench.run()
    bench.interface.unplug_reader()
    assert bench.run() == [FaultChanged("terminal", True)]
    bench.interface.plug_reader()
    assert bench.run() == [FaultChanged("terminal", False)]


def test_an_interface_that_hangs_is_a_fault(bench: Bench) -> None:
    bench.run()
    bench.interface.mute = True
    assert bench.run(7) == [FaultChanged("terminal", True)]
    bench.interface.mute = False
    assert bench.run() == [FaultChanged("terminal", False)]


def test_a_cancel_that_has_no_effect_ends_in_a_reset(bench: Bench) -> None:
    bench.ask()
    bench.interface.ignores_cancel = True
    bench.terminal.reverse("t1")
    assert bench.run(40) == [Reversed("t1")]
    assert bench.interface.vends[0].end == "reset"
    assert "D,0" in bench.wire.sent


def test_a_charge_whose_confirmation_was_lost_with_the_reader_is_neither_settled_nor_reversed(bench: Bench) -> None:
    bench.approved()
    bench.terminal.settle("t1")
    while "D,END" not in bench.wire.sent:
        bench.run(0.1)
    bench.interface.feed("D,END")  # it arrives, and what follows does not come back
    assert bench.interface.vends[0].end == "success"
    bench.wire.unplug()
    bench.interface.lose_power()
    bench.wire.plug()
    bench.run()
    for _ in range(3):
        bench.terminal.settle("t1")
        bench.terminal.reverse("t1")
        said = [each for each in bench.run() if not isinstance(each, FaultChanged)]
        assert said == []
    bench.ask("t2")  # and the reader is free for the next
    assert len(bench.interface.vends) == 2


def about_to_settle(bench: Bench) -> None:
    """D,END is on its way and has not arrived."""
    bench.approved()
    bench.terminal.settle("t1")
    while "D,END" not in bench.wire.sent:
        bench.run(0.1)
    assert bench.interface.vends[0].end is None


def test_a_reader_that_gave_up_behind_an_unplugged_line_has_not_settled(bench: Bench) -> None:
    about_to_settle(bench)
    bench.wire.unplug()
    bench.interface.give_up()
    bench.wire.plug()
    assert Settled("t1") not in bench.run()


def test_a_reader_that_gave_up_at_the_last_moment_has_not_settled(bench: Bench) -> None:
    about_to_settle(bench)
    bench.interface.give_up()
    assert Settled("t1") not in bench.run()


def test_a_success_that_was_lost_on_the_way_is_told_again(bench: Bench) -> None:
    about_to_settle(bench)
    bench.wire.unplug()
    bench.wire.plug()
    assert Settled("t1") in bench.run()
    assert bench.interface.charged == Decimal("1.80")


def test_a_slow_reader_is_not_told_everything_ten_times(bench: Bench) -> None:
    bench.ask()
    bench.interface.ignores_cancel = True
    bench.terminal.reverse("t1")
    bench.run(0.9)
    assert bench.wire.sent.count("D,REQ,-1") == 1
    bench.interface.ignores_cancel = False
    assert bench.run() == [Reversed("t1")]


CRASHES: list[Callable[[Bench], None]] = [
    lambda bench: bench.ask(),
    lambda bench: bench.approved(),
    lambda bench: (bench.ask(), bench.interface.approve())[1],
]


@pytest.mark.parametrize("before", CRASHES)
@pytest.mark.parametrize("power", [True, False])
def test_after_a_crash_the_money_goes_back(bench: Bench, before: Callable[[Bench], None], power: bool) -> None:
    before(bench)
    if not power:
        bench.interface.lose_power()
    bench.start()
    bench.terminal.reverse("t1")
    assert Reversed("t1") in bench.run()
    assert bench.interface.vends[0].end is not None
    assert not bench.interface.charged


def test_after_a_crash_what_was_sold_is_still_charged(bench: Bench) -> None:
    bench.approved()
    bench.start()
    bench.terminal.settle("t1")
    assert Settled("t1") in bench.run()
    assert bench.interface.charged == Decimal("1.80")


def test_a_charge_that_the_reader_gave_up_is_not_called_settled(bench: Bench) -> None:
    bench.approved()
    bench.interface.give_up()
    bench.run()
    bench.terminal.settle("t1")
    assert bench.run() == []


def test_after_a_crash_a_payment_that_was_never_sent_is_reversed(bench: Bench) -> None:
    bench.run()
    bench.terminal.authorize("t1", 180, "EUR")  # and the power goes before the next poll
    bench.start()
    bench.terminal.reverse("t1")
    assert Reversed("t1") in bench.run()
    assert not bench.interface.vends


def test_without_its_file_it_does_not_pretend_to_know(bench: Bench) -> None:
    bench.approved()
    bench.path.write_text("no JSON")
    bench.start()
    bench.terminal.reverse("t1")
    assert Reversed("t1") not in bench.run()
    assert bench.interface.vends[0].end == "failure"  # nobody's vend is ended without a charge


def test_what_cannot_be_written_down_is_not_asked_for(bench: Bench) -> None:
    bench.path.mkdir()
    bench.ask()
    assert bench.said[-1] == Declined("t1", "terminal")
    assert not bench.interface.vends


def test_a_vend_that_nobody_knows_of_is_ended_without_a_charge(bench: Bench) -> None:
    bench.run()
    bench.interface.feed("D,REQ,5.00,1")
    bench.run()
    bench.interface.feed("D,REQ,5.00,1")
    bench.interface.approve()
    assert bench.run() == []
    assert [vend.end for vend in bench.interface.vends] == ["cancelled", "failure"]


def test_a_request_that_the_interface_refuses_is_declined(bench: Bench) -> None:
    bench.run()
    bench.interface.refuses = True
    bench.ask()
    assert bench.said[-1] == Declined("t1", "terminal")
    assert sum(line.startswith("D,REQ") for line in bench.wire.sent) == 1


class TestCardFirst:
    """A reader that needs the card before a request."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Bench:
        return Bench(tmp_path, MdbInterface(always_idle=False))

    def test_a_payment_begins_with_the_card(self, bench: Bench) -> None:
        bench.ask()
        assert not bench.interface.vends
        bench.interface.show_card()
        bench.run()
        bench.interface.approve()
        assert bench.run() == [Approved("t1", 180)]
        bench.terminal.settle("t1")
        assert bench.run() == [Settled("t1")]

    def test_a_card_that_comes_too_early_pays_for_nobody_else(self, bench: Bench) -> None:
        bench.run()
        bench.interface.show_card()
        assert bench.run() == []  # no fault: the reset is our own
        assert bench.interface.state == "IDLE"
        bench.ask()
        assert not bench.interface.vends

    def test_no_card_is_asked_for_after_a_cancel(self, bench: Bench) -> None:
        bench.ask()
        bench.terminal.reverse("t1")
        assert bench.run() == [Reversed("t1")]
        bench.interface.show_card()
        bench.run()
        assert not bench.interface.vends

    def test_firmware_that_does_not_say_so_is_found_out(self, bench: Bench) -> None:
        bench.interface.names_mode = False
        bench.run()
        bench.start()  # INIT, which says it, is over
        bench.ask()
        assert bench.said[-1] == FaultChanged("terminal", False)
        bench.interface.show_card()
        bench.run()
        bench.interface.approve()
        assert bench.run() == [Approved("t1", 180)]


@pytest.mark.parametrize(
    ("interface", "amount", "asked"),
    [
        (MdbInterface(currency=1756), 180, False),  # Swiss francs
        (MdbInterface(currency=49), 180, True),  # a telephone code says little
        (MdbInterface(scale=5), 180, True),
        (MdbInterface(scale=5), 183, False),
        (MdbInterface(scale=1, decimals=1), 185, False),
        (MdbInterface(), 65534, True),
        (MdbInterface(), 65535, False),  # all of the bus's 16 bits mean "not known"
        (MdbInterface(scale=100, decimals=2), 6_553_400, True),
    ],
)
def test_a_price_that_the_reader_cannot_take_is_not_asked_for(
    tmp_path: Path, interface: MdbInterface, amount: int, asked: bool
) -> None:
    bench = Bench(tmp_path, interface)
    bench.ask(amount=amount)
    assert bool(interface.vends) == asked
    if not asked:
        assert bench.said[-1] == Declined("t1", "terminal")


@pytest.mark.parametrize("fate", ["lost", "doubled", "cut", "glued"])
@pytest.mark.parametrize("skipped", range(4))
def test_a_line_that_goes_wrong_costs_no_more_than_time(bench: Bench, fate: str, skipped: int) -> None:
    """Spoils the lines of a refund, after `skipped` good ones, each in turn."""
    bench.approved()
    bench.terminal.reverse("t1")
    bench.wire.fates.extend([*["whole"] * skipped, fate, fate])  # type: ignore[list-item]
    assert Reversed("t1") in bench.run(6)
    assert bench.interface.vends[0].end == "failure"


def test_remembered_is_what_was_sent(bench: Bench) -> None:
    bench.ask()
    assert PaymentStore(bench.path).get("t1") == PaymentRecord("requested", 180, "EUR")


def test_an_approval_that_the_reader_took_back_is_not_settled(bench: Bench) -> None:
    about_to_settle(bench)
    bench.interface.take_back()  # VEND DENIED, or its session's end, before D,END is there
    assert Settled("t1") not in bench.run(10)
    assert not bench.interface.charged


def test_a_request_that_is_not_on_the_bus_at_once_is_waited_for(bench: Bench) -> None:
    bench.interface.is_slow = True
    bench.ask()
    assert not [said for said in bench.said if isinstance(said, Declined)]
    bench.interface.approve()
    assert bench.run() == [Approved("t1", 180)]
    bench.terminal.settle("t1")
    assert bench.run() == [Settled("t1")]


def test_a_request_that_never_reaches_the_bus_is_declined(bench: Bench) -> None:
    bench.run()
    bench.wire.fates.extend(["whole"] * 4)
    bench.terminal.authorize("t1", 180, "EUR")
    while not any(line.startswith("D,REQ") for line in bench.wire.sent):
        bench.run(0.1)
    bench.wire.unplug()
    bench.wire.plug()
    assert Declined("t1", "terminal") in bench.run()


def test_a_reader_that_takes_its_time_to_end_a_session_is_told_once(bench: Bench) -> None:
    bench.approved()
    bench.interface.ends_late = True
    bench.terminal.settle("t1")
    assert bench.run(10) == []
    bench.interface.end_now()
    assert bench.run() == [Settled("t1")]
    assert bench.wire.sent.count("D,END") == 1


def test_a_success_that_never_arrived_is_told_again_when_the_readers_time_is_over(bench: Bench) -> None:
    bench.approved()
    bench.terminal.settle("t1")
    bench.wire.fates.extend(["whole", "whole", "lost"])  # a look and its answer, and D,END
    bench.run(40)
    assert Settled("t1") in bench.said
    assert bench.wire.sent.count("D,END") == 2
    assert bench.interface.charged == Decimal("1.80")


def test_a_reader_is_not_reset_before_its_own_time_is_over(bench: Bench) -> None:
    bench.ask()
    bench.interface.ignores_cancel = True
    bench.terminal.reverse("t1")
    bench.run(29)  # of the 30 seconds that it says it may take
    assert "D,0" not in bench.wire.sent
    assert Reversed("t1") in bench.run(5)


def test_a_vend_that_nobody_knows_of_and_that_does_not_end_is_ended_by_a_reset(bench: Bench) -> None:
    bench.run()
    bench.interface.ignores_cancel = True
    bench.interface.feed("D,REQ,5.00,1")
    bench.run(40)
    assert bench.interface.vends[0].end == "reset"
    assert bench.interface.state == "IDLE"


@pytest.mark.parametrize("end", ["settle", "reverse"])
def test_what_cannot_be_written_down_is_not_told_to_the_reader(bench: Bench, end: str) -> None:
    """Otherwise a crash could leave a charge or a refund that the file does not show."""
    bench.approved()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PaymentStore, "put", lambda *_: False)
        getattr(bench.terminal, end)("t1")
        assert bench.run() == []
        assert not any(line.startswith("D,END") for line in bench.wire.sent)
    assert bench.run() == [Settled("t1") if end == "settle" else Reversed("t1")]


def test_a_refund_that_failed_is_not_called_one(bench: Bench) -> None:
    bench.approved()
    bench.interface.refund_fails = True
    for _ in range(3):
        bench.terminal.reverse("t1")
        assert bench.run() == []
    assert bench.interface.state == "IDLE"
    assert bench.interface.charged
