from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from kiosk.vision.faces.quality import GOOD, quality


@pytest.fixture(scope="module")
def face(finder: FaceFinder, portrait: Gray) -> Face:
    return finder.detect(portrait)[0]


@pytest.fixture(scope="module")
def crop(portrait: Gray, face: Face) -> Gray:
    return align(portrait, face)


def test_good_crop_has_high_quality(crop: Gray, face: Face) -> None:
    assert quality(crop, face) > 0.8


@pytest.mark.parametrize(
    "degrade",
    [
        lambda crop: (crop * 0.05).astype(np.uint8),
        lambda crop: np.full_like(crop, 255),
        lambda crop: np.full_like(crop, 128),
        lambda crop: cv2.GaussianBlur(crop, (0, 0), 6),
        lambda crop: np.random.default_rng(0).integers(0, 256, crop.shape, dtype=np.uint8),
    ],
    ids=["dark", "glaring", "flat", "blurred", "noise"],
)
def test_degraded_crop_is_not_usable(crop: Gray, face: Face, degrade: Callable[[Gray], Gray]) -> None:
    assert quality(degrade(crop), face) < GOOD


def test_tiny_face_is_not_usable(crop: Gray, face: Face) -> None:
    assert quality(crop, Face(face.landmarks * 0.1)) < GOOD


def test_head_turned_away_has_quality_0(crop: Gray, face: Face) -> None:
    turned = face.landmarks.copy()
    turned[4, 0] += 0.6 * face.eye_distance
    assert quality(crop, Face(turned)) == 0


def test_quality_falls_with_blur(crop: Gray, face: Face) -> None:
    blurred = [np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma), np.uint8) for sigma in (1.0, 2.5, 4.0, 6.0)]
    values = [quality(each, face) for each in blurred]
    assert values == sorted(values, reverse=True)
