from __future__ import annotations

import cv2
import numpy as np
import pytest

from kiosk.vision.faces.alignment import CROP_SIZE, EYE_DISTANCE, EYE_LINE, align
from kiosk.vision.faces.geometry import Face
from tests.fakes.vision import face_at


def test_eyes_lie_at_their_standard_position_in_the_crop() -> None:
    gray = np.zeros((400, 400), np.uint8)
    face = face_at(203, 187, eye_distance=64, roll=25)
    for eye in face.eyes:
        cv2.circle(gray, (round(eye.real), round(eye.imag)), 5, 255, cv2.FILLED)
    crop = align(gray, face).astype(float)
    assert crop.shape == (CROP_SIZE, CROP_SIZE)
    for side, columns in ((-1, slice(0, 37)), (1, slice(38, 75))):
        half = np.zeros_like(crop)
        half[:, columns] = crop[:, columns]
        rows, cols = np.indices(crop.shape)
        assert (half * rows).sum() / half.sum() == pytest.approx(EYE_LINE, abs=0.5)
        assert (half * cols).sum() / half.sum() == pytest.approx(37 + side * EYE_DISTANCE / 2, abs=0.5)


def test_turned_head_is_scaled_by_less_than_its_eye_distance_shrinks() -> None:
    """In a head turned by 40 degrees, the eyes are a quarter closer together, and the face is as high as before."""
    gray = np.zeros((400, 400), np.uint8)
    for row in (160, 240):
        cv2.line(gray, (0, row), (400, row), 255, 5)
    turn = np.radians(40)
    frontal = face_at(200, 187, eye_distance=64)
    middle = np.array([200, 187])
    points = frontal.landmarks - middle
    depth = np.array([0, 0, 0, 0, 0.4 * 64])  # the nose stands out
    points[:, 0] = points[:, 0] * np.cos(turn) + depth * np.sin(turn)
    turned_aside = Face(points + middle)
    assert turned_aside.eye_distance < 0.77 * frontal.eye_distance

    def size(face: Face) -> float:
        rows = np.flatnonzero(align(gray, face)[:, 37] > 100)
        return float(rows.max() - rows.min())

    by_the_eyes_alone = frontal.eye_distance / turned_aside.eye_distance
    assert 1 < size(turned_aside) / size(frontal) < 0.97 * by_the_eyes_alone


@pytest.mark.parametrize("eye_distance", [20.0, 28.0, 41.0, 90.0])
def test_margin_does_not_change_the_inner_crop(eye_distance: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400), dtype=np.uint8)
    gray = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)
    face = face_at(200, 200, eye_distance, roll=7)
    inner = align(gray, face, margin=12)[12:-12, 12:-12]
    assert np.abs(inner.astype(int) - align(gray, face)).max() <= 3  # OpenCV rounds positions to 1/32 pixel


def test_large_face_is_averaged_without_aliasing() -> None:
    checks = np.indices((600, 600)).sum(axis=0) % 2 * 255
    crop = align(checks.astype(np.uint8), face_at(300, 300, eye_distance=140))
    assert crop.std() < 20  # a checkerboard finer than a crop's pixels is gray


def test_crop_beyond_the_image_edge_repeats_border_pixels() -> None:
    crop = align(np.full((50, 50), 77, np.uint8), face_at(5, 5, eye_distance=28))
    assert (crop == 77).all()
