from __future__ import annotations

import pytest

from kiosk.vision.faces.geometry import Face, is_plausible
from tests.fakes.vision import face_at


def test_face_geometry_follows_from_the_landmarks() -> None:
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


def test_landmarks_out_of_proportion_are_implausible() -> None:
    assert is_plausible(face_at(100, 100, roll=20))
    swapped = face_at(100, 100).landmarks.copy()
    swapped[4, 1] = 60  # the nose above the eyes
    assert not is_plausible(Face(swapped))


def test_smaller_of_two_adjacent_faces_may_be_covered() -> None:
    near, far = face_at(100, 100), Face(face_at(150, 100).landmarks * 0.9)
    assert far.is_covered_by([near, far])
    assert not near.is_covered_by([near, far])
    assert not far.is_covered_by([Face(near.landmarks + 500)])
