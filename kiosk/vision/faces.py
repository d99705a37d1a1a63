"""Faces in a gray picture: find them, fit five landmarks, cut an upright 75×75 chip.

The kiosk and the trainer both come here, so that the network is trained on exactly what it will
see. The detector and the landmarks are dlib's: a frontal HOG detector (King, "Max-Margin Object
Detection", 2015), which wants a face of about 80 pixels and sees nothing under about 50, and a
five-point shape predictor (Kazemi and Sullivan, "One Millisecond Face Alignment with an Ensemble
of Regression Trees", 2014).

Positions are pixels of the given picture, x to the right and y down, with (0, 0) in the middle of
its first pixel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import cv2
import dlib
import numpy as np
from numpy.typing import NDArray

from kiosk.vision import models

# A call on one frame is over before other threads have come to help, and these then wait actively: 3 % of a core. In
# the trainer every worker has a core of its own, and more threads would get in the way of torch's.
cv2.setNumThreads(1)

Gray = NDArray[np.uint8]  # (height, width)
Points = NDArray[np.float64]  # (5, 2): x, y
Area = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the last two excluded

CHIP_SIZE = 75
"""Pixels along a side of the network's input."""

EYE_DISTANCE = 28.0
"""Pixels between the middles of an average face's eyes in a chip; it shows from the hairline to the chin."""

EYE_LINE = 27.0
"""Row of a chip that an average face's eyes lie on."""

AVERAGE_FACE = np.array([0.7007 - 0.0084j, 0.2993 + 0.0084j, -0.7007 - 0.0084j, -0.2993 + 0.0084j, 0.7495j])
"""(5,) its landmarks in eye distances from the middle of its eyes: the mean of 29,890 faces of FairFace and
their mirror images."""

SMALLEST_DETECTABLE = 60
"""Pixels across a face that the detector finds reliably."""

CONVINCING = 0.2
"""A detector's score that a texture taken for a face hardly ever reaches; one in eight faces does not."""

MOST_PIXELS_TO_ENLARGE = 2_000_000
"""Above this a still picture is not searched at twice its size: its faces have pixels enough."""

# A detector's box around a face, in eye distances (the median over 1,884 faces of FairFace).
_BOX_SIZE = 2.33
_BOX_BELOW_EYES = 0.425

# Landmarks are fitted on a copy in which the face has this many pixels, because dlib rounds them to
# whole pixels; the margin beside the box keeps the predictor's samples inside the copy.
_FIT_SIZE = 160
_FIT_MARGIN = 0.35

# Pixels of the picture between two samples: in a chip no more than one, so that a large face comes out as one far away;
# landmarks need no better, and reading them takes longer than fitting them.
_CHIP_SPACING = 1.0
_FIT_SPACING = 1.5

# A face that was there a moment ago is looked for around its place, in a copy in which it is this large; the margin
# is in its own widths. Its score may be a little lower than a new one's: somebody who turns the head is still there.
_NEAR_SIZE = 90
_NEAR_MARGIN = 0.6
_NEAR_THRESHOLD = -0.2

# Two faces whose eyes are less than this apart, in their mean width, share a part of their chips.
_BESIDE = 1.15

# Two detections that overlap more than this (intersection over union) are one face.
_SAME_FACE = 0.5

# No chip is averaged from more than this many samples a pixel in each direction.
_MOST_OVERSAMPLING = 8


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture."""

    landmarks: Points
    """(5, 2) pixels: outer and inner corner of the eye at the right of the picture, outer and inner
    corner of the one at the left, base of the nose."""

    score: float = 0.0
    """The detector's confidence, above 0; 0 for a face that was followed, not detected."""

    @cached_property
    def eyes(self) -> tuple[complex, complex]:
        """Middles of the eyes, the one at the left of the picture first, as x + iy."""
        right, left = self.landmarks[0:2].mean(axis=0), self.landmarks[2:4].mean(axis=0)
        return complex(*left), complex(*right)

    @property
    def eye_distance(self) -> float:
        """Pixels between the middles of the eyes."""
        return abs(self.eyes[1] - self.eyes[0])

    @property
    def roll(self) -> float:
        """Degrees by which the head leans, clockwise as seen in the picture."""
        return float(np.degrees(np.angle(self.eyes[1] - self.eyes[0])))

    @cached_property
    def shape(self) -> NDArray[np.complex128]:
        """(5,) the landmarks in eye distances from the middle of the eyes, with the roll undone."""
        left, right = self.eyes
        points = self.landmarks[:, 0] + 1j * self.landmarks[:, 1]
        return np.asarray((points - (left + right) / 2) / (right - left))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width, height: the square that the detector would draw."""
        left, right = self.eyes
        middle = (left + right) / 2 + 1j * _BOX_BELOW_EYES * (right - left)
        size = _BOX_SIZE * self.eye_distance
        return middle.real - size / 2, middle.imag - size / 2, size, size

    def overlap(self, other: Face) -> float:
        """Intersection over union of the two faces' boxes, 0 to 1."""
        left, top, width, height = self.box
        other_left, other_top, other_width, other_height = other.box
        across = min(left + width, other_left + other_width) - max(left, other_left)
        down = min(top + height, other_top + other_height) - max(top, other_top)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (width * height + other_width * other_height - shared)

    def covered_by(self, others: Iterable[Face]) -> bool:
        """Whether a nearer one of the others is so close beside it that it may hide a part of its chip."""
        return any(
            self.eye_distance < other.eye_distance
            and abs(sum(self.eyes) - sum(other.eyes)) / 2 < _BESIDE * (self.box[2] + other.box[2]) / 2
            for other in others
        )


class FaceFinder:
    """dlib's detector and landmark predictor, loaded once. Use it from one thread."""

    def __init__(self) -> None:
        self._detector = models.frontal_detector()
        self._predictor = models.landmark_predictor()

    def detect(self, gray: Gray, scale: float = 1.0, area: Area | None = None) -> list[Face]:
        """Finds faces in a copy of `gray`, or of an area of it, at `scale` times its size, the largest face first."""
        return self._detected(gray, scale, area or (0, 0, gray.shape[1], gray.shape[0]), 0.0)

    def detect_near(self, gray: Gray, face: Face) -> Face | None:
        """Finds the face that was just at `face`'s place, be it too small or too much turned aside for `detect`."""
        left, top, width, height = face.box
        across, down = _NEAR_MARGIN * width, _NEAR_MARGIN * height
        area = (
            max(round(left - across), 0),
            max(round(top - down), 0),
            min(round(left + width + across), gray.shape[1]),
            min(round(top + height + down), gray.shape[0]),
        )
        if area[2] - area[0] < width / 2 or area[3] - area[1] < height / 2:
            return None
        faces = self._detected(gray, min(_NEAR_SIZE / width, 2.0), area, _NEAR_THRESHOLD)
        return max(faces, key=face.overlap, default=None)

    def detect_in_still(self, gray: Gray) -> list[Face]:
        """Finds faces in a picture nobody waits for: at its own size, then at twice it."""
        faces = self.detect(gray)
        if not faces and gray.size <= MOST_PIXELS_TO_ENLARGE:
            faces = self.detect(gray, scale=2.0)
        return faces

    def follow(self, gray: Gray, face: Face) -> Face:
        """Fits the landmarks of `face` anew in the next frame. It always answers: see `plausible`."""
        return Face(self._fit(gray, face.box))

    def _detected(self, gray: Gray, scale: float, area: Area, threshold: float) -> list[Face]:
        area_left, area_top, area_right, area_bottom = area
        part = np.ascontiguousarray(gray[area_top:area_bottom, area_left:area_right])
        copy = part if scale == 1.0 else _resized(part, scale)
        boxes, scores, _ = self._detector.run(copy, 0, threshold)
        # The copy's sides are whole pixels, so its true scale differs a little from the one asked for.
        true_scale = copy.shape[1] / part.shape[1]
        faces = []
        for box, score in zip(boxes, scores, strict=True):
            left, top = _unscaled(box.left(), true_scale), _unscaled(box.top(), true_scale)
            width, height = box.width() / true_scale, box.height() / true_scale
            found = self._fit(gray, (area_left + left, area_top + top, width, height))
            # A second fit starts from the first one's landmarks, as following a face does, so that
            # where the detector's coarse grid happened to put its box leaves no trace in the chip.
            faces.append(Face(self._fit(gray, Face(found).box), float(score)))
        return _distinct(sorted(faces, key=lambda face: face.eye_distance, reverse=True))

    def _fit(self, gray: Gray, box: tuple[float, float, float, float]) -> Points:
        """(5, 2) landmarks of the face in `box`, to a fraction of a pixel."""
        left, top, width, height = box
        scale = _FIT_SIZE / width
        margin = _FIT_MARGIN * width
        side = round(_FIT_SIZE * (1 + 2 * _FIT_MARGIN))
        # The affine map takes the copy's pixels to the picture's (WARP_INVERSE_MAP).
        origin = left - margin, top - margin
        to_picture = np.array([[1 / scale, 0, origin[0]], [0, 1 / scale, origin[1]]])
        copy = _sampled(gray, to_picture, side, _FIT_SPACING)
        offset = _FIT_SIZE * _FIT_MARGIN
        start = dlib.rectangle(
            round(offset), round(offset), round(offset + width * scale), round(offset + height * scale)
        )
        points = self._predictor(copy, start).parts()
        fitted = np.array([(point.x, point.y) for point in points], dtype=np.float64)
        return fitted / scale + origin


def align(gray: Gray, face: Face, margin: int = 0) -> Gray:
    """The face upright and at a standard size: (75 + 2 margin, 75 + 2 margin) gray levels.

    The picture is turned, scaled and moved so that its five landmarks come to lie as near as they can
    to those of an average face (least squares; Umeyama, "Least-Squares Estimation of Transformation
    Parameters Between Two Point Patterns", 1991). The nose has its say because a head that turns aside
    brings its eyes together, and by them alone would be cut too large. A margin only adds surroundings:
    the inner 75×75 pixels stay the same, but for rounding. Beyond the picture's edge its last pixels are
    repeated.
    """
    size = CHIP_SIZE + 2 * margin
    to_picture = upright(face, EYE_DISTANCE, complex((size - 1) / 2, EYE_LINE + margin))
    return _sampled(gray, to_picture, size, _CHIP_SPACING)


def upright(face: Face, eye_distance: float, eyes: complex) -> NDArray[np.float64]:
    """(2, 3) the map from an upright chip to the picture, by which `align` reads.

    `eye_distance` is that of an average face in the chip, and `eyes` where the middle of its eyes lies.
    """
    target = eye_distance * AVERAGE_FACE + eyes
    points = face.landmarks[:, 0] + 1j * face.landmarks[:, 1]
    spread = target - target.mean()
    step = np.vdot(spread, points) / np.vdot(spread, spread).real  # one chip pixel to the right, in picture pixels
    origin = points.mean() - step * target.mean()
    return np.array([[step.real, -step.imag, origin.real], [step.imag, step.real, origin.imag]])


def gray_of(picture: NDArray[np.uint8]) -> Gray:
    """A gray copy of a (height, width, 3) BGR picture; a gray picture comes back as it is."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))


def detection_scale(height: int, smallest_face: float) -> float:
    """The scale at which to search a frame of `height` pixels for faces from `smallest_face` upward.

    `smallest_face` is a share of the frame's height. A small frame is enlarged up to twice.
    """
    return min(SMALLEST_DETECTABLE / (smallest_face * height), 2.0)


def plausible(face: Face) -> bool:
    """Whether the landmarks have a face's proportions. Ranges hold 99.9 % of FairFace's detections."""
    shape = face.shape
    eye_widths = shape[0].real - shape[1].real, shape[3].real - shape[2].real
    nose = shape[4]
    return bool(min(eye_widths) > 0.2 and max(eye_widths) < 0.7 and 0.25 < nose.imag < 1.3 and abs(nose.real) < 0.6)


def _distinct(faces: list[Face]) -> list[Face]:
    """Without those whose landmarks came to lie on a face already there: two boxes, one face."""
    kept: list[Face] = []
    for face in faces:
        if all(face.overlap(other) < _SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _resized(gray: Gray, scale: float) -> Gray:
    """A copy at `scale` times the size: halved as long as that is not too much, and interpolated from there.

    `INTER_AREA` from the full size would look the same to the detector, and take seven times as long.
    """
    size = max(round(gray.shape[1] * scale), 1), max(round(gray.shape[0] * scale), 1)
    while scale <= 0.5:
        half = max(gray.shape[1] // 2, 1), max(gray.shape[0] // 2, 1)
        gray = np.asarray(cv2.resize(gray, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        scale *= 2
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _unscaled(position: float, scale: float) -> float:
    """A position in a resized copy → in the picture. Pixels are squares with their middles at integers."""
    return (position + 0.5) / scale - 0.5


def _sampled(gray: Gray, to_picture: NDArray[np.float64], size: int, spacing: float) -> Gray:
    """(size, size) pixels read through the affine map `to_picture` (2, 3), which takes them to `gray`.

    Where one pixel covers several of the picture's it is the mean of as many samples, at most `spacing`
    pixels apart: a face that fills the frame and one far away come out equally sharp, without aliasing.
    """
    step = float(np.hypot(*to_picture[:, 0]))
    samples = min(max(1, int(np.ceil(step / spacing))), _MOST_OVERSAMPLING)
    inner = to_picture.copy()
    inner[:, :2] /= samples
    inner[:, 2] -= inner[:, :2].sum(axis=1) * (samples - 1) / 2
    fine = cv2.warpAffine(
        gray,
        inner,
        (size * samples, size * samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    coarse = fine if samples == 1 else cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(coarse, dtype=np.uint8)
