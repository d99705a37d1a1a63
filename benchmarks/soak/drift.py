"""Drift: whether something grows for as long as a process lives.

The slope is Theil and Sen's, the median over all pairs of samples: neither a burst nor the first minutes' caches bend
it. Only the longest life of each process is judged, after its warm-up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WARM_UP, WARM_UP_S = 0.35, 120.0
"""Share of a life, at its beginning, that is not judged, and its least length in seconds."""
SHORTEST_S = 30.0
"""A shorter rest says nothing."""
_POINTS = 600  # of a longer series only the medians of so many parts: pairs go with the square


@dataclass(frozen=True)
class Limit:
    """How far something may move along the line over the time judged: `once`, and `hourly` for every hour of it.

    `once` is what a machine that is well still does: a pool that fills, a cache, a neighbour's load.
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
    """Of one measure of one process."""

    of: str
    measure: str
    seconds: float
    """Judged."""
    hourly: float
    """Along the line."""
    grown: float
    """Along the line, over the time judged."""
    limit: float

    @property
    def is_one(self) -> bool:
        """Whether it is more than it may be."""
        return self.grown > self.limit


def drifts(of: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[Drift]:
    """Of the samples of one process over all its lives, each with `time` in seconds, `pid` and the measures."""
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
    """The median slope over all pairs, (n,) and (n,): Theil (1950), Sen (1968). NaN of fewer than two times."""
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
