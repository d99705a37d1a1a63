"""When a customer counts as gone, and the hidden gesture."""

from __future__ import annotations

from kiosk.ui.shop.presence import Presence, SecretTaps


def test_a_customer_who_was_seen_is_missed_after_a_while() -> None:
    presence = Presence(gone_after=10)
    presence.record_face(100.0)
    assert presence.seconds_left(109.9) is None
    assert presence.seconds_left(110.0) == 10.0
    assert presence.seconds_left(115.0) == 5.0
    assert presence.seconds_left(200.0) == 0.0


def test_a_touch_or_a_face_shows_presence() -> None:
    presence = Presence(gone_after=10)
    presence.record_face(100.0)
    presence.record_touch(112.0)
    assert presence.seconds_left(121.0) is None
    presence.record_face(125.0)
    assert presence.seconds_left(130.0) is None


def test_a_customer_whom_the_camera_never_saw_is_not_missed() -> None:
    presence = Presence(gone_after=10)
    presence.record_touch(100.0)
    assert presence.seconds_left(500.0) is None
    presence.record_face(500.0)
    presence.forget()
    assert presence.seconds_left(900.0) is None


def test_five_quick_taps() -> None:
    taps = SecretTaps()
    assert [taps.tap(now) for now in (0.0, 0.5, 1.0, 1.5, 2.0)] == [False, False, False, False, True]
    assert not taps.tap(2.1), "the sixth tap starts a new count"


def test_slow_taps_do_not_count() -> None:
    taps = SecretTaps()
    assert not any(taps.tap(float(now)) for now in range(20))


def test_a_touch_elsewhere_restarts_the_count() -> None:
    taps = SecretTaps()
    for now in (0.0, 0.1, 0.2, 0.3):
        taps.tap(now)
    taps.clear()
    assert not taps.tap(0.4)
