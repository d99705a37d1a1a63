"""Decides when and where to search for faces and when to call the engine, by the source's own time.

Nothing here reads a clock or an image. Large faces are searched for in a small copy of the whole frame, small ones in
tiles of the frame at its own size, one tile at a time, so that no frame waits for the whole search. While nobody is in
view and nothing moves, the search runs only a few times a second, on fewer frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DETECT_EVERY: Final = 0.1
"""Seconds between two detections while nobody is in view. Two fit into the 200 ms in which a face must be found."""

DETECT_EVERY_IN_VIEW: Final = 0.15
"""The same while a face is followed. At usual frame rates the next frame after it comes within 200 ms."""

DETECT_AGAIN_AFTER: Final = 0.05
"""Seconds after a detection before a face that cannot be followed causes another one."""

TILE_CYCLE: Final = 0.42
"""Seconds in which all tiles are searched for small faces: within 500 ms, including the wait for a frame."""

IDLE_AFTER: Final = 3.0
"""Seconds without a face or movement after which the pipeline idles."""

IDLE_EVERY: Final = 0.19
"""Seconds between two frames while idle: five frames a second from a camera of 25 or 30."""

FIRST_CALLS: Final = 12
"""The number of good crops of a new person that all go to the engine."""

CALL_INTERVAL: Final = 0.2
"""Seconds between two later crops that go to the engine."""

_BEHIND = 0.1  # seconds by which detections may delay a tile
_ROUNDING = 1e-6  # frame times are sums of fractions: a frame due at exactly 0.1 s may say 0.0999…


@dataclass
class Schedule:
    """Decides what is due. Times are the source's own, in seconds, and never decrease."""

    idle: bool = False
    """Whether nobody was in view and nothing moved for `IDLE_AFTER` seconds."""

    last_detection: float = float("-inf")
    """The time of the last detection in the whole frame."""

    _quiet_since: float | None = None
    _next_tile: int = 0
    _tile_due: float | None = None

    def detection_due(self, time: float, *, in_view: bool, lost: bool = False) -> bool:
        """Returns whether to search the whole frame now. `lost`: whether a face in view could not be followed."""
        every = IDLE_EVERY if self.idle else DETECT_EVERY_IN_VIEW if in_view else DETECT_EVERY
        return time + _ROUNDING >= self.last_detection + (DETECT_AGAIN_AFTER if lost else every)

    def record_detection(self, time: float, *, alive: bool) -> None:
        """Records a search of the whole frame; `alive`: whether it found a face or movement."""
        self.last_detection = time
        if alive or self._quiet_since is None:
            self._quiet_since = time
        self.idle = time - self._quiet_since >= IDLE_AFTER

    def tiles_due(self, time: float, tiles: int, *, detecting: bool) -> list[int]:
        """Returns the numbers of the tiles, of `tiles` in all, to search for small faces in this frame.

        A frame that is searched as a whole (`detecting`) gets none, unless frames are so rare that all are such.
        """
        if not tiles or self.idle:
            self._tile_due = None
            return []
        if self._tile_due is None or self._tile_due < time - TILE_CYCLE:
            self._tile_due = time  # after a pause, missed tiles are not caught up
        if detecting and self._tile_due + _BEHIND > time:
            return []
        due: list[int] = []
        while self._tile_due <= time + _ROUNDING and len(due) < tiles:
            due.append(self._next_tile % tiles)
            self._next_tile = (self._next_tile + 1) % tiles
            self._tile_due += TILE_CYCLE / tiles
        return due


@dataclass
class EngineCalls:
    """Counts the engine's calls for one person and decides when the next is due."""

    times: int = 0
    last: float = field(default=float("-inf"))

    def is_due(self, time: float) -> bool:
        """Returns whether a good crop at `time` goes to the engine."""
        return self.times < FIRST_CALLS or time + _ROUNDING >= self.last + CALL_INTERVAL

    def record(self, time: float) -> None:
        """Records a call at `time`."""
        self.times, self.last = self.times + 1, time
