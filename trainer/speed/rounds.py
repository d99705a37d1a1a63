"""Timing several things in turns, so that a machine that drifts slows all alike.

Every round measures everything once, each in a short burst of calls, and begins with another. Single calls in
turn would find the caches full of another network's weights; one after the other, each for its whole time, would
give the last a machine that is warmer, or busier, than the first had.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kiosk.inference import EngineError

WARM_UP = 3
"""Calls of everything before the first round: memory is laid out, a GPU's code is loaded and chosen."""

BURST = 0.05
"""Seconds that are timed before it is the next one's turn; a longer call is timed once."""

REST = 0.02
"""Seconds of rest between two groups, and again until this process is quiet: OpenBLAS's threads spin for about a tenth
of a second after their work is done, and OpenMP's for a little, on cores that the next one needs."""

MOST_RESTS = 25
"""Then it goes on all the same."""

_QUIET = 0.05
"""Of one core."""

_SECOND = 1_000_000_000


@dataclass(frozen=True)
class Clock:
    """The time, replaced in tests."""

    now: Callable[[], int] = time.perf_counter_ns
    """Nanoseconds; never goes back."""
    busy: Callable[[], int] = time.process_time_ns
    """Nanoseconds of processor time that all of this process's threads have used."""
    sleep: Callable[[float], None] = time.sleep


class Task:
    """One thing to time, and the times that it took."""

    def __init__(self, run: Callable[[], object]) -> None:
        self.run = run
        self.failure: str | None = None
        """Why it cannot be run; it then has no times."""
        self.times: list[int] = []
        """Nanoseconds of each call."""
        self.busy = 0
        """Nanoseconds of processor time in these calls."""

    @property
    def median(self) -> float:
        """Seconds."""
        return float(np.median(self.times)) / _SECOND

    @property
    def p95(self) -> float:
        """Seconds that 95 % of the calls stay within."""
        return float(np.percentile(self.times, 95)) / _SECOND


def cores(tasks: Sequence[Task]) -> float | None:
    """How many processor cores they kept busy in the mean; None if they never ran."""
    total = sum(sum(task.times) for task in tasks)
    return sum(task.busy for task in tasks) / total if total else None


def take_turns(groups: Sequence[Sequence[Task]], seconds: float, clock: Clock) -> int:
    """Times all tasks in rounds for about so many seconds, warm-up included, at least one round; returns the rounds.

    The tasks of a group follow each other directly. One that raises `EngineError` is not run again.
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
            _settle(clock)
            for task in group:
                _burst(task, clock)
        rounds += 1
        if 2 * clock.now() - started > deadline:  # another one like this would not end in time
            return rounds


def _warm_up(task: Task) -> None:
    try:
        for _ in range(WARM_UP):
            task.run()
    except EngineError as error:
        task.failure = str(error)


def _settle(clock: Clock) -> None:
    for _ in range(MOST_RESTS):
        busy = clock.busy()
        clock.sleep(REST)
        if clock.busy() - busy < _QUIET * REST * _SECOND:
            return


def _burst(task: Task, clock: Clock) -> None:
    if task.failure is not None:
        return
    times: list[int] = []
    try:
        task.run()  # its weights have left the caches since its last turn
        busy, started = clock.busy(), clock.now()
        before = started
        while not times or before - started < BURST * _SECOND:
            task.run()
            after = clock.now()
            times.append(after - before)
            before = after
        task.busy += clock.busy() - busy
        task.times += times
    except EngineError as error:
        task.failure = str(error)
        task.times.clear()
        task.busy = 0
