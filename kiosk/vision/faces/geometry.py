"""A face as five landmarks, and its geometry: eyes, box, roll, overlap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]  # (5, 2): x, y

# A detector's box around a face, in eye distances (the median over 1,884 faces of FairFace).
_BOX_SIZE = 2.33
_BOX_BELOW_EYES = 0.425

# Two faces whose eyes are less than this apart, in their mean width, share a part of their crops.
_BESIDE = 1.15


@dataclass(frozen=True, eq=False)
class Face:
    """A face in an image. Positions are in pixels, x to the right and y down."""

    landmarks: Points
    """(5, 2) float64: outer and inner corner of the eye at the right of the image, outer and inner corner
    of the eye at the left, base of the nose."""

    score: float = 0.0
    """The detection score, above 0; 0 for a face that was followed and not detected."""

    @cached_property
    def eyes(self) -> tuple[complex, complex]:
        """The centres of the eyes as x + iy, the eye at the left of the image first."""
        right, left = self.landmarks[0:2].mean(axis=0), self.landmarks[2:4].mean(axis=0)
        return complex(*left), complex(*right)

    @property
    def eye_distance(self) -> float:
        """The distance between the centres of the eyes, in pixels."""
        return abs(self.eyes[1] - self.eyes[0])

    @property
    def roll(self) -> float:
        """The roll of the head in degrees, clockwise as seen in the image."""
        return float(np.degrees(np.angle(self.eyes[1] - self.eyes[0])))

    @cached_property
    def shape(self) -> NDArray[np.complex128]:
        """The landmarks as (5,) complex128, in eye distances from the point between the eyes, without the roll."""
        left, right = self.eyes
        points = self.landmarks[:, 0] + 1j * self.landmarks[:, 1]
        return np.asarray((points - (left + right) / 2) / (right - left))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The face's square as left, top, width and height in pixels, as the detector would draw it."""
        left, right = self.eyes
        middle = (left + right) / 2 + 1j * _BOX_BELOW_EYES * (right - left)
        size = _BOX_SIZE * self.eye_distance
        return middle.real - size / 2, middle.imag - size / 2, size, size

    def overlap(self, other: Face) -> float:
        """Returns the intersection over union of the two faces' boxes, 0 to 1."""
        left, top, width, height = self.box
        other_left, other_top, other_width, other_height = other.box
        across = min(left + width, other_left + other_width) - max(left, other_left)
        down = min(top + height, other_top + other_height) - max(top, other_top)
        if across <= 0 or down <= 0:
            return 0.0
        shared = across * down
        return shared / (width * height + other_width * other_height - shared)

    def is_covered_by(self, others: Iterable[Face]) -> bool:
        """Returns whether a larger face is so close that it may cover a part of this face's crop."""
        return any(
            self.eye_distance < other.eye_distance
            and abs(sum(self.eyes) - sum(other.eyes)) / 2 < _BESIDE * (self.box[2] + other.box[2]) / 2
            for other in others
        )


def is_plausible(face: Face) -> bool:
    """Returns whether the landmarks have the proportions of a face. 99.9 % of FairFace's detections have."""
    shape = face.shape
    eye_widths = shape[0].real - shape[1].real, shape[3].real - shape[2].real
    nose = shape[4]
    return bool(min(eye_widths) > 0.2 and max(eye_widths) < 0.7 and 0.25 < nose.imag < 1.3 and abs(nose.real) < 0.6)
