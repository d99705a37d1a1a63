"""Draws an observation into a frame, for recordings. The window draws its own."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import FaceObservation, Observation

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_INK = (250, 250, 250)
_GROUND = (32, 26, 22)
_COLOURS = {"known": (186, 206, 84), "estimating": (235, 235, 235), "unknown": (160, 160, 160)}  # BGR


def drawn(image: NDArray[np.uint8], observation: Observation) -> NDArray[np.uint8]:
    """A copy of a (height, width, 3) BGR frame with every face marked and described."""
    picture = image.copy()
    unit = max(picture.shape[0] / 360, 0.5)
    for face in observation.faces:
        _mark(picture, face, unit)
    return picture


def _mark(picture: NDArray[np.uint8], face: FaceObservation, unit: float) -> None:
    left, top, width, height = face.box
    thickness = max(round(1.5 * unit), 1)
    cv2.rectangle(picture, (left, top), (left + width, top + height), _COLOURS[face.status], thickness, cv2.LINE_AA)
    text = described(face)
    (text_width, text_height), baseline = cv2.getTextSize(text, _FONT, 0.45 * unit, max(round(unit), 1))
    pad = round(4 * unit)
    # Below the face where there is room, else above it; never beyond the sides.
    x = min(max(left, 0), max(picture.shape[1] - text_width - 2 * pad, 0))
    below = top + height + thickness + pad
    y = below if below + text_height + 2 * pad < picture.shape[0] else max(top - text_height - 3 * pad, 0)
    cv2.rectangle(picture, (x, y), (x + text_width + 2 * pad, y + text_height + baseline + pad), _GROUND, cv2.FILLED)
    origin = x + pad, y + text_height + pad
    cv2.putText(picture, text, origin, _FONT, 0.45 * unit, _INK, max(round(unit), 1), cv2.LINE_AA)


def described(face: FaceObservation) -> str:
    """A face in a few words of ASCII, all that OpenCV's font has."""
    if face.status == "known" and face.estimate:
        estimate = face.estimate
        return (
            f"{estimate.gender} {estimate.gender_probability:.0%}  {estimate.group.label}  ~{estimate.expected_age:.0f}"
        )
    return "estimating..." if face.status == "estimating" else "unknown"
