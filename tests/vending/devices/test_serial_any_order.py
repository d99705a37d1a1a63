"""Sales over lines that lose, double, cut, join and delay what they carry, with devices that fail at any instant.

What is checked is the world outside: what the reader charged, which motors turned, and what fell.
`HYPOTHESIS_EXAMPLES=5000 pytest tests/vending/devices/test_serial_any_order.py` looks for longer, and at random.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.vending.journal.facts import (
    PaymentApproved,
    PaymentDeclined,
    PaymentReversed,
    PaymentSettled,
    VendSucceeded,
    VendUnknown,
)
from kiosk.vending.sale.events import Cancel, Choose, Continue, SetStock, Settle, Start
from kiosk.vending.sale.state import Phase
from tests.fakes.sale_rig import WATER
from tests.fakes.serial_rig import STEP, SerialRig
from tests.fakes.wire import Fate

MISHAPS: dict[str, Callable[[SerialRig], object]] = {
    "reader unplugged": lambda rig: rig.payment_line.unplug(),
    "reader plugged": lambda rig: rig.payment_line.plug(),
    "reader line held": lambda rig: setattr(rig.payment_line, "held", True),
    "reader line goes on": lambda rig: setattr(rig.payment_line, "held", False),
    "reader loses power": lambda rig: rig.interface.lose_power(),
    "reader gives up": lambda rig: rig.interface.give_up(),
    "reader takes its approval back": lambda rig: rig.interface.take_back(),
    "reader is slow": lambda rig: setattr(rig.interface, "is_slow", True),
    "reader ends late": lambda rig: setattr(rig.interface, "ends_late", True),
    "reader has ended": lambda rig: rig.interface.end_now(),
    "reader approves": lambda rig: rig.interface.approve(),
    "reader leaves the bus": lambda rig: rig.interface.unplug_reader(),
    "interface hangs": lambda rig: setattr(rig.interface, "mute", True),
    "card": lambda rig: rig.interface.show_card(),
    "board unplugged": lambda rig: rig.dispenser_line.unplug(),
    "board plugged": lambda rig: rig.dispenser_line.plug(),
    "board line held": lambda rig: setattr(rig.dispenser_line, "held", True),
    "board line goes on": lambda rig: setattr(rig.dispenser_line, "held", False),
    "board loses power": lambda rig: rig.board.lose_power(),
    "product falls": lambda rig: rig.board.drop(),
    "motor jams": lambda rig: rig.board.jam(),
    "kiosk restarts": lambda rig: rig.start(),
    "all lose power": lambda rig: (rig.interface.lose_power(), rig.board.lose_power(), rig.start()),
    "customer cancels": lambda rig: rig.shop.touch(Cancel()),
    "customer tries again": lambda rig: rig.shop.touch(Continue()),
    "long time": lambda rig: rig.run(95),
}
FATES = st.lists(st.sampled_from(["whole", "whole", "whole", *get_args(Fate)]), max_size=16)


@dataclass(frozen=True)
class Visit:
    """A customer and the mishaps of the visit. Each comes some steps after the one before, or once a line was sent."""

    reader: Literal["approve", "deny", "wait"]
    board: Literal["drop", "jam", "wait"]
    reader_fates: list[Fate]
    board_fates: list[Fate]
    mishaps: list[tuple[int | str, str]]


VISITS = st.builds(
    Visit,
    st.sampled_from(["approve", "approve", "approve", "deny", "wait"]),
    st.sampled_from(["drop", "drop", "drop", "jam", "wait"]),
    FATES,
    FATES,
    st.lists(
        st.tuples(
            st.integers(0, 16) | st.sampled_from(["D,REQ", "D,REQ,-1", "D,END", "D,END", "D,END,-1", "VEND"]),
            st.sampled_from(sorted(MISHAPS)),
        ),
        max_size=4,
    ),
)
EXAMPLES = os.environ.get("HYPOTHESIS_EXAMPLES")


@pytest.mark.parametrize("mishap", sorted(MISHAPS))
@pytest.mark.parametrize(
    ("board", "when"), [("drop", "D,REQ"), ("drop", "VEND"), ("drop", "D,END"), ("jam", "D,END,-1")]
)
def test_a_mishap_just_when_a_command_is_on_its_way(
    tmp_path: Path, board: Literal["drop", "jam"], when: str, mishap: str
) -> None:
    rig = SerialRig(tmp_path)
    put_in_order(rig)
    come(rig, Visit("approve", board, [], [], [(when, mishap)]))
    check_the_end(rig, put_in_order(rig))


@settings(
    max_examples=int(EXAMPLES or 60),
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
@given(always_idle=st.sampled_from([True, True, True, False]), visits=st.lists(VISITS, min_size=1, max_size=4))
def test_nobody_pays_for_nothing_whatever_happens(always_idle: bool, visits: list[Visit]) -> None:
    with TemporaryDirectory() as folder:
        rig = SerialRig(Path(folder))
        rig.interface.always_idle = always_idle
        by_hand = put_in_order(rig)
        for visit in visits:
            come(rig, visit)
            by_hand += put_in_order(rig)
        check_the_end(rig, by_hand)


def come(rig: SerialRig, visit: Visit) -> None:
    rig.interface.default, rig.board.default = visit.reader, visit.board
    rig.payment_line.fates.extend(visit.reader_fates)
    rig.dispenser_line.fates.extend(visit.board_fates)
    for touch in (Start(camera=False), Choose(WATER), Continue()):
        rig.shop.touch(touch)
    if not rig.interface.always_idle:
        rig.run(0.7)
        rig.interface.show_card()
    sent = rig.payment_line.sent, rig.dispenser_line.sent
    for when, mishap in visit.mishaps:
        before = [len(lines) for lines in sent]
        for _ in range(when if isinstance(when, int) else 30):
            fresh = [line for lines, count in zip(sent, before, strict=True) for line in lines[count:]]
            if isinstance(when, str) and any(line.startswith(when) for line in fresh):
                break
            rig.run(STEP)
            check(rig)
        MISHAPS[mishap](rig)
    rig.run(2)
    check(rig)


def put_in_order(rig: SerialRig) -> int:
    """Plugs everything in, and returns how many payments the operator then settles by hand."""
    rig.interface.mute = rig.board.mute = rig.interface.is_slow = False
    rig.interface.end_now()
    rig.interface.plug_reader()
    rig.interface.default = rig.board.default = "wait"
    rig.settle_down()
    rig.interface.give_up()
    rig.run(70)
    check(rig)
    listed = [each.item for each in rig.shop.snapshot.attention if each.kind == "unsettled"]
    assert set(rig.ledger.transactions) == set(listed), "neither acknowledged nor listed"
    for item in listed:
        rig.shop.operate(Settle(item))
    rig.shop.operate(SetStock(WATER, 5, "refill"))
    rig.run(1)
    assert rig.phase is Phase.ATTRACT, rig.shop.snapshot
    assert rig.interface.open is None
    return len(listed)


def check(rig: SerialRig) -> None:
    facts, vends = rig.journal.facts, rig.interface.vends
    charged = sum(vend.charged for vend in vends)
    assert max(rig.board.turned.values(), default=0) <= 1, "a motor turned twice"
    assert charged <= sum(isinstance(fact, VendSucceeded) for fact in facts), "paid for nothing"
    approved = {fact.transaction for fact in facts if isinstance(fact, PaymentApproved)}
    assert len(approved) <= sum(vend.approved for vend in vends), "an approval was made up"
    settled = {fact.transaction for fact in facts if isinstance(fact, PaymentSettled)}
    # where the refusal of D,END is lost, nobody can know that the reader had given up (docs/hardware.md)
    unknowable = sum("ERR" in line for line in rig.payment_line.spoilt)
    assert len(settled) <= charged + unknowable, "called settled, and not charged"
    ended = {fact.transaction for fact in facts if isinstance(fact, (PaymentReversed, PaymentDeclined))}
    assert not settled & ended


def check_the_end(rig: SerialRig, by_hand: int) -> None:
    facts = rig.journal.facts
    sold = sum(isinstance(fact, VendSucceeded) for fact in facts)
    assert sold - sum(vend.charged for vend in rig.interface.vends) <= by_hand, "given away, and on nobody's list"
    doubts = sum(isinstance(fact, VendUnknown) for fact in facts)
    assert sold <= rig.dropped <= sold + doubts, "fell, and nobody knows"
