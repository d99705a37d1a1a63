"""Presentation-attack detection: decides whether a face is a living person or may be a picture of one.

It needs only an ordinary camera. Points on the face are tracked while the head turns, and `parallax` decides whether
they moved as points on a head do. Without that evidence a face never counts as live: a person who holds still, a
printed picture and a dark frame all give "not live". Against a video of a turning head there is only `screen_edges`,
which refuses a screen whose edges are visible.

It does not detect a video on a screen whose edges are out of view, nor a mask. The measured error rates are in
benchmarks/presentation_attacks/results.md.

The result holds for this face and for a short time. It is dropped when the points are lost, when the face is missing
for longer than `MAX_GAP`, when its appearance changes, and after `RESULT_VALID_FOR`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.alignment import upright_transform
from kiosk.vision.faces.crop import appearance_of
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from kiosk.vision.liveness.parallax import MIN_POINTS, Turn, estimate_turn
from kiosk.vision.liveness.screen_edges import has_screen_edges

MIN_TURN = 0.15
"""The sine of the turn, measured by the nose, from which a face counts as a head. Flat and bent sheets reached
0.07; sheets folded sharply along the nose mostly reached 0.15, at worst 0.4."""

MIN_STANDARD_ERRORS = 3.0
"""The same, in standard errors of the turn."""

CONSECUTIVE_FRAMES = 3
"""Consecutive frames that must show the turn."""

MAX_TRACKING_TIME = 1.5
"""Seconds after which new points are chosen, because tracked points drift."""

RESULT_VALID_FOR = 5.0
"""Seconds that a result holds: long enough to turn the head and to look at the screen again."""

MAX_GAP = 0.25
"""Seconds without the face after which it may be another person's."""

MAX_EDGE_SHARE = 0.3
"""A face is refused if screen edges surround it in at least this share of the checks. Recent checks count most."""

EDGE_CHECK_INTERVAL = 0.1
"""Seconds between two checks for screen edges."""

_LATEST_WEIGHT = 0.15  # the weight of the latest check in that share
_MIN_CHECKS = 8  # before any face counts as live

# The crop in which points are tracked. It is upright, so that shift, size and roll are already removed.
_SIZE = 160  # pixels along a side
_EYES_APART = 48.0  # pixels
_EYES = complex((_SIZE - 1) / 2, 58.0)
_FACE = (slice(12, 141), slice(16, 145))  # the part that shows the face alone

_MAX_POINTS = 70
_MIN_CHOSEN_POINTS = 25
_POINT_QUALITY = 0.01  # of the best corner's
_MIN_POINT_DISTANCE = 5  # pixels
_POINT_SIZE = 5
_MIN_KEPT_SHARE = 0.4  # share of the points that must still be followed
_MAX_ROUND_TRIP_ERROR = 1.0  # pixels by which a point followed back may miss
_MAX_NOSE_OFFSET = 0.3  # of the nose, in eye distances, for points to be chosen: a face turned far hides half of them
_WINDOW = (13, 13)
_LEVELS = 2
_STOP = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 15, 0.02)
_FLOW = {"winSize": _WINDOW, "maxLevel": _LEVELS, "criteria": _STOP}

_ROUNDING = 1e-6  # frame times are sums of fractions
_TURNED_ALIKE = 0.06  # eye distances between two places of the nose
_SAME_APPEARANCE = 0.5  # correlation, below that of tracks because the head has turned a little

CropPoints = NDArray[np.float32]  # (n, 1, 2) pixels of the crop, as OpenCV wants them


@dataclass
class _TrackedPoints:
    """Points on a face, where they were chosen and where they are now."""

    began: float
    nose: float
    appearance: NDArray[np.float32]
    count: int
    first: CropPoints
    last: CropPoints
    crop: Gray

    def follow(self, crop: Gray) -> bool:
        """Tracks the points into the next crop; returns False if too many were lost."""
        there, found, _ = cv2.calcOpticalFlowPyrLK(self.crop, crop, self.last, None, **_FLOW)  # type: ignore[call-overload]
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(crop, self.crop, there, None, **_FLOW)  # type: ignore[call-overload]
        missed = np.linalg.norm((back - self.last)[:, 0], axis=1)
        kept = (found[:, 0] == 1) & (found_back[:, 0] == 1) & (missed < _MAX_ROUND_TRIP_ERROR)
        self.first, self.last, self.crop = self.first[kept], there[kept], crop
        return len(self.last) >= max(MIN_POINTS, _MIN_KEPT_SHARE * self.count)

    def turn(self) -> Turn | None:
        """Returns the turn since the points were chosen; None for fewer than `MIN_POINTS`."""
        return estimate_turn(_in_eye_distances(self.first), _in_eye_distances(self.last), self.nose)


@dataclass(frozen=True)
class _LiveFace:
    """A face that was found to be live: when, and its appearance before it turned."""

    time: float
    nose: float
    appearance: NDArray[np.float32]

    def is_another(self, crop: Gray, face: Face) -> bool:
        """Returns whether another person is there now. It can only tell when the head is turned as it was then."""
        turned_alike = abs(float(face.shape[4].real) - self.nose) < _TURNED_ALIKE
        return turned_alike and float(self.appearance @ appearance_of(crop[_FACE])) < _SAME_APPEARANCE


class Liveness:
    """Judges the liveness of one face at a time, which is all that the age check needs. Use it from one thread."""

    def __init__(self) -> None:
        self._mask = _face_mask()
        self._track = 0
        self._seen = float("-inf")
        self._points: _TrackedPoints | None = None
        self._consecutive = 0
        self._live_face: _LiveFace | None = None
        self._edge_share = 0.0
        self._checks = 0
        self._next_check = 0.0

    def judge(self, gray: Gray, track: int, face: Face, time: float) -> bool:
        """Returns whether the face of a track in this frame is live.

        `gray` is the (height, width) uint8 frame, `time` the source's time in seconds.
        """
        if track != self._track or not 0 <= time - self._seen <= MAX_GAP:
            self._forget()
        self._track, self._seen = track, time
        self._check_edges(gray, face, time)
        crop = _crop_of(gray, face)
        self._track_turn(crop, face, time)
        if self._live_face is not None and (
            time - self._live_face.time > RESULT_VALID_FOR or self._live_face.is_another(crop, face)
        ):
            self._live_face = None
        return self._live_face is not None and self._edge_share < MAX_EDGE_SHARE and self._checks >= _MIN_CHECKS

    def _check_edges(self, gray: Gray, face: Face, time: float) -> None:
        if self._checks and time < self._next_check:
            return
        self._next_check = time + EDGE_CHECK_INTERVAL - _ROUNDING
        self._checks += 1
        self._edge_share += _LATEST_WEIGHT * (has_screen_edges(gray, face) - self._edge_share)

    def _track_turn(self, crop: Gray, face: Face, time: float) -> None:
        points = self._points
        if points is None:
            self._points = self._choose_points(crop, face, time)
            return
        if not points.follow(crop):
            # The head turned too fast, was covered, or is another person's: earlier results no longer hold.
            self._live_face, self._consecutive = None, 0
            self._points = self._choose_points(crop, face, time)
            return
        turn = points.turn()
        shows = turn is not None and turn.exceeds(MIN_TURN, MIN_STANDARD_ERRORS)
        self._consecutive = self._consecutive + 1 if shows else 0
        if self._consecutive >= CONSECUTIVE_FRAMES:
            self._live_face = _LiveFace(time, points.nose, points.appearance)
        if time - points.began >= MAX_TRACKING_TIME:
            self._points = self._choose_points(crop, face, time)

    def _choose_points(self, crop: Gray, face: Face, time: float) -> _TrackedPoints | None:
        """Returns points to track from this crop on, or None if the face has too few."""
        self._consecutive = 0
        if abs(float(face.shape[4].real)) > _MAX_NOSE_OFFSET:
            return None
        candidates = cv2.goodFeaturesToTrack(
            crop, _MAX_POINTS, _POINT_QUALITY, _MIN_POINT_DISTANCE, mask=self._mask, blockSize=_POINT_SIZE
        )
        if candidates is None or len(candidates) < _MIN_CHOSEN_POINTS:
            return None
        first = np.asarray(candidates, np.float32)
        return _TrackedPoints(
            time, float(face.shape[4].real), appearance_of(crop[_FACE]), len(first), first, first, crop
        )

    def _forget(self) -> None:
        self._points, self._consecutive, self._live_face = None, 0, None
        self._edge_share, self._checks = 0.0, 0


def _crop_of(gray: Gray, face: Face) -> Gray:
    """Returns the upright face, (_SIZE, _SIZE) uint8, with the eyes _EYES_APART apart."""
    return np.asarray(
        cv2.warpAffine(
            gray,
            upright_transform(face, _EYES_APART, _EYES),
            (_SIZE, _SIZE),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )


def _face_mask() -> Gray:
    """Returns a mask of the inner face, where points are chosen. Hair and background move in other ways."""
    mask = np.zeros((_SIZE, _SIZE), np.uint8)
    middle = round(_EYES.real), round(_EYES.imag + 0.4 * _EYES_APART)
    cv2.ellipse(mask, middle, (round(0.95 * _EYES_APART), round(1.2 * _EYES_APART)), 0, 0, 360, (255,), -1)
    return mask


def _in_eye_distances(points: CropPoints) -> NDArray[np.float64]:
    """Returns points as (n, 2) in eye distances from the point between the eyes."""
    return (points[:, 0].astype(np.float64) - (_EYES.real, _EYES.imag)) / _EYES_APART
