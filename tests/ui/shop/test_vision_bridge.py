"""The link between vision and the sale: age checks, customers who leave, and the end of a visit."""

from __future__ import annotations

import pytest

from kiosk.config import AgeCheckConfig
from kiosk.ui.shop.presence import VISIT_OVER
from kiosk.ui.shop.vision_bridge import NO_PICTURE_TIMEOUT, AgeCheckRunner, VisionBridge
from kiosk.vending.devices.simulated.terminal import Behaviour as Pay
from kiosk.vending.sale.events import Cancel
from kiosk.vending.sale.state import Phase
from kiosk.vision.process.messages import VisionState
from tests.fakes.sale_rig import BEER, WATER, Rig
from tests.fakes.ui import FakeVision, make_face


@pytest.mark.parametrize(("slot", "phase"), [(BEER, Phase.DECLINED), (WATER, Phase.PAYING)])
def test_a_payment_ends_with_the_face_that_passed_for_it(slot: str, phase: Phase) -> None:
    rig, vision = Rig(), FakeVision()
    bridge = VisionBridge(vision, rig.shop, AgeCheckConfig(automatic_pass=True), gone_after=12)
    rig.terminal.default = Pay.WAIT
    rig.buy(slot)
    if slot == BEER:
        rig.shop.report_age_check(rig.shop.snapshot.sale, passed=True)

    def go(seconds: int, *faces: object) -> None:
        for _ in range(seconds * 10):
            vision.see(*faces)  # type: ignore[arg-type]
            bridge.process(vision.poll(), rig.shop.snapshot, rig.now)
            rig.after(0.1)

    go(1, make_face())
    go(20)
    assert rig.phase is Phase.PAYING
    assert bridge.seconds_left(rig.shop.snapshot, rig.now) is None  # the customer looks at the reader and is not asked
    go(4)
    assert rig.phase is phase
    assert rig.held == 0


class Passers:
    """People come and go in front of a machine whose camera takes ten pictures per second."""

    def __init__(self) -> None:
        self.rig, self.vision = Rig(), FakeVision()
        self.bridge = VisionBridge(self.vision, self.rig.shop, AgeCheckConfig(automatic_pass=True), gone_after=12)

    def cancel_a_check(self) -> None:
        self.rig.buy(BEER)
        self.go(1, make_face())
        assert self.rig.phase is Phase.AGE_CHECK
        self.rig.shop.touch(Cancel())
        self.bridge.forget()

    def go(self, seconds: float, *faces: object, sees: bool = True) -> None:
        for _ in range(round(seconds * 10)):
            if sees:
                self.vision.see(*faces)  # type: ignore[arg-type]
            self.bridge.process(self.vision.poll(), self.rig.shop.snapshot, self.rig.now)
            self.rig.after(0.1)

    def is_checked_again(self) -> bool:
        self.rig.buy(BEER)
        return self.rig.phase is Phase.AGE_CHECK


def test_a_visit_ends_after_a_while_without_anybody() -> None:
    passers = Passers()
    passers.cancel_a_check()
    passers.go(VISIT_OVER + 1)
    assert passers.is_checked_again()


def test_a_visitor_who_stays_gets_no_second_check() -> None:
    passers = Passers()
    passers.cancel_a_check()
    for _ in range(5):
        passers.go(VISIT_OVER - 1)
        passers.go(0.1, make_face())
    assert not passers.is_checked_again()


def test_a_touch_without_a_face_keeps_the_visit() -> None:
    passers = Passers()
    passers.cancel_a_check()
    for _ in range(5):
        passers.go(VISIT_OVER - 1)
        passers.bridge.record_touch(passers.rig.now)
    assert not passers.is_checked_again()


@pytest.mark.parametrize("state", [VisionState.NO_CAMERA, VisionState.RESTARTING, VisionState.RUNNING])
def test_a_camera_that_shows_nothing_ends_no_visit(state: VisionState) -> None:
    passers = Passers()
    passers.cancel_a_check()
    passers.go(1)
    passers.vision.state = state
    passers.go(60, sees=False)
    passers.vision.state = VisionState.RUNNING
    assert not passers.is_checked_again()
    passers.rig.shop.touch(Cancel())
    passers.bridge.forget()
    passers.go(VISIT_OVER + 1)
    assert passers.is_checked_again()


# The age check


def test_a_check_that_can_never_pass_is_reported_at_once_and_once() -> None:
    rig = Rig()
    rig.buy(BEER)
    runner = AgeCheckRunner(AgeCheckConfig(automatic_pass=False))
    runner.follow(rig.shop.snapshot, rig.now)
    assert runner.observe([], rig.now) == (rig.shop.snapshot.sale, False)
    assert runner.observe([], rig.now) is None


def test_a_check_that_times_out_is_reported_once() -> None:
    rig = Rig()
    rig.buy(BEER)
    policy = AgeCheckConfig(automatic_pass=True)
    runner = AgeCheckRunner(policy)
    runner.follow(rig.shop.snapshot, rig.now)
    assert runner.observe([], rig.now) is None
    later = rig.now + policy.time_out
    assert runner.observe([], later) == (rig.shop.snapshot.sale, False)
    assert runner.observe([], later) is None


def test_a_check_without_a_camera_ends_soon() -> None:
    rig = Rig()
    rig.buy(BEER)
    runner = AgeCheckRunner(AgeCheckConfig(automatic_pass=True))
    runner.follow(rig.shop.snapshot, rig.now)
    assert runner.observe([], rig.now, has_no_camera=True) is None
    assert runner.observe([], rig.now + 1, has_no_camera=False) is None, "the camera was back for a moment"
    assert runner.observe([], rig.now + 2, has_no_camera=True) is None
    assert runner.observe([], rig.now + 2 + NO_PICTURE_TIMEOUT, has_no_camera=True) == (rig.shop.snapshot.sale, False)
    assert runner.observe([], rig.now + 9, has_no_camera=True) is None, "reported once"
