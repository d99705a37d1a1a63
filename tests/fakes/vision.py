"""Test doubles of vision: faces, frames, a finder and an engine."""

from __future__ import annotations

import numpy as np

from kiosk.estimate import DECADES
from kiosk.inference import Crops, Manifest, Probabilities
from kiosk.inference.manifest import CROP_SHAPE, GENDER_LABELS, GroupEntry, Temperatures
from kiosk.vision.capture.frame import Frame
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Area, Gray

MANIFEST = Manifest(
    format="onnx",
    sha256="0" * 64,
    input_shape=CROP_SHAPE,
    gender_labels=GENDER_LABELS,
    age_groups=tuple(GroupEntry(label=group.label, low=group.low, high=group.high) for group in DECADES),
    temperatures=Temperatures(gender=1, age=1),
    trained_on="nothing",
    built_by={},
)


def face_at(x: float, y: float, eye_distance: float = 40.0, score: float = 1.0, roll: float = 0.0) -> Face:
    """Returns an average face whose point between the eyes is (x, y), in pixels; `roll` is in degrees."""
    shape = np.array([0.70, 0.30, -0.70, -0.30, 0.745j])
    points = complex(x, y) + shape * eye_distance * np.exp(1j * np.radians(roll))
    return Face(np.column_stack([points.real, points.imag]), score)


def frame_at(index: int, rate: float = 25.0) -> Frame:
    """Returns a 640×480 frame with enough detail for a good crop."""
    image = np.random.default_rng(0).integers(60, 200, (48, 64, 3), dtype=np.uint8)
    return Frame(image.repeat(10, axis=0).repeat(10, axis=1), index, index / rate, 0.0)


class FakeFinder:
    """Finds the faces that it is given, and records the calls."""

    def __init__(self, faces: list[Face] | None = None) -> None:
        self.faces = faces or []
        """All faces that every search finds, the nearest first."""
        self.small: list[Face] = []
        """Faces that only the search of a tile, or around an earlier position, finds."""
        self.detections = 0
        self.searched_areas: list[Area] = []
        self.follows = 0

    def detect(self, _gray: Gray, _scale: float = 1.0, area: Area | None = None) -> list[Face]:
        if area is None:
            self.detections += 1
            return list(self.faces)
        self.searched_areas.append(area)
        return [face for face in self.faces + self.small if _within(face, area)]

    def detect_near(self, _gray: Gray, face: Face) -> Face | None:
        there = [other for other in self.faces + self.small if other.overlap(face) > 0]
        return max(there, key=face.overlap, default=None)

    def follow(self, _gray: Gray, face: Face) -> Face:
        """Returns the nearest face, or `face` if there is none: a landmark predictor always returns landmarks."""
        self.follows += 1
        near = self.detect_near(_gray, face)
        return Face((near or face).landmarks)


def _within(face: Face, area: Area) -> bool:
    left, top, width, height = face.box
    return area[0] <= left and area[1] <= top and left + width <= area[2] and top + height <= area[3]


class FakeEngine:
    """Returns the same probabilities for every crop."""

    name = "fake"
    fault: str | None = None
    manifest = MANIFEST

    def __init__(self, female: float = 0.9, group: int = 3) -> None:
        self.female = female
        self.group = group
        self.batches: list[int] = []

    def infer(self, crops: Crops) -> Probabilities:
        self.batches.append(len(crops))
        age = np.full(len(DECADES), 0.3 / (len(DECADES) - 1))
        age[self.group] = 0.7
        gender = np.array([self.female, 1 - self.female])
        return Probabilities(
            np.tile(gender, (len(crops), 1)).astype(np.float32), np.tile(age, (len(crops), 1)).astype(np.float32)
        )

    def close(self) -> None: ...
