"""How many people of which age group were estimated in an hour, and no more than that.

Only counts are kept, in memory alone, for the hour that runs: a restart forgets them. A group of fewer than five is not
told, nor a sum that it could be got from, nor anything of single people, their time, gender or sale. A track is counted
once it is over, if its estimate was ever known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from kiosk.estimate import Observation

FEWEST = 5
"""People of a group in an hour, under which it is not told."""

GONE_AFTER_S = 3.0
"""Seconds without a face after which its track is over; vision itself remembers it for no longer."""


class FinishedTracks:
    """The age groups of those who have gone. Of those who are there it holds a number and a label."""

    def __init__(self) -> None:
        self._there: dict[int, tuple[str, float]] = {}

    def over(self, observations: Iterable[Observation]) -> list[str]:
        """The labels of the tracks that these observations show to be over."""
        labels = []
        for observation in observations:
            for face in observation.faces:
                # no estimate: its number is not a person's, but its place in this one frame
                if face.estimate is not None and (face.status == "known" or face.track in self._there):
                    self._there[face.track] = face.estimate.group.label, observation.time
            for track, (label, seen) in [*self._there.items()]:
                # a time that went back is that of a new vision process
                if not 0 <= observation.time - seen <= GONE_AFTER_S:
                    del self._there[track]
                    labels.append(label)
        return labels


class VisitorCounter:
    """Counts of the hour."""

    def __init__(self) -> None:
        self._hour: datetime | None = None
        self._counts: Counter[str] = Counter()

    def add(self, label: str) -> None:
        """Somebody of this age group was there."""
        self._counts[label] += 1

    def over(self, now: datetime) -> tuple[datetime, dict[str, int]] | None:
        """The hour that has ended by now and its counts; None in the middle of one, or for nothing to tell."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        ended, self._hour = self._hour, hour
        if ended is None or ended == hour:
            return None
        counts = {label: count for label, count in sorted(self._counts.items()) if count >= FEWEST}
        self._counts.clear()
        return (ended, counts) if counts else None
