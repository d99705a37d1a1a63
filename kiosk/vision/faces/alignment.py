"""Crops a face upright and at a standard size: the network's input, 75×75 gray levels.

The kiosk and the trainer share this module, so that the network is trained on exactly what it will see.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray, sample_affine

CROP_SIZE = 75
"""Pixels along a side of the network's input."""

CROP_VERSION = 1
"""Version of the aligned crop. Raise it when the aligner, the detector's settings or the landmark model change:
`trainer prepare` then crops its faces again."""

EYE_DISTANCE = 28.0
"""Pixels between the eye centres of an average face in a crop, which then shows hairline to chin."""

EYE_LINE = 27.0
"""The row of a crop on which the eyes of an average face lie."""

AVERAGE_FACE = np.array([0.7007 - 0.0084j, 0.2993 + 0.0084j, -0.7007 - 0.0084j, -0.2993 + 0.0084j, 0.7495j])
"""The landmarks of an average face, (5,) complex, in eye distances from the point between the eyes: the mean of
29,890 faces of FairFace and their mirror images."""

# Pixels of the image between two samples. At most one, so that near and far faces give equal crops.
_CROP_SPACING = 1.0


def align(gray: Gray, face: Face, margin: int = 0) -> Gray:
    """Returns the aligned crop of a face: (75 + 2 margin, 75 + 2 margin) uint8.

    A similarity transform brings the five landmarks as near as possible to those of an average face (least
    squares; Umeyama, "Least-Squares Estimation of Transformation Parameters Between Two Point Patterns", 1991).
    The nose counts too: in a turned head the eyes come closer together, and by the eyes alone the crop would be
    too large. A margin adds surroundings; the inner 75×75 pixels stay the same except for rounding. Outside the
    image, its border pixels are repeated.
    """
    size = CROP_SIZE + 2 * margin
    to_picture = upright_transform(face, EYE_DISTANCE, complex((size - 1) / 2, EYE_LINE + margin))
    return sample_affine(gray, to_picture, size, _CROP_SPACING)


def upright_transform(face: Face, eye_distance: float, eyes: complex) -> NDArray[np.float64]:
    """Returns the (2, 3) affine map from pixels of an upright crop to pixels of the image.

    In the crop, an average face has this `eye_distance` in pixels, and the point between its eyes lies at `eyes`,
    as x + iy.
    """
    target = eye_distance * AVERAGE_FACE + eyes
    points = face.landmarks[:, 0] + 1j * face.landmarks[:, 1]
    spread = target - target.mean()
    step = np.vdot(spread, points) / np.vdot(spread, spread).real  # one crop pixel to the right, in picture pixels
    origin = points.mean() - step * target.mean()
    return np.array([[step.real, -step.imag, origin.real], [step.imag, step.real, origin.imag]])
