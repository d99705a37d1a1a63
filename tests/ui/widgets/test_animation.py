from __future__ import annotations

import pytest

from kiosk.estimate import Observation
from kiosk.ui.widgets.animation import Pace, ease, steady


def test_easing_arrives_and_stays() -> None:
    value = 0.0
    for _ in range(100):
        before, value = value, ease(value, 10.0, 0.03, 0.1, near=0.01)
        assert before <= value <= 10.0
    assert value == 10.0
    assert ease(10.0, 10.0, 0.03, 0.1, near=0.01) == 10.0


def test_easing_does_not_depend_on_the_size_of_the_steps() -> None:
    twice = ease(ease(0.0, 1.0, 0.02, 0.1, near=0.0), 1.0, 0.02, 0.1, near=0.0)
    assert twice == pytest.approx(ease(0.0, 1.0, 0.04, 0.1, near=0.0))


@pytest.mark.parametrize(
    ("shown", "value", "expected"), [(None, 34.4, 34), (34, 34.6, 34), (34, 34.8, 35), (34, 33.2, 33)]
)
def test_a_number_does_not_flicker(shown: int | None, value: float, expected: int) -> None:
    assert steady(shown, value) == expected


def test_pace_is_that_of_the_last_second() -> None:
    pace = Pace()
    assert pace.fps is None
    assert pace.latency_ms is None
    for frame in range(20):
        pace.add(Observation(frame * 0.5, frame, 900.0))
    for frame in range(51):
        pace.add(Observation(20 + frame * 0.04, frame, 30.0 + frame % 2))
    assert pace.fps == pytest.approx(25)
    assert pace.latency_ms == pytest.approx(30.5, abs=0.1)


def test_pace_starts_anew_with_a_new_vision_process() -> None:
    pace = Pace()
    pace.add(Observation(100.0, 9, 30.0))
    pace.add(Observation(0.5, 0, 40.0))
    assert pace.fps is None
    assert pace.latency_ms == 40.0


def test_a_slow_source_still_has_a_pace() -> None:
    pace = Pace()
    for frame in range(4):
        pace.add(Observation(frame * 3.0, frame, 30.0))
    assert pace.fps == pytest.approx(1 / 3)
