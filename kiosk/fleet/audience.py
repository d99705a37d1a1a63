"""Counts visitors by age group and hour, and records nothing else about them.

Only counts are kept, only in memory, and only for the current hour: a restart forgets them. A group of fewer than
`FEWEST` people is not reported, nor a sum from which it could be computed, nor the time, gender or sale of a person. A
track is counted when it has ended, if its estimate was ever known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from kiosk.estimate import Observation

FEWEST = 5
"""A group with fewer people in an hour is not reported."""

GONE_AFTER_S = 3.0
"""Seconds without a face after which its track has ended. Vision keeps it no longer either."""


class FinishedTracks:
    """Reports the age groups of tracks that ended. For people in view it holds a track number and a label."""

    def __init__(self) -> None:
        self._there: dict[int, tuple[str, float]] = {}

    def finished(self, observations: Iterable[Observation]) -> list[str]:
        """Returns the age group labels of the tracks that ended in these observations."""
        labels = []
        for observation in observations:
            for face in observation.faces:
                # without an estimate, the number is only the face's position in this frame
                if face.estimate is not None and (face.status == "known" or face.track in self._there):
                    self._there[face.track] = face.estimate.group.label, observation.time
            for track, (label, seen) in [*self._there.items()]:
                # a smaller time comes from a new vision process
                if not 0 <= observation.time - seen <= GONE_AFTER_S:
                    del self._there[track]
                    labels.append(label)
        return labels


class VisitorCounter:
    """Counts the visitors of the current hour by age group."""

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._counts: Counter[str] = Counter()

    def add(self, label: str) -> None:
        """Counts one visitor of this age group."""
        self._counts[label] += 1

    def finish_hour(self, now: datetime) -> tuple[datetime, dict[str, int]] | None:
        """Returns the hour that ended and its counts; None if none ended or there is nothing to report."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        ended, self._hour = self._hour, hour
        if ended is None or ended == hour:
            return None
        counts = {label: count for label, count in sorted(self._counts.items()) if count >= FEWEST}
        self._counts.clear()
        return (ended, counts) if counts else None
