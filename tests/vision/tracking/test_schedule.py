from __future__ import annotations

import pytest

from kiosk.vision.tracking.schedule import CALL_INTERVAL, FIRST_CALLS, IDLE_AFTER, IDLE_EVERY, EngineCalls, Schedule


@pytest.mark.parametrize("rate", [10.0, 12.5, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("tiles", [1, 3, 6, 12])
def test_every_tile_is_due_within_half_a_second(rate: float, tiles: int) -> None:
    schedule = Schedule()
    last = dict.fromkeys(range(tiles), 0.0)
    for index in range(int(5 * rate)):
        time = index / rate
        detecting = schedule.detection_due(time, in_view=True)
        if detecting:
            schedule.record_detection(time, alive=True)
        for tile in schedule.tiles_due(time, tiles, detecting=detecting):
            last[tile] = time
        assert all(time - before <= 0.5 + 1e-6 for before in last.values())


def test_tiles_missed_in_a_pause_are_not_caught_up() -> None:
    schedule = Schedule()
    assert schedule.tiles_due(0.0, 6, detecting=False) == [0]
    assert len(schedule.tiles_due(100.0, 6, detecting=False)) == 1


def test_lost_face_causes_a_detection_but_not_in_every_frame() -> None:
    schedule = Schedule()
    schedule.record_detection(0.0, alive=True)
    assert not schedule.detection_due(1 / 30, in_view=True, lost=True)
    assert schedule.detection_due(2 / 30, in_view=True, lost=True)
    assert not schedule.detection_due(2 / 30, in_view=True)


def test_idle_starts_after_quiet_time_and_ends_with_a_face_or_movement() -> None:
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


def test_rounding_does_not_delay_a_due_frame() -> None:
    schedule = Schedule()
    schedule.record_detection(0.7, alive=False)
    assert schedule.detection_due(0.7 + 0.1 - 1e-12, in_view=False)


def test_engine_calls_are_due_at_first_always_and_then_at_intervals() -> None:
    calls = EngineCalls()
    for index in range(FIRST_CALLS):
        assert calls.is_due(index / 30)
        calls.record(index / 30)
    last = (FIRST_CALLS - 1) / 30
    assert not calls.is_due(last + CALL_INTERVAL / 2)
    assert calls.is_due(last + CALL_INTERVAL)
