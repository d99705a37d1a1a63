"""Sales over lines that lose, double, cut, glue and hold what they carry, with devices that fail at any instant.

What is checked is the world outside: what the reader charged, and which motors turned.
`HYPOTHESIS_EXAMPLES=5000 pytest tests/vending/test_serial_any_order.py` looks for longer, and at random.
"""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kiosk.vending.events import Back, Cancel, Choose, Continue, Start
from kiosk.vending.facts import PaymentApproved, PaymentReversed, PaymentSettled, VendSucceeded, VendUnknown
from tests.vending.emulators.wire import Fate
from tests.vending.rig import WATER
from tests.vending.serial_rig import SerialRig

LINES = st.sampled_from(["payment_line", "dispenser_line"])


class AnyOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.rig = SerialRig(Path(self.folder.name))
        self.rig.run(2)

    @rule(
        reader=st.sampled_from(["approve", "approve", "deny", "wait"]),
        board=st.sampled_from(["drop", "drop", "jam", "wait"]),
        seconds=st.sampled_from([0, 0.1, 0.2, 0.3, 0.5, 1, 3]),
    )
    def customer_buys(self, reader: str, board: str, seconds: float) -> None:
        self.rig.interface.otherwise, self.rig.board.otherwise = reader, board  # type: ignore[assignment]
        for touch in (Start(camera=False), Choose(WATER), Continue()):
            self.rig.shop.touch(touch)
        self.rig.run(seconds)

    @rule(touch=st.sampled_from([Cancel(), Back(), Continue()]))
    def customer_touches(self, touch: Cancel | Back | Continue) -> None:
        self.rig.shop.touch(touch)

    @rule(seconds=st.sampled_from([0.1, 0.1, 0.2, 0.3, 1, 2, 7, 50]))
    def time_passes(self, seconds: float) -> None:
        self.rig.run(seconds)

    @rule(line=LINES, fates=st.lists(st.sampled_from(get_args(Fate)), min_size=1, max_size=12))
    def line_is_bad(self, line: str, fates: list[Fate]) -> None:
        getattr(self.rig, line).fates.extend(fates)

    @rule(line=LINES, held=st.booleans())
    def line_is_slow(self, line: str, held: bool) -> None:
        getattr(self.rig, line).held = held

    @rule(line=LINES, plugged=st.sampled_from([True, True, False]))
    def line_is_plugged(self, line: str, plugged: bool) -> None:
        (getattr(self.rig, line).plug if plugged else getattr(self.rig, line).unplug)()

    @rule(
        what=st.sampled_from(["approve", "deny", "give_up", "show_card", "lose_power", "unplug_reader", "plug_reader"])
    )
    def reader_does(self, what: str) -> None:
        getattr(self.rig.interface, what)()

    @rule(what=st.sampled_from(["drop", "drop", "jam", "miss", "lose_power"]))
    def board_does(self, what: str) -> None:
        getattr(self.rig.board, what)()

    @rule(line=LINES, mute=st.booleans())
    def device_hangs(self, line: str, mute: bool) -> None:
        getattr(self.rig, line).device.mute = mute

    @rule(always_idle=st.booleans())
    def reader_is_set_up(self, always_idle: bool) -> None:
        """Another way round: the card first."""
        self.rig.interface.lose_power()
        self.rig.interface.always_idle = always_idle

    @rule()
    def kiosk_begins_anew(self) -> None:
        self.rig.start()

    # What has to hold

    @invariant()
    def no_motor_turns_twice(self) -> None:
        assert max(self.rig.board.turned.values(), default=0) <= 1

    @invariant()
    def nobody_pays_for_nothing(self) -> None:
        assert sum(vend.charged for vend in self.rig.interface.vends) <= self.rig.dropped

    @invariant()
    def no_approval_is_made_up(self) -> None:
        said = {fact.transaction for fact in self.rig.journal.facts if isinstance(fact, PaymentApproved)}
        assert len(said) <= sum(vend.approved for vend in self.rig.interface.vends)

    @invariant()
    def what_is_settled_is_charged(self) -> None:
        settled = sum(isinstance(fact, PaymentSettled) for fact in self.rig.journal.facts)
        assert settled <= sum(vend.charged for vend in self.rig.interface.vends)

    @invariant()
    def what_is_reversed_is_not_settled(self) -> None:
        facts = self.rig.journal.facts
        reversed_ = {fact.transaction for fact in facts if isinstance(fact, PaymentReversed)}
        assert not reversed_ & {fact.transaction for fact in facts if isinstance(fact, PaymentSettled)}

    def teardown(self) -> None:
        rig = self.rig
        rig.interface.mute = rig.board.mute = False
        rig.interface.plug_reader()
        rig.interface.otherwise = rig.board.otherwise = "wait"
        rig.settle_down()
        rig.interface.give_up()
        rig.settle_down()
        assert rig.interface.open is None
        listed = {each.item for each in rig.shop.snapshot.attention}
        assert set(rig.ledger.transactions) <= listed, "neither acknowledged nor listed"
        assert not rig.shop.snapshot.faults & {"terminal", "dispenser"}
        sold = sum(isinstance(fact, VendSucceeded) for fact in rig.journal.facts)
        charged = sum(vend.charged for vend in rig.interface.vends)
        assert charged <= sold
        assert sold - charged <= len(rig.ledger.transactions), "given away, and on nobody's list"
        doubts = sum(isinstance(fact, VendUnknown) for fact in rig.journal.facts)
        assert rig.dropped - sold <= doubts
        self.folder.cleanup()


EXAMPLES = os.environ.get("HYPOTHESIS_EXAMPLES")

TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=int(EXAMPLES or 60),
    stateful_step_count=40,
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
