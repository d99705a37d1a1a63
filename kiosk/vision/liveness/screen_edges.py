"""Detects the edges of a screen or a sheet around a face: left, right, and below, across the body.

A door frame or a shelf behind a person has the first two edges, but the body covers the third. A straight edge that
passes below the chin from one side to the other is what a held-up picture has and a person does not. Komulainen, Hadid
and Pietikäinen, "Context Based Face Anti-Spoofing", 2013, search for the borders of a display in a similar way. A
picture larger than the view shows no edges.
"""

from __future__ import annotations

import cv2
import numpy as np

from kiosk.vision.faces.alignment import upright_transform
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray

# The part of the frame that is searched, upright and small.
_SIZE = 128  # pixels along a side
_EYES_APART = 16.0  # pixels
_EYES = complex((_SIZE - 1) / 2, 52.0)

_CANNY = (40.0, 100.0)
_VOTES = 18
_SHORTEST = 1.5  # eye distances
_GAP = 4  # pixels that an edge may be interrupted

_LEAN = 20.0  # degrees from vertical or horizontal
# Positions of edges, in eye distances from the point between the eyes.
_ASIDE = (0.9, 3.2)
_BESIDE_THE_FACE = (-0.5, 1.2)
_BELOW = (1.55, 3.4)
_UNDER_THE_CHIN = 0.2  # the lower edge extends at least this far to both sides


def has_screen_edges(gray: Gray, face: Face) -> bool:
    """Returns whether three sides of a rectangle surround the face in the (height, width) uint8 frame."""
    edges = cv2.Canny(cv2.GaussianBlur(_around(gray, face), (3, 3), 0), *_CANNY)
    lines = cv2.HoughLinesP(edges, 1, np.pi / 180, _VOTES, minLineLength=_SHORTEST * _EYES_APART, maxLineGap=_GAP)
    if lines is None:
        return False
    ends = (np.asarray(lines, np.float64).reshape(-1, 2, 2) - (_EYES.real, _EYES.imag)) / _EYES_APART
    across, down = np.moveaxis(ends[:, 1] - ends[:, 0], 1, 0)
    angle = np.degrees(np.arctan2(np.abs(down), np.abs(across)))
    middle_x, middle_y = np.moveaxis(ends.mean(axis=1), 1, 0)
    first, last = ends.min(axis=1), ends.max(axis=1)
    top, bottom = _BESIDE_THE_FACE
    beside = (angle > 90 - _LEAN) & (first[:, 1] < bottom) & (last[:, 1] > top)
    beside &= (np.abs(middle_x) > _ASIDE[0]) & (np.abs(middle_x) < _ASIDE[1])
    below = (angle < _LEAN) & (first[:, 0] < -_UNDER_THE_CHIN) & (last[:, 0] > _UNDER_THE_CHIN)
    below &= (middle_y > _BELOW[0]) & (middle_y < _BELOW[1])
    return bool(np.any(beside & (middle_x < 0)) and np.any(beside & (middle_x > 0)) and np.any(below))


def _around(gray: Gray, face: Face) -> Gray:
    """Returns the upright face with its surroundings, (_SIZE, _SIZE). Reducing first removes edges of fine texture."""
    to_picture = upright_transform(face, _EYES_APART, _EYES)
    reduction = min(_EYES_APART / face.eye_distance, 1.0)
    small = cv2.resize(gray, None, fx=reduction, fy=reduction, interpolation=cv2.INTER_AREA)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(small, to_picture * reduction, (_SIZE, _SIZE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)
