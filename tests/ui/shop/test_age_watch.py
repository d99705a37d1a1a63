"""The age check of the sale in front, as the window runs it."""

from __future__ import annotations

from kiosk.config import AgeCheckConfig
from kiosk.ui.shop.age_watch import BLIND_FOR, AgeCheckRunner
from tests.fakes.sale_rig import BEER, Rig


def test_a_check_that_may_not_pass_is_told_at_once_and_once() -> None:
    rig = Rig()
    rig.buy(BEER)
    watch = AgeCheckRunner(AgeCheckConfig(automatic_pass=False))
    watch.follow(rig.shop.snapshot, rig.now)
    assert watch.observe([], rig.now) == (rig.shop.snapshot.sale, False)
    assert watch.observe([], rig.now) is None


def test_a_check_that_runs_out_of_time_is_told_once() -> None:
    rig = Rig()
    rig.buy(BEER)
    policy = AgeCheckConfig(automatic_pass=True)
    watch = AgeCheckRunner(policy)
    watch.follow(rig.shop.snapshot, rig.now)
    assert watch.observe([], rig.now) is None
    later = rig.now + policy.time_out
    assert watch.observe([], later) == (rig.shop.snapshot.sale, False)
    assert watch.observe([], later) is None


def test_nobody_waits_long_for_a_camera_that_is_away() -> None:
    rig = Rig()
    rig.buy(BEER)
    watch = AgeCheckRunner(AgeCheckConfig(automatic_pass=True))
    watch.follow(rig.shop.snapshot, rig.now)
    assert watch.observe([], rig.now, blind=True) is None
    assert watch.observe([], rig.now + 1, blind=False) is None, "it was back"
    assert watch.observe([], rig.now + 2, blind=True) is None
    assert watch.observe([], rig.now + 2 + BLIND_FOR, blind=True) == (rig.shop.snapshot.sale, False)
    assert watch.observe([], rig.now + 9, blind=True) is None, "told once"
