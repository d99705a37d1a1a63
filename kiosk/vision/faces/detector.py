"""Detects faces in a gray image and fits five landmarks to each.

The kiosk and the trainer share this module, so that the network is trained on exactly what it will
see. Detector and landmarks are dlib's: a frontal HOG detector (King, "Max-Margin Object
Detection", 2015), which needs a face of about 80 pixels and finds none below about 50, and a
five-point shape predictor (Kazemi and Sullivan, "One Millisecond Face Alignment with an Ensemble
of Regression Trees", 2014).
"""

from __future__ import annotations

import dlib
import numpy as np

from kiosk.vision.faces import dlib_models
from kiosk.vision.faces.geometry import Face, Points
from kiosk.vision.faces.image import Area, Gray, resize, sample_affine, unscale

SMALLEST_DETECTABLE = 60
"""The width in pixels of the smallest face that the detector finds reliably."""

CONVINCING = 0.2
"""A detection score that textures almost never reach. One in eight real faces does not reach it either."""

MAX_PIXELS_TO_ENLARGE = 2_000_000
"""A still image with more pixels than this is not searched at twice its size."""

# Landmarks are fitted on a copy in which the face has this many pixels, because dlib rounds them to
# whole pixels; the margin beside the box keeps the predictor's samples inside the copy.
_FIT_SIZE = 160
_FIT_MARGIN = 0.35

# Pixels of the image between two samples of that copy. Finer sampling is no better, and takes longer than the fit.
_FIT_SPACING = 1.5

# A face that was seen a moment ago is searched for around its position, in a copy in which it has this many pixels.
# The margin is in face widths. The threshold is lower than for a new face: a person who turns the head is still there.
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
        """Returns the faces in `gray`, or in an `area` of it, searched at `scale` times its size; the largest first.

        `gray` is (height, width) uint8. Landmarks are in pixels of `gray`.
        """
        return self._detect(gray, scale, area or (0, 0, gray.shape[1], gray.shape[0]), 0.0)

    def detect_near(self, gray: Gray, face: Face) -> Face | None:
        """Returns the face near the last position of `face` in `gray`, a (height, width) uint8 frame, or None.

        It also finds faces that are too small or turned too far for `detect`.
        """
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
        faces = self._detect(gray, min(_NEAR_SIZE / width, 2.0), area, _NEAR_THRESHOLD)
        return max(faces, key=face.overlap, default=None)

    def detect_in_still(self, gray: Gray) -> list[Face]:
        """Returns the faces of a still image, the largest first.

        `gray` is (height, width) uint8; landmarks are in its pixels. It is searched at its own size. If that finds none
        and it has at most `MAX_PIXELS_TO_ENLARGE` pixels, it is searched at twice that size.
        """
        faces = self.detect(gray)
        if not faces and gray.size <= MAX_PIXELS_TO_ENLARGE:
            faces = self.detect(gray, scale=2.0)
        return faces

    def follow(self, gray: Gray, face: Face) -> Face:
        """Returns `face` with its landmarks fitted again in `gray`, the next (height, width) uint8 frame.

        Landmarks are in pixels. A lost face also gives landmarks: check the result with `is_plausible`.
        """
        return Face(self._fit(gray, face.box))

    def _detect(self, gray: Gray, scale: float, area: Area, threshold: float) -> list[Face]:
        area_left, area_top, area_right, area_bottom = area
        part = np.ascontiguousarray(gray[area_top:area_bottom, area_left:area_right])
        copy = part if scale == 1.0 else resize(part, scale)
        boxes, scores, _ = self._detector.run(copy, 0, threshold)
        # The copy's sides are whole pixels, so its true scale differs a little from the one asked for.
        true_scale = copy.shape[1] / part.shape[1]
        faces = []
        for box, score in zip(boxes, scores, strict=True):
            left, top = unscale(box.left(), true_scale), unscale(box.top(), true_scale)
            width, height = box.width() / true_scale, box.height() / true_scale
            found = self._fit(gray, (area_left + left, area_top + top, width, height))
            # A second fit starts from the first one's landmarks, as following a face does, so that
            # where the detector's coarse grid happened to put its box leaves no trace in the crop.
            faces.append(Face(self._fit(gray, Face(found).box), float(score)))
        return _distinct(sorted(faces, key=lambda face: face.eye_distance, reverse=True))

    def _fit(self, gray: Gray, box: tuple[float, float, float, float]) -> Points:
        """Returns the (5, 2) landmarks of the face in `box` (left, top, width, height), in pixels with fractions."""
        left, top, width, height = box
        scale = _FIT_SIZE / width
        margin = _FIT_MARGIN * width
        side = round(_FIT_SIZE * (1 + 2 * _FIT_MARGIN))
        # The affine map takes the copy's pixels to the picture's (WARP_INVERSE_MAP).
        origin = left - margin, top - margin
        to_picture = np.array([[1 / scale, 0, origin[0]], [0, 1 / scale, origin[1]]])
        copy = sample_affine(gray, to_picture, side, _FIT_SPACING)
        offset = _FIT_SIZE * _FIT_MARGIN
        start = dlib.rectangle(
            round(offset), round(offset), round(offset + width * scale), round(offset + height * scale)
        )
        points = self._predictor(copy, start).parts()
        fitted = np.array([(point.x, point.y) for point in points], dtype=np.float64)
        return fitted / scale + origin


def detection_scale(height: int, smallest_face: float) -> float:
    """Returns the scale, at most 2, at which a frame of `height` pixels is searched for faces from `smallest_face` up.

    `smallest_face` is a share of the frame's height.
    """
    return min(SMALLEST_DETECTABLE / (smallest_face * height), 2.0)


def _distinct(faces: list[Face]) -> list[Face]:
    """Returns the faces without duplicates: two boxes whose landmarks were fitted to the same face."""
    kept: list[Face] = []
    for face in faces:
        if all(face.overlap(other) < _SAME_FACE for other in kept):
            kept.append(face)
    return kept
