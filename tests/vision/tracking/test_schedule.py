from __future__ import annotations

import pytest

from kiosk.vision.tracking.schedule import CALL_INTERVAL, FIRST_CALLS, IDLE_AFTER, IDLE_EVERY, EngineCalls, Schedule


@pytest.mark.parametrize("rate", [10.0, 12.5, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("parts", [1, 3, 6, 12])
def test_every_part_has_its_turn_within_half_a_second(rate: float, parts: int) -> None:
    schedule = Schedule()
    last = dict.fromkeys(range(parts), 0.0)
    for index in range(int(5 * rate)):
        time = index / rate
        detecting = schedule.detection_due(time, in_view=True)
        if detecting:
            schedule.record_detection(time, alive=True)
        for part in schedule.tiles_due(time, parts, detecting=detecting):
            last[part] = time
        assert all(time - before <= 0.5 + 1e-6 for before in last.values())


def test_after_a_pause_no_parts_are_made_up_for() -> None:
    schedule = Schedule()
    assert schedule.tiles_due(0.0, 6, detecting=False) == [0]
    assert len(schedule.tiles_due(100.0, 6, detecting=False)) == 1


def test_a_lost_face_brings_on_a_detection_but_not_in_every_frame() -> None:
    schedule = Schedule()
    schedule.record_detection(0.0, alive=True)
    assert not schedule.detection_due(1 / 30, in_view=True, lost=True)
    assert schedule.detection_due(2 / 30, in_view=True, lost=True)
    assert not schedule.detection_due(2 / 30, in_view=True)


def test_idle_begins_after_quiet_and_ends_with_the_first_sign() -> None:
    schedule = Schedule()
    schedule.record_detection(0.0, alive=False)
    schedule.record_detection(IDLE_AFTER - 0.1, alive=False)
    assert not schedule.idle
    schedule.record_detection(IDLE_AFTER, alive=False)
    assert schedule.idle
    assert not schedule.detection_due(IDLE_AFTER + IDLE_EVERY - 0.01, in_view=False)
    assert schedule.detection_due(IDLE_AFTER + IDLE_EVERY, in_view=False)
    assert schedule.tiles_due(IDLE_AFTER + IDLE_EVERY, 6, detecting=False) == []
    schedule.record_detection(IDLE_AFTER + IDLE_EVERY, alive=True)
    assert not schedule.idle


def test_a_frame_due_at_a_sum_of_fractions_is_due() -> None:
    schedule = Schedule()
    schedule.record_detection(0.7, alive=False)
    assert schedule.detection_due(0.7 + 0.1 - 1e-12, in_view=False)


def test_the_engine_is_asked_at_once_and_then_now_and_then() -> None:
    asked = EngineCalls()
    for index in range(FIRST_CALLS):
        assert asked.is_due(index / 30)
        asked.record(index / 30)
    last = (FIRST_CALLS - 1) / 30
    assert not asked.is_due(last + CALL_INTERVAL / 2)
    assert asked.is_due(last + CALL_INTERVAL)
