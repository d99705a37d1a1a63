"""When to look for faces, where, and when to ask the engine: plain rules over the source's own time.

Nothing here looks at a clock or a picture. Faces large enough are looked for in a small copy of the whole
frame; smaller ones in parts of it at their own size, a part at a time, so that no frame has to wait for
the whole. With nobody in front and nothing moving there are only a few looks a second, and fewer frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

DETECT_EVERY: Final = 0.1
"""Seconds between two detections while nobody is in view: two fit into the 200 ms in which a face is found."""

DETECT_EVERY_IN_VIEW: Final = 0.15
"""The same while somebody is followed: at any usual rate the next frame after it comes within 200 ms."""

DETECT_AGAIN_AFTER: Final = 0.05
"""Seconds after a detection before a face that cannot be followed brings on another."""

SCAN_EVERY: Final = 0.42
"""Seconds in which the whole picture is searched for small faces: within 500 ms, the wait for a frame included."""

IDLE_AFTER: Final = 3.0
"""Seconds without a face or a movement after which the machine idles."""

IDLE_EVERY: Final = 0.19
"""Seconds between two frames that are looked at while idle: five a second at 25 or 30 frames a second."""

ASKED_AT_ONCE: Final = 12
"""Good crops of a new person that all go to the engine."""

ASK_EVERY: Final = 0.2
"""Seconds between two of the later ones."""

_BEHIND = 0.1  # seconds by which a part may wait because of detections
_SHADE = 1e-6  # frame times are sums of fractions: a frame due at exactly 0.1 s may say 0.0999…


@dataclass
class Schedule:
    """What is due. Times are the source's own, in seconds, and never run back."""

    idle: bool = False
    """Whether nobody was there and nothing moved for a while."""

    last_detection: float = float("-inf")
    """When the whole frame was searched last."""

    _quiet_since: float | None = None
    _next_part: int = 0
    _part_due: float | None = None

    def detection_due(self, time: float, *, in_view: bool, lost: bool = False) -> bool:
        """Whether to search the whole frame now; `lost` is whether somebody in view could not be followed."""
        every = IDLE_EVERY if self.idle else DETECT_EVERY_IN_VIEW if in_view else DETECT_EVERY
        return time + _SHADE >= self.last_detection + (DETECT_AGAIN_AFTER if lost else every)

    def detected(self, time: float, *, alive: bool) -> None:
        """Takes in that the frame was searched, and whether there was a face or a movement."""
        self.last_detection = time
        if alive or self._quiet_since is None:
            self._quiet_since = time
        self.idle = time - self._quiet_since >= IDLE_AFTER

    def parts_due(self, time: float, parts: int, *, detecting: bool) -> list[int]:
        """Numbers of the picture's `parts` to search for small faces in this frame.

        None in a frame that is searched as a whole, unless frames come so seldom that there are no others.
        """
        if not parts or self.idle:
            self._part_due = None
            return []
        if self._part_due is None or self._part_due < time - SCAN_EVERY:
            self._part_due = time  # after a pause nothing is made up for
        if detecting and self._part_due + _BEHIND > time:
            return []
        due: list[int] = []
        while self._part_due <= time + _SHADE and len(due) < parts:
            due.append(self._next_part % parts)
            self._next_part = (self._next_part + 1) % parts
            self._part_due += SCAN_EVERY / parts
        return due


@dataclass
class Asked:
    """How often the engine was asked about a person."""

    times: int = 0
    last: float = field(default=float("-inf"))

    def due(self, time: float) -> bool:
        """Whether a good crop is to go to the engine."""
        return self.times < ASKED_AT_ONCE or time + _SHADE >= self.last + ASK_EVERY

    def ask(self, time: float) -> None:
        """Takes in that it was."""
        self.times, self.last = self.times + 1, time
