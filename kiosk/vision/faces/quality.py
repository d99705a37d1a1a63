"""Rates the quality of a crop by size, sharpness, brightness and head pose, as one number.

Each measure rises linearly from useless (0) to good enough (1). The quality is their product, so that one bad measure
spoils a crop. The ranges were chosen on FairFace's faces, 95 % of which are above 0.7.
"""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray

GOOD = 0.35
"""A crop of lower quality is not used for an estimate."""

# (useless, good enough)
_EYE_DISTANCE = (8.0, 18.0)  # pixels in the picture
_TURN = (0.50, 0.25)  # horizontal offset of the nose, in eye distances
_SHARPNESS = (0.006, 0.03)  # energy of the Laplacian over that of the gray levels
_NOISE = (3.0, 1.5)  # the same: a face has no more detail than that
_DARK = (12.0, 45.0)  # mean gray level
_BRIGHT = (250.0, 225.0)
_CONTRAST = (6.0, 20.0)  # standard deviation of the gray levels


def quality(crop: Gray, face: Face) -> float:
    """Returns the quality, 0 (useless) to 1, of the (75, 75) crop of `face`."""
    mean, deviation = (float(value) for value in np.array(cv2.meanStdDev(crop)).ravel())
    detail = _detail(crop, deviation)
    return (
        _ramp(face.eye_distance, _EYE_DISTANCE)
        * _ramp(abs(float(face.shape[4].real)), _TURN)
        * _ramp(detail, _SHARPNESS)
        * _ramp(detail, _NOISE)
        * _ramp(mean, _DARK)
        * _ramp(mean, _BRIGHT)
        * _ramp(deviation, _CONTRAST)
    )


def _detail(crop: Gray, deviation: float) -> float:
    """Returns the share of the crop's energy in fine detail, so that contrast alone does not count as sharpness."""
    if deviation == 0:
        return 0.0
    fine = cv2.Laplacian(crop, cv2.CV_32F).var()
    return float(fine) / (deviation**2 + 25.0)  # a little noise in a flat crop is not detail


def _ramp(value: float, ends: tuple[float, float]) -> float:
    """Returns 0 at the first end, 1 at the second, linear between them. The first may be the larger."""
    low, high = ends
    return min(max((value - low) / (high - low), 0.0), 1.0)
