"""Crops to verify an engine without a data set: faces of the demo clip, and noise.

The faces in the clip are synthetic. The noise finds an engine that is wrong only on crops without a face.
"""

from __future__ import annotations

from importlib import resources

import cv2
import numpy as np

from kiosk.inference import Crops
from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.detector import FaceFinder, detection_scale
from kiosk.vision.faces.image import to_gray

CLIP_FACES = 48
"""Crops of faces; the others are noise."""
_EVERY = 12  # frames: then the face has moved
_NOISE = 16
_SMALLEST_FACE = 0.2  # of the frame's height


def sample_crops() -> Crops:
    """Returns `(64, 1, 75, 75) float32` gray levels in 0…1, always the same."""
    noise = np.random.default_rng(0).random((_NOISE, 1, 75, 75), np.float32)
    return np.concatenate([_clip_faces(), noise])


def _clip_faces() -> Crops:
    finder = FaceFinder()
    crops: list[np.ndarray] = []
    with resources.as_file(resources.files("kiosk.assets") / "demo.mp4") as path:
        clip = cv2.VideoCapture(str(path))
        try:
            number = 0
            while len(crops) < CLIP_FACES and clip.grab():
                number += 1
                if number % _EVERY:
                    continue
                gray = to_gray(np.asarray(clip.retrieve()[1], dtype=np.uint8))
                faces = finder.detect(gray, detection_scale(gray.shape[0], _SMALLEST_FACE))
                crops += [align(gray, face) for face in faces]
        finally:
            clip.release()
    return np.stack(crops[:CLIP_FACES])[:, None] / np.float32(255)
