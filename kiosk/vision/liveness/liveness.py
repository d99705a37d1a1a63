"""Presentation-attack detection: whether a face was shown to be alive, or might be a picture held up.

An ordinary camera's own means: points of the face's texture are followed while the head turns, and what
they did is asked of `relief`. Nothing is ever taken for a living face without that evidence, so somebody
who holds still, a picture and a dark frame all come to the same: not shown to be live. Against a video of
a turning head there is only `sheet_edges`: a screen whose edges can be seen is refused.

What it does not see, and no claim is made for: such a video on a screen whose edges cannot be seen; a mask.
See benchmarks/presentation_attacks/results.md for what was measured.

The verdict is about this face now. It is given up when the points are lost, when the face is gone from a
frame for longer than a moment, when it no longer looks as it did when it was shown, and after `HELD_FOR`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.alignment import upright
from kiosk.vision.faces.crop import look_of
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from kiosk.vision.liveness.parallax import FEWEST, Turn, turn_between
from kiosk.vision.liveness.screen_edges import framed

LEAST_TURN = 0.15
"""Sine of the turn, as the nose tells it, from which a head is shown. While this was made flat and bent sheets came
to 0.07, those folded sharply along the nose mostly to 0.15 and at worst to 0.4."""

LEAST_ERRORS = 3.0
"""The same in its standard errors."""

IN_A_ROW = 3
"""Frames one after the other that must show it."""

LONGEST_LOOK = 1.5
"""Seconds after which points are chosen anew, because they drift."""

HELD_FOR = 5.0
"""Seconds that a verdict holds: to turn the head, and to look at the screen again."""

LONGEST_GAP = 0.25
"""Seconds without the face after which it may be another."""

FRAMED = 0.3
"""Share of the looks, the latest counting most, in which a sheet's edges stand around a face that is refused."""

LOOK_FOR_EDGES_EVERY = 0.1
"""Seconds between two looks for such edges."""

_LATEST_LOOK = 0.15  # its part in that share
_FEWEST_LOOKS = 8  # before anybody is alive

# The crop in which points are followed: upright, so that shift, size and roll are gone before.
_SIZE = 160  # pixels along a side
_EYES_APART = 48.0  # pixels
_EYES = complex((_SIZE - 1) / 2, 58.0)
_FACE = (slice(12, 141), slice(16, 145))  # the part that shows the face alone

_MOST_POINTS = 70
_FEWEST_POINTS = 25
_POINT_QUALITY = 0.01  # of the best corner's
_POINTS_APART = 5  # pixels
_POINT_SIZE = 5
_LEFT_OVER = 0.4  # share of the points that must still be followed
_THERE_AND_BACK = 1.0  # pixels by which a point followed back may miss
_FURTHEST_ASIDE = 0.3  # of the nose, in eye distances, for points to be chosen: a face turned far hides half of them
_WINDOW = (13, 13)
_LEVELS = 2
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.02)
_FLOW = {"winSize": _WINDOW, "maxLevel": _LEVELS, "criteria": _STOP}

_SHADE = 1e-6  # frame times are sums of fractions
_TURNED_ALIKE = 0.06  # eye distances between two places of the nose
_LOOKS_ALIKE = 0.5  # correlation, below that of tracks because the head has turned a little

Spots = NDArray[np.float32]  # (n, 1, 2) pixels of the crop, as OpenCV wants them


@dataclass
class _Look:
    """Points of a face since they were chosen."""

    began: float
    nose: float
    look: NDArray[np.float32]
    count: int
    first: Spots
    last: Spots
    crop: Gray

    def follow(self, crop: Gray) -> bool:
        """Moves the points on to the next crop; False where too many were lost."""
        there, found, _ = cv2.calcOpticalFlowPyrLK(self.crop, crop, self.last, None, **_FLOW)  # type: ignore[call-overload]
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(crop, self.crop, there, None, **_FLOW)  # type: ignore[call-overload]
        missed = np.linalg.norm((back - self.last)[:, 0], axis=1)
        kept = (found[:, 0] == 1) & (found_back[:, 0] == 1) & (missed < _THERE_AND_BACK)
        self.first, self.last, self.crop = self.first[kept], there[kept], crop
        return len(self.last) >= max(FEWEST, _LEFT_OVER * self.count)

    def turn(self) -> Turn | None:
        return turn_between(_in_eye_distances(self.first), _in_eye_distances(self.last), self.nose)


@dataclass(frozen=True)
class _Shown:
    """A face that was shown to be alive: when, and what it looked like before it turned."""

    time: float
    nose: float
    look: NDArray[np.float32]

    def is_another(self, crop: Gray, face: Face) -> bool:
        """Whether somebody else is there now, which only shows when the head is turned as it was then."""
        turned_alike = abs(float(face.shape[4].real) - self.nose) < _TURNED_ALIKE
        return turned_alike and float(self.look @ look_of(crop[_FACE])) < _LOOKS_ALIKE


class Liveness:
    """Judges one face at a time; the age check wants no more. Use it from one thread."""

    def __init__(self) -> None:
        self._mask = _face_mask()
        self._track = 0
        self._seen = float("-inf")
        self._look: _Look | None = None
        self._in_a_row = 0
        self._shown: _Shown | None = None
        self._framed = 0.0
        self._looks = 0
        self._next_look = 0.0

    def judge(self, gray: Gray, track: int, face: Face, time: float) -> bool:
        """Whether the face of a track, seen in this frame, was shown to be a living one."""
        if track != self._track or not 0 <= time - self._seen <= LONGEST_GAP:
            self._forget()
        self._track, self._seen = track, time
        self._look_around(gray, face, time)
        crop = _crop_of(gray, face)
        self._watch(crop, face, time)
        if self._shown is not None and (time - self._shown.time > HELD_FOR or self._shown.is_another(crop, face)):
            self._shown = None
        return self._shown is not None and self._framed < FRAMED and self._looks >= _FEWEST_LOOKS

    def _look_around(self, gray: Gray, face: Face, time: float) -> None:
        if self._looks and time < self._next_look:
            return
        self._next_look = time + LOOK_FOR_EDGES_EVERY - _SHADE
        self._looks += 1
        self._framed += _LATEST_LOOK * (framed(gray, face) - self._framed)

    def _watch(self, crop: Gray, face: Face, time: float) -> None:
        look = self._look
        if look is None:
            self._look = self._begun(crop, face, time)
            return
        if not look.follow(crop):
            # It turned too fast, was covered, or is another by now: nothing said of it before holds.
            self._shown, self._in_a_row = None, 0
            self._look = self._begun(crop, face, time)
            return
        turn = look.turn()
        shows = turn is not None and turn.exceeds(LEAST_TURN, LEAST_ERRORS)
        self._in_a_row = self._in_a_row + 1 if shows else 0
        if self._in_a_row >= IN_A_ROW:
            self._shown = _Shown(time, look.nose, look.look)
        if time - look.began >= LONGEST_LOOK:
            self._look = self._begun(crop, face, time)

    def _begun(self, crop: Gray, face: Face, time: float) -> _Look | None:
        """Points to follow from here on, or None where the face gives none."""
        self._in_a_row = 0
        if abs(float(face.shape[4].real)) > _FURTHEST_ASIDE:
            return None
        spots = cv2.goodFeaturesToTrack(
            crop, _MOST_POINTS, _POINT_QUALITY, _POINTS_APART, mask=self._mask, blockSize=_POINT_SIZE
        )
        if spots is None or len(spots) < _FEWEST_POINTS:
            return None
        first = np.asarray(spots, np.float32)
        return _Look(time, float(face.shape[4].real), look_of(crop[_FACE]), len(first), first, first, crop)

    def _forget(self) -> None:
        self._look, self._in_a_row, self._shown = None, 0, None
        self._framed, self._looks = 0.0, 0


def _crop_of(gray: Gray, face: Face) -> Gray:
    """(_SIZE, _SIZE) the face upright, with its eyes _EYES_APART apart."""
    return np.asarray(
        cv2.warpAffine(
            gray,
            upright(face, _EYES_APART, _EYES),
            (_SIZE, _SIZE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def _face_mask() -> Gray:
    """Where points are chosen: inside the face, because hair and background move by rules of their own."""
    mask = np.zeros((_SIZE, _SIZE), np.uint8)
    middle = round(_EYES.real), round(_EYES.imag + 0.4 * _EYES_APART)
    cv2.ellipse(mask, middle, (round(0.95 * _EYES_APART), round(1.2 * _EYES_APART)), 0, 0, 360, (255,), -1)
    return mask


def _in_eye_distances(spots: Spots) -> NDArray[np.float64]:
    """(n, 2) from the middle of the eyes."""
    return (spots[:, 0].astype(np.float64) - (_EYES.real, _EYES.imag)) / _EYES_APART
