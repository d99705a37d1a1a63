"""Drift: whether memory, files, threads or latency grow while a process runs.

The slope is the Theil-Sen estimator, the median over all pairs of samples, so a burst hardly changes it. Only the
longest life of each process is judged, after its warm-up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WARM_UP, WARM_UP_S = 0.35, 120.0
"""The warm-up that is not judged: a share of the life, and at least so many seconds."""
SHORTEST_S = 30.0
"""The shortest time in seconds that is judged."""
_POINTS = 600  # a longer series is reduced to so many medians, because the number of pairs grows with the square


@dataclass(frozen=True)
class Limit:
    """The largest growth that is allowed over the time judged: `once`, plus `hourly` for each hour.

    `once` allows for what a healthy machine does: a pool or cache that fills, the load of other programs.
    """

    once: float
    hourly: float


LIMITS: Mapping[str, Limit] = {
    "memory_mb": Limit(2.0, 4.0),
    "files": Limit(2.0, 0.0),
    "threads": Limit(2.0, 0.0),
    "latency_ms": Limit(40.0, 0.0),
}


@dataclass(frozen=True)
class Drift:
    """The growth of one measure of one process."""

    of: str
    measure: str
    seconds: float
    """The time judged."""
    hourly: float
    """Growth in one hour, along the fitted line."""
    grown: float
    """Growth over the time judged, along the fitted line."""
    limit: float

    @property
    def exceeds_limit(self) -> bool:
        """Whether it grew by more than its limit."""
        return self.grown > self.limit


def drifts(of: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Drift]:
    """Yields the drift of each measure of one process.

    `rows` are its samples over all its lives, each with `time` in seconds, `pid` and the measures.
    """
    lives: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        lives.setdefault(row["pid"], []).append(row)
    if not lives:
        return
    life = max(lives.values(), key=lambda samples: samples[-1]["time"] - samples[0]["time"])
    warm = life[0]["time"] + max(WARM_UP * (life[-1]["time"] - life[0]["time"]), WARM_UP_S)
    for measure, limit in LIMITS.items():
        points = [(row["time"], row[measure]) for row in life if row["time"] >= warm and row.get(measure) is not None]
        times, values = np.array(points, np.float64).reshape(-1, 2).T
        seconds = float(times[-1] - times[0]) if len(points) else 0.0
        if seconds >= SHORTEST_S:
            per_second = slope(times, values)
            allowed = limit.once + limit.hourly * seconds / 3600
            yield Drift(of, measure, seconds, per_second * 3600, per_second * seconds, allowed)


def slope(times: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Returns the median slope over all pairs of `times` and `values`, (n,) each: Theil (1950), Sen (1968).

    NaN for fewer than two different times.
    """
    if len(times) > _POINTS:
        parts = np.array_split(np.arange(len(times)), _POINTS)
        times = np.array([np.median(times[part]) for part in parts])
        values = np.array([np.median(values[part]) for part in parts])
    one, other = np.triu_indices(len(times), 1)
    apart = times[other] - times[one]
    pairs = apart > 0
    if not pairs.any():
        return float("nan")
    return float(np.median((values[other] - values[one])[pairs] / apart[pairs]))
