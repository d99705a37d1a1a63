from __future__ import annotations

import cv2
import numpy as np
import pytest

from kiosk.vision.faces import (
    CHIP_SIZE,
    EYE_DISTANCE,
    EYE_LINE,
    Face,
    FaceFinder,
    Gray,
    align,
    detection_scale,
    gray_of,
    plausible,
)


def face_at(x: float, y: float, eye_distance: float = 40.0, roll: float = 0.0) -> Face:
    """A face of average proportions whose eyes' middle is at (x, y)."""
    shape = np.array([0.70, 0.30, -0.70, -0.30, 0.745j])
    points = complex(x, y) + shape * eye_distance * np.exp(1j * np.radians(roll))
    return Face(np.column_stack([points.real, points.imag]))


def difference(one: Gray, other: Gray) -> float:
    return float(np.abs(one.astype(float) - other).mean())


def turned(gray: Gray, degrees: float, scale: float = 1.0) -> Gray:
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    return np.asarray(cv2.warpAffine(gray, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE), dtype=np.uint8)


def test_a_face_knows_its_eyes_roll_and_box() -> None:
    face = face_at(100, 80, eye_distance=50, roll=10)
    assert face.eye_distance == pytest.approx(50)
    assert face.roll == pytest.approx(10)
    left, top, width, height = face.box
    assert width == height == pytest.approx(2.33 * 50)
    assert left < 100 - 25 < 100 + 25 < left + width
    assert top < 80 < top + height


def test_overlap_is_intersection_over_union() -> None:
    face = face_at(100, 100)
    width = face.box[2]
    assert face.overlap(face) == pytest.approx(1)
    assert face.overlap(face_at(100 + width / 2, 100)) == pytest.approx(1 / 3)
    assert face.overlap(face_at(100 + width, 100)) == 0


def test_the_eyes_come_to_their_place_in_the_chip() -> None:
    gray = np.zeros((400, 400), np.uint8)
    face = face_at(203, 187, eye_distance=64, roll=25)
    for eye in face.eyes:
        cv2.circle(gray, (round(eye.real), round(eye.imag)), 5, 255, cv2.FILLED)
    chip = align(gray, face).astype(float)
    assert chip.shape == (CHIP_SIZE, CHIP_SIZE)
    for side, columns in ((-1, slice(0, 37)), (1, slice(38, 75))):
        half = np.zeros_like(chip)
        half[:, columns] = chip[:, columns]
        rows, cols = np.indices(chip.shape)
        assert (half * rows).sum() / half.sum() == pytest.approx(EYE_LINE, abs=0.5)
        assert (half * cols).sum() / half.sum() == pytest.approx(37 + side * EYE_DISTANCE / 2, abs=0.5)


def test_a_head_that_turns_aside_is_enlarged_less_than_its_eyes_come_together() -> None:
    """Turned by 40 degrees, eyes come a quarter nearer to each other, and the face is as high as before."""
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
def test_a_margin_leaves_the_inner_chip_as_it_is(eye_distance: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (400, 400), dtype=np.uint8)
    gray = np.asarray(cv2.GaussianBlur(noise, (0, 0), 2), np.uint8)
    face = face_at(200, 200, eye_distance, roll=7)
    inner = align(gray, face, margin=12)[12:-12, 12:-12]
    assert np.abs(inner.astype(int) - align(gray, face)).max() <= 3  # OpenCV rounds positions to 1/32 pixel


def test_a_large_face_is_averaged_not_skipped_over() -> None:
    checks = np.indices((600, 600)).sum(axis=0) % 2 * 255
    chip = align(checks.astype(np.uint8), face_at(300, 300, eye_distance=140))
    assert chip.std() < 20  # a checkerboard finer than a chip's pixels is gray


def test_a_chip_at_the_picture_s_edge_repeats_its_last_pixels() -> None:
    chip = align(np.full((50, 50), 77, np.uint8), face_at(5, 5, eye_distance=28))
    assert (chip == 77).all()


def test_the_detector_finds_the_face_and_its_features(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    assert face.score > 1
    assert plausible(face)
    assert face.shape[4].imag == pytest.approx(0.745, abs=0.25)


@pytest.mark.parametrize("degrees", [-15.0, -8.0, 8.0, 15.0])
def test_a_rotated_face_gives_the_same_chip(finder: FaceFinder, portrait: Gray, degrees: float) -> None:
    (upright,) = finder.detect(portrait)
    rotated = turned(portrait, degrees)
    (leaning,) = finder.detect(rotated)
    assert leaning.roll == pytest.approx(upright.roll - degrees, abs=3)
    chip, chip_of_rotated = align(portrait, upright), align(rotated, leaning)
    unaligned = align(turned(portrait, degrees), upright)
    assert difference(chip, chip_of_rotated) < 5
    assert difference(chip, chip_of_rotated) < difference(chip, unaligned) / 2


@pytest.mark.parametrize("scale", [0.6, 1.6])
def test_a_face_of_another_size_gives_the_same_chip(finder: FaceFinder, portrait: Gray, scale: float) -> None:
    (face,) = finder.detect(portrait)
    resized = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    (other,) = finder.detect(resized)
    assert difference(align(portrait, face), align(resized, other)) < 6


def test_detection_in_a_scaled_copy_finds_the_same_place(finder: FaceFinder, portrait: Gray) -> None:
    (face,), (found,) = finder.detect(portrait), finder.detect(portrait, scale=0.7)
    assert face.overlap(found) > 0.85


@pytest.mark.parametrize("times", [3.0, 6.5])
def test_a_large_face_is_found_in_a_copy_much_reduced(finder: FaceFinder, portrait: Gray, times: float) -> None:
    (face,) = finder.detect(portrait)
    large = np.asarray(cv2.resize(portrait, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR), np.uint8)
    scale = 90 / (face.box[2] * times)
    (found,) = finder.detect(large, scale)
    assert found.overlap(Face((face.landmarks + 0.5) * times - 0.5)) > 0.85


def test_a_picture_of_a_single_column_can_be_reduced(finder: FaceFinder) -> None:
    assert finder.detect(np.zeros((900, 1), np.uint8), 0.1) == []


def test_a_small_still_is_searched_at_twice_its_size(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    scale = 45 / face.box[2]
    small = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    assert not finder.detect(small)
    (found,) = finder.detect_in_still(small)
    assert found.eye_distance == pytest.approx(face.eye_distance * scale, rel=0.1)


def test_following_finds_a_face_that_moved_a_little(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    moved = np.roll(portrait, (3, 6), axis=(0, 1))
    followed = finder.follow(moved, face)
    shift = sum(followed.eyes) / 2 - sum(face.eyes) / 2
    assert shift.real == pytest.approx(6, abs=2)
    assert shift.imag == pytest.approx(3, abs=2)
    assert followed.score == 0


@pytest.mark.parametrize("kind", ["noise", "blank", "gradient"])
def test_no_face_is_found_where_there_is_none(finder: FaceFinder, kind: str) -> None:
    pictures = {
        "noise": np.random.default_rng(1).integers(0, 256, (240, 320), dtype=np.uint8),
        "blank": np.full((240, 320), 128, np.uint8),
        "gradient": np.tile(np.linspace(0, 255, 320), (240, 1)).astype(np.uint8),
    }
    assert finder.detect_in_still(pictures[kind]) == []


def test_landmarks_out_of_proportion_are_not_plausible() -> None:
    assert plausible(face_at(100, 100, roll=20))
    swapped = face_at(100, 100).landmarks.copy()
    swapped[4, 1] = 60  # the nose above the eyes
    assert not plausible(Face(swapped))


@pytest.mark.parametrize(("height", "scale"), [(270, 60 / 54), (480, 60 / 96), (720, 60 / 144), (100, 2.0)])
def test_the_detection_scale_makes_the_smallest_wanted_face_60_pixels(height: int, scale: float) -> None:
    assert detection_scale(height, 0.2) == pytest.approx(scale)


def test_gray_of_colour_and_of_gray() -> None:
    colour = np.zeros((2, 2, 3), np.uint8)
    colour[:] = (0, 255, 0)
    assert (gray_of(colour) == 150).all()
    gray = np.zeros((2, 2), np.uint8)
    assert gray_of(gray) is gray


def test_detection_in_an_area_gives_places_in_the_picture(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    left, top, width, height = (round(side) for side in face.box)
    area = (left - width // 2, max(top - height // 2, 0), left + 2 * width, top + 2 * height)
    (found,) = finder.detect(portrait, area=area)
    assert found.overlap(face) > 0.9
    assert finder.detect(portrait, area=(0, 0, left, portrait.shape[0])) == []


@pytest.mark.parametrize("size", [45, 160])
def test_a_face_is_found_near_where_it_was_however_small(finder: FaceFinder, portrait: Gray, size: int) -> None:
    (face,) = finder.detect(portrait)
    scale = size / face.box[2]
    picture = np.asarray(cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    there = Face(face.landmarks * scale)
    before = Face(there.landmarks + 0.15 * size)
    found = finder.detect_near(picture, before)
    assert found is not None
    assert found.overlap(there) > 0.7


def test_nobody_is_found_near_a_place_where_nobody_is_or_that_is_outside(finder: FaceFinder, portrait: Gray) -> None:
    (face,) = finder.detect(portrait)
    assert finder.detect_near(np.full_like(portrait, 120), face) is None
    assert finder.detect_near(portrait, Face(face.landmarks + 10_000)) is None


def test_the_farther_of_two_faces_side_by_side_may_be_covered() -> None:
    near, far = face_at(100, 100), Face(face_at(150, 100).landmarks * 0.9)
    assert far.covered_by([near, far])
    assert not near.covered_by([near, far])
    assert not far.covered_by([Face(near.landmarks + 500)])
