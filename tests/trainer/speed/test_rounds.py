"""Tests of the order in which tasks are timed, and of their times."""

from __future__ import annotations

import pytest

from kiosk.inference import EngineError
from tests.fakes.timed import MILLISECOND, Stage
from trainer.speed.rounds import BURST, MAX_RESTS, REST, WARM_UP_CALLS, Task, time_in_rounds


def test_everything_is_warmed_up_before_anything_is_timed() -> None:
    stage = Stage()
    tasks = [Task(lambda name=name: stage.play(name, 100)) for name in "ab"]
    time_in_rounds([[task] for task in tasks], 0, stage.clock)
    assert stage.played[: 2 * WARM_UP_CALLS] == ["a"] * WARM_UP_CALLS + ["b"] * WARM_UP_CALLS
    assert [len(task.times) for task in tasks] == [1, 1]


def test_rounds_are_repeated_while_another_ends_in_time_and_each_starts_with_another_group() -> None:
    stage = Stage()
    groups = [
        [Task(lambda: stage.play("a1", 100)), Task(lambda: stage.play("a2", 100))],
        [Task(lambda: stage.play("b", 100))],
    ]
    one_round = 3 * 2 * 0.1 + 2 * REST
    rounds = time_in_rounds(groups, WARM_UP_CALLS * 0.3 + 3.5 * one_round, stage.clock)
    assert rounds == 3
    first, second = ["rest", "a1", "a1", "a2", "a2"], ["rest", "b", "b"]
    assert stage.played[3 * WARM_UP_CALLS :] == [*first, *second, *second, *first, *first, *second]


def test_a_machine_that_slows_down_slows_all_tasks_alike() -> None:
    stage = Stage()
    slowness = [1.0]

    def drifting() -> None:
        stage.play("x", slowness[0])
        slowness[0] *= 1.0005

    one, other = Task(drifting), Task(drifting)
    time_in_rounds([[one], [other]], 20, stage.clock)
    assert slowness[0] > 5
    assert one.median / other.median == pytest.approx(1, abs=0.1)


def test_the_first_call_of_a_burst_is_not_timed() -> None:
    stage = Stage()
    task = Task(lambda: stage.play("x", 10, cores=1.5))
    time_in_rounds([[task]], 0, stage.clock)
    assert task.times == [10 * MILLISECOND] * round(BURST / 0.010)
    assert len(stage.played) == WARM_UP_CALLS + 1 + 1 + len(task.times)


def test_the_next_group_starts_when_threads_no_longer_spin() -> None:
    stage = Stage()

    def product() -> None:
        stage.play("product", 100)
        stage.spinning = round(3.5 * REST * 1e9)

    time_in_rounds([[Task(product)], [Task(lambda: stage.play("engine", 100))]], 0, stage.clock)
    last = len(stage.played) - stage.played[::-1].index("product")
    assert stage.played[last:] == ["rest"] * 5 + ["engine"] * 2


def test_a_process_that_is_never_idle_is_waited_for_only_so_often() -> None:
    stage = Stage(spinning=10**15)
    time_in_rounds([[Task(lambda: stage.play("x", 100))]], 0, stage.clock)
    assert stage.played.count("rest") == MAX_RESTS


def test_median_and_95th_percentile() -> None:
    task = Task(lambda: None)
    task.times = [milliseconds * MILLISECOND for milliseconds in range(101)]
    assert (task.median, task.p95) == (pytest.approx(0.050), pytest.approx(0.095))


@pytest.mark.parametrize("calls_before", [0, WARM_UP_CALLS, WARM_UP_CALLS + 3])
def test_a_task_that_fails_is_not_run_again_and_has_no_times(calls_before: int) -> None:
    stage = Stage()
    calls = [0]

    def failing() -> None:
        calls[0] += 1
        if calls[0] > calls_before:
            raise EngineError("the GPU was lost")
        stage.play("x", 100)

    task, whole = Task(failing), Task(lambda: stage.play("y", 100))
    assert time_in_rounds([[task], [whole]], 10, stage.clock) > 3
    assert (task.failure, task.times) == ("the GPU was lost", [])
    assert calls[0] == calls_before + 1
    assert whole.times
