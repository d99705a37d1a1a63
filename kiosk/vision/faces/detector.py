"""Faces in a gray picture: find them and fit five landmarks.

The kiosk and the trainer both come here, so that the network is trained on exactly what it will
see. The detector and the landmarks are dlib's: a frontal HOG detector (King, "Max-Margin Object
Detection", 2015), which wants a face of about 80 pixels and sees nothing under about 50, and a
five-point shape predictor (Kazemi and Sullivan, "One Millisecond Face Alignment with an Ensemble
of Regression Trees", 2014).
"""

from __future__ import annotations

import dlib
import numpy as np

from kiosk.vision.faces import dlib_models
from kiosk.vision.faces.geometry import Face, Points
from kiosk.vision.faces.image import Area, Gray, resized, sampled, unscaled

SMALLEST_DETECTABLE = 60
"""Pixels across a face that the detector finds reliably."""

CONVINCING = 0.2
"""A detector's score that a texture taken for a face hardly ever reaches; one in eight faces does not."""

MOST_PIXELS_TO_ENLARGE = 2_000_000
"""Above this a still picture is not searched at twice its size: its faces have pixels enough."""

# Landmarks are fitted on a copy in which the face has this many pixels, because dlib rounds them to
# whole pixels; the margin beside the box keeps the predictor's samples inside the copy.
_FIT_SIZE = 160
_FIT_MARGIN = 0.35

# Pixels of the picture between two samples of that copy: finer is no better, and reading takes longer than fitting.
_FIT_SPACING = 1.5

# A face that was there a moment ago is looked for around its place, in a copy in which it is this large; the margin
# is in its own widths. Its score may be a little lower than a new one's: somebody who turns the head is still there.
_NEAR_SIZE = 90
_NEAR_MARGIN = 0.6
_NEAR_THRESHOLD = -0.2

# Two detections that overlap more than this (intersection over union) are one face.
_SAME_FACE = 0.5


class FaceFinder:
    """dlib's detector and landmark predictor, loaded once. Use it from one thread."""

    def __init__(self) -> None:
        self._detector = dlib_models.frontal_detector()
        self._predictor = dlib_models.landmark_predictor()

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
        copy = part if scale == 1.0 else resized(part, scale)
        boxes, scores, _ = self._detector.run(copy, 0, threshold)
        # The copy's sides are whole pixels, so its true scale differs a little from the one asked for.
        true_scale = copy.shape[1] / part.shape[1]
        faces = []
        for box, score in zip(boxes, scores, strict=True):
            left, top = unscaled(box.left(), true_scale), unscaled(box.top(), true_scale)
            width, height = box.width() / true_scale, box.height() / true_scale
            found = self._fit(gray, (area_left + left, area_top + top, width, height))
            # A second fit starts from the first one's landmarks, as following a face does, so that
            # where the detector's coarse grid happened to put its box leaves no trace in the crop.
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
        copy = sampled(gray, to_picture, side, _FIT_SPACING)
        offset = _FIT_SIZE * _FIT_MARGIN
        start = dlib.rectangle(
            round(offset), round(offset), round(offset + width * scale), round(offset + height * scale)
        )
        points = self._predictor(copy, start).parts()
        fitted = np.array([(point.x, point.y) for point in points], dtype=np.float64)
        return fitted / scale + origin


def detection_scale(height: int, smallest_face: float) -> float:
    """The scale at which to search a frame of `height` pixels for faces from `smallest_face` upward.

    `smallest_face` is a share of the frame's height. A small frame is enlarged up to twice.
    """
    return min(SMALLEST_DETECTABLE / (smallest_face * height), 2.0)


def _distinct(faces: list[Face]) -> list[Face]:
    """Without those whose landmarks came to lie on a face already there: two boxes, one face."""
    kept: list[Face] = []
    for face in faces:
        if all(face.overlap(other) < _SAME_FACE for other in kept):
            kept.append(face)
    return kept
