"""The network's input: a face cut out upright, at one size, 75×75 gray levels.

The kiosk and the trainer both come here, so that the network is trained on exactly what it will see.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray, sampled

CROP_SIZE = 75
"""Pixels along a side of the network's input."""

CROP_VERSION = 1
"""Version of the aligned crop. Raise it when the aligner, the detector's settings or the landmark model change:
`trainer prepare` then cuts its faces again."""

EYE_DISTANCE = 28.0
"""Pixels between the middles of an average face's eyes in a crop; it shows from the hairline to the chin."""

EYE_LINE = 27.0
"""Row of a crop that an average face's eyes lie on."""

AVERAGE_FACE = np.array([0.7007 - 0.0084j, 0.2993 + 0.0084j, -0.7007 - 0.0084j, -0.2993 + 0.0084j, 0.7495j])
"""(5,) its landmarks in eye distances from the middle of its eyes: the mean of 29,890 faces of FairFace and
their mirror images."""

# Pixels of the picture between two samples: no more than one, so that a large face comes out as one far away.
_CROP_SPACING = 1.0


def align(gray: Gray, face: Face, margin: int = 0) -> Gray:
    """The face upright and at a standard size: (75 + 2 margin, 75 + 2 margin) gray levels.

    The picture is turned, scaled and moved so that its five landmarks come to lie as near as they can
    to those of an average face (least squares; Umeyama, "Least-Squares Estimation of Transformation
    Parameters Between Two Point Patterns", 1991). The nose has its say because a head that turns aside
    brings its eyes together, and by them alone would be cut too large. A margin only adds surroundings:
    the inner 75×75 pixels stay the same, but for rounding. Beyond the picture's edge its last pixels are
    repeated.
    """
    size = CROP_SIZE + 2 * margin
    to_picture = upright(face, EYE_DISTANCE, complex((size - 1) / 2, EYE_LINE + margin))
    return sampled(gray, to_picture, size, _CROP_SPACING)


def upright(face: Face, eye_distance: float, eyes: complex) -> NDArray[np.float64]:
    """(2, 3) the map from an upright crop to the picture, by which `align` reads.

    `eye_distance` is that of an average face in the crop, and `eyes` where the middle of its eyes lies.
    """
    target = eye_distance * AVERAGE_FACE + eyes
    points = face.landmarks[:, 0] + 1j * face.landmarks[:, 1]
    spread = target - target.mean()
    step = np.vdot(spread, points) / np.vdot(spread, spread).real  # one crop pixel to the right, in picture pixels
    origin = points.mean() - step * target.mean()
    return np.array([[step.real, -step.imag, origin.real], [step.imag, step.real, origin.imag]])
