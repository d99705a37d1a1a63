"""Times several tasks in rounds, so that a machine whose speed drifts slows all of them alike.

Each round runs every task once, in a short burst of calls, and starts with another task than the round before. Single
calls in turn would find the caches full of another network's weights. One task after the other, each for its whole
time, would give the last one a warmer or busier machine than the first.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.inference import EngineError

WARM_UP_CALLS = 3
"""Calls of every task before the first round: memory is allocated, and a GPU's code is loaded and selected."""

BURST = 0.05
"""Seconds that one task is timed before the next one; a longer call is timed once."""

REST = 0.02
"""Seconds of rest between two groups, repeated until this process is idle.

OpenBLAS's threads spin for about 0.1 s after their work is done, on cores that the next task needs."""

MAX_RESTS = 25
"""After so many rests the next group starts in any case."""

_IDLE = 0.05
"""Of one core: a process that uses less is idle."""

_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Clock:
    """The sources of time, which tests replace."""

    now: Callable[[], int] = time.perf_counter_ns
    """Returns nanoseconds; never goes back."""
    busy: Callable[[], int] = time.process_time_ns
    """Returns the nanoseconds of processor time that all threads of this process have used."""
    sleep: Callable[[float], None] = time.sleep


class Task:
    """One function to time, and the times of its calls."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.run = run
        self.failure: str | None = None
        """Why it cannot run; it then has no times."""
        self.times: list[int] = []
        """Nanoseconds of each call."""

    @property
    def median(self) -> float:
        """Median of a call, in seconds."""
        return float(np.median(self.times)) / _SECOND

    @property
    def p95(self) -> float:
        """95th percentile of a call, in seconds."""
        return float(np.percentile(self.times, 95)) / _SECOND


def time_in_rounds(groups: Sequence[Sequence[Task]], seconds: float, clock: Clock) -> int:
    """Times all tasks for about `seconds`, warm-up included, in at least one round. Returns the number of rounds.

    The tasks of a group run directly after each other. A task that raises `EngineError` is not run again.
    """
    deadline = clock.now() + seconds * _SECOND
    for group in groups:
        for task in group:
            _warm_up(task)
    rounds = 0
    while True:
        started = clock.now()
        first = rounds % len(groups)
        for group in (*groups[first:], *groups[:first]):
            _wait_until_idle(clock)
            for task in group:
                _time_burst(task, clock)
        rounds += 1
        if 2 * clock.now() - started > deadline:  # another round of this length would end too late
            return rounds


def _warm_up(task: Task) -> None:
    try:
        for _ in range(WARM_UP_CALLS):
            task.run()
    except EngineError as error:
        task.failure = str(error)


def _wait_until_idle(clock: Clock) -> None:
    for _ in range(MAX_RESTS):
        busy = clock.busy()
        clock.sleep(REST)
        if clock.busy() - busy < _IDLE * REST * _SECOND:
            return


def _time_burst(task: Task, clock: Clock) -> None:
    if task.failure is not None:
        return
    times: list[int] = []
    try:
        task.run()  # not timed: its weights have left the caches since its last burst
        before = started = clock.now()
        while not times or before - started < BURST * _SECOND:
            task.run()
            after = clock.now()
            times.append(after - before)
            before = after
        task.times += times
    except EngineError as error:
        task.failure = str(error)
        task.times.clear()
