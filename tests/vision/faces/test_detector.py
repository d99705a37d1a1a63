from __future__ import annotations

import cv2
import numpy as np
import pytest

from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.detector import FaceFinder, detection_scale
from kiosk.vision.faces.geometry import Face, is_plausible
from kiosk.vision.faces.image import Gray


def difference(one: Gray, other: Gray) -> float:
    return float(np.abs(one.astype(float) - other).mean())


def rotate(gray: Gray, degrees: float, scale: float = 1.0) -> Gray:
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    return np.asarray(cv2.warpAffine(gray, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def test_detector_finds_the_face_and_its_landmarks(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    assert face.score > 1
    assert is_plausible(face)
    assert face.shape[4].imag == pytest.approx(0.745, abs=0.25)


@pytest.mark.parametrize("degrees", [-15.0, -8.0, 8.0, 15.0])
def test_rotated_face_gives_the_same_crop(finder: FaceFinder, portrait: Gray, degrees: float) -> None:
    (upright,) = finder.detect(portrait)
    rotated = rotate(portrait, degrees)
    (leaning,) = finder.detect(rotated)
    assert leaning.roll == pytest.approx(upright.roll - degrees, abs=3)
    crop, crop_of_rotated = align(portrait, upright), align(rotated, leaning)
    unaligned = align(rotate(portrait, degrees), upright)
    assert difference(crop, crop_of_rotated) < 5
    assert difference(crop, crop_of_rotated) < difference(crop, unaligned) / 2


@pytest.mark.parametrize("scale", [0.6, 1.6])
def test_face_of_another_size_gives_the_same_crop(finder: FaceFinder, portrait: Gray, scale: float) -> None:
    (face,) = finder.detect(portrait)
    resized = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    (other,) = finder.detect(resized)
    assert difference(align(portrait, face), align(resized, other)) < 6


def test_detection_in_a_scaled_copy_finds_the_same_box(finder: FaceFinder, portrait: Gray) -> None:
    (face,), (found,) = finder.detect(portrait), finder.detect(portrait, scale=0.7)
    assert face.overlap(found) > 0.85


@pytest.mark.parametrize("times", [3.0, 6.5])
def test_large_face_is_found_in_a_strongly_reduced_copy(finder: FaceFinder, portrait: Gray, times: float) -> None:
    (face,) = finder.detect(portrait)
    large = np.asarray(cv2.resize(portrait, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR), np.uint8)
    scale = 90 / (face.box[2] * times)
    (found,) = finder.detect(large, scale)
    assert found.overlap(Face((face.landmarks + 0.5) * times - 0.5)) > 0.85


def test_image_of_one_column_can_be_reduced(finder: FaceFinder) -> None:
    assert finder.detect(np.zeros((900, 1), np.uint8), 0.1) == []


def test_small_still_image_is_searched_at_twice_its_size(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    scale = 45 / face.box[2]
    small = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    assert not finder.detect(small)
    (found,) = finder.detect_in_still(small)
    assert found.eye_distance == pytest.approx(face.eye_distance * scale, rel=0.1)


def test_follow_finds_a_face_that_moved_a_little(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    moved = np.roll(portrait, (3, 6), axis=(0, 1))
    followed = finder.follow(moved, face)
    shift = sum(followed.eyes) / 2 - sum(face.eyes) / 2
    assert shift.real == pytest.approx(6, abs=2)
    assert shift.imag == pytest.approx(3, abs=2)
    assert followed.score == 0


@pytest.mark.parametrize("kind", ["noise", "blank", "gradient"])
def test_image_without_a_face_gives_no_detection(finder: FaceFinder, kind: str) -> None:
    pictures = {
        "noise": np.random.default_rng(1).integers(0, 256, (240, 320), dtype=np.uint8),
        "blank": np.full((240, 320), 128, np.uint8),
        "gradient": np.tile(np.linspace(0, 255, 320), (240, 1)).astype(np.uint8),
    }
    assert finder.detect_in_still(pictures[kind]) == []


@pytest.mark.parametrize(("height", "scale"), [(270, 60 / 54), (480, 60 / 96), (720, 60 / 144), (100, 2.0)])
def test_detection_scale_makes_the_smallest_face_60_pixels_wide(height: int, scale: float) -> None:
    assert detection_scale(height, 0.2) == pytest.approx(scale)


def test_detection_in_an_area_returns_image_coordinates(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    left, top, width, height = (round(side) for side in face.box)
    area = (left - width // 2, max(top - height // 2, 0), left + 2 * width, top + 2 * height)
    (found,) = finder.detect(portrait, area=area)
    assert found.overlap(face) > 0.9
    assert finder.detect(portrait, area=(0, 0, left, portrait.shape[0])) == []


@pytest.mark.parametrize("size", [45, 160])
def test_detect_near_finds_small_and_large_faces(finder: FaceFinder, portrait: Gray, size: int) -> None:
    (face,) = finder.detect(portrait)
    scale = size / face.box[2]
    picture = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    expected = Face(face.landmarks * scale)
    before = Face(expected.landmarks + 0.15 * size)
    found = finder.detect_near(picture, before)
    assert found is not None
    assert found.overlap(expected) > 0.7


def test_detect_near_returns_none_without_a_face_or_outside_the_image(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    assert finder.detect_near(np.full_like(portrait, 120), face) is None
    assert finder.detect_near(portrait, Face(face.landmarks + 10_000)) is None
