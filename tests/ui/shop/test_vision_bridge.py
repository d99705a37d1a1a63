"""What the camera tells the sale about whoever pays for something with a minimum age."""

from __future__ import annotations

import pytest

from kiosk.config import AgeCheckConfig
from kiosk.ui.shop.presence import VISIT_OVER
from kiosk.ui.shop.vision_bridge import VisionBridge
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.sale.events import Cancel
from kiosk.vending.sale.state import Phase
from kiosk.vision.process.messages import VisionState
from tests.fakes.sale_rig import BEER, WATER, Rig
from tests.ui.conftest import FakeVision, make_face


@pytest.mark.parametrize(("slot", "phase"), [(BEER, Phase.DECLINED), (WATER, Phase.PAYING)])
def test_a_payment_ends_with_the_face_that_passed_for_it(slot: str, phase: Phase) -> None:
    rig, vision = Rig(), FakeVision()
    bridge = VisionBridge(vision, rig.shop, AgeCheckConfig(automatic_pass=True), gone_after=12)
    rig.terminal.otherwise = Pay.WAIT
    rig.buy(slot)
    if slot == BEER:
        rig.shop.age_checked(rig.shop.snapshot.sale, passed=True)

    def go(seconds: int, *faces: object) -> None:
        for _ in range(seconds * 10):
            vision.see(*faces)  # type: ignore[arg-type]
            bridge.judge(vision.poll(), rig.shop.snapshot, rig.now)
            rig.after(0.1)

    go(1, make_face())
    go(20)
    assert rig.phase is Phase.PAYING
    assert bridge.seconds_left(rig.shop.snapshot, rig.now) is None  # eyes are on the reader: nobody is asked
    go(4)
    assert rig.phase is phase
    assert rig.held == 0


class Street:
    """People come and go before a machine whose camera sees ten pictures a second."""

    def __init__(self) -> None:
        self.rig, self.vision = Rig(), FakeVision()
        self.bridge = VisionBridge(self.vision, self.rig.shop, AgeCheckConfig(automatic_pass=True), gone_after=12)

    def somebody_cancels_a_check(self) -> None:
        self.rig.buy(BEER)
        self.go(1, make_face())
        assert self.rig.phase is Phase.AGE_CHECK
        self.rig.shop.touch(Cancel())
        self.bridge.forget()

    def go(self, seconds: float, *faces: object, sees: bool = True) -> None:
        for _ in range(round(seconds * 10)):
            if sees:
                self.vision.see(*faces)  # type: ignore[arg-type]
            self.bridge.judge(self.vision.poll(), self.rig.shop.snapshot, self.rig.now)
            self.rig.after(0.1)

    def checked_again(self) -> bool:
        self.rig.buy(BEER)
        return self.rig.phase is Phase.AGE_CHECK


def test_a_visit_ends_when_nobody_has_been_there_for_a_while() -> None:
    street = Street()
    street.somebody_cancels_a_check()
    street.go(VISIT_OVER + 1)
    assert street.checked_again()


def test_who_stays_and_begins_again_gets_no_second_check() -> None:
    street = Street()
    street.somebody_cancels_a_check()
    for _ in range(5):
        street.go(VISIT_OVER - 1)
        street.go(0.1, make_face())
    assert not street.checked_again()


def test_a_finger_without_a_face_is_somebody() -> None:
    street = Street()
    street.somebody_cancels_a_check()
    for _ in range(5):
        street.go(VISIT_OVER - 1)
        street.bridge.touched(street.rig.now)
    assert not street.checked_again()


@pytest.mark.parametrize("state", [VisionState.NO_CAMERA, VisionState.RESTARTING, VisionState.RUNNING])
def test_a_camera_that_shows_nothing_ends_no_visit(state: VisionState) -> None:
    street = Street()
    street.somebody_cancels_a_check()
    street.go(1)
    street.vision.state = state
    street.go(60, sees=False)
    street.vision.state = VisionState.RUNNING
    assert not street.checked_again()
    street.rig.shop.touch(Cancel())
    street.bridge.forget()
    street.go(VISIT_OVER + 1)
    assert street.checked_again()
