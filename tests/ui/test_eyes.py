"""What the camera tells the sale about whoever pays for something with a minimum age."""

from __future__ import annotations

import pytest

from kiosk.ui.eyes import Eyes
from kiosk.vending.age_check import AgePolicy
from kiosk.vending.simulated_terminal import Behaviour as Pay
from kiosk.vending.state import Phase
from tests.ui.conftest import FakeVision, make_face
from tests.vending.rig import BEER, WATER, Rig


@pytest.mark.parametrize(("slot", "phase"), [(BEER, Phase.DECLINED), (WATER, Phase.PAYING)])
def test_a_payment_ends_with_the_face_that_passed_for_it(slot: str, phase: Phase) -> None:
    rig, vision = Rig(), FakeVision()
    eyes = Eyes(vision, rig.shop, AgePolicy(automatic_pass=True), gone_after=12)
    rig.terminal.otherwise = Pay.WAIT
    rig.buy(slot)
    if slot == BEER:
        rig.shop.age_checked(rig.shop.snapshot.sale, passed=True)

    def go(seconds: int, *faces: object) -> None:
        for _ in range(seconds * 10):
            vision.see(*faces)  # type: ignore[arg-type]
            eyes.judge(vision.poll(), rig.shop.snapshot, rig.now)
            rig.after(0.1)

    go(1, make_face())
    go(20)
    assert rig.phase is Phase.PAYING
    assert eyes.seconds_left(rig.shop.snapshot, rig.now) is None  # eyes are on the reader: nobody is asked
    go(4)
    assert rig.phase is phase
    assert rig.held == 0
