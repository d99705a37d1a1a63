from __future__ import annotations

import cv2
import numpy as np
import pytest

from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from kiosk.vision.liveness.screen_edges import has_screen_edges
from tests.fakes.vision import face_at

EYES = 40
FACE = face_at(320, 200, EYES)


def draw_scene() -> Gray:
    """Returns a (480, 640) dim, noisy room with ovals for a head and shoulders."""
    picture = np.random.default_rng(0).normal(90, 4, (480, 640)).astype(np.float32)
    cv2.ellipse(picture, (320, 460), (130, 150), 0, 0, 360, (70.0,), -1)
    cv2.ellipse(picture, (320, 220), (48, 66), 0, 0, 360, (160.0,), -1)
    return np.clip(picture, 0, 255).astype(np.uint8)


def draw_rectangle(left: float, top: float, right: float, bottom: float) -> Gray:
    """Returns the scene with a bright rectangle; its sides are in eye distances from the point between the eyes."""
    picture = draw_scene()
    corners = [(round(320 + x * EYES), round(200 + y * EYES)) for x, y in ((left, top), (right, bottom))]
    cv2.rectangle(picture, *corners, (230,), 6)
    return picture


def test_plain_room_has_no_screen_edges() -> None:
    assert not has_screen_edges(draw_scene(), FACE)
    assert not has_screen_edges(np.full((480, 640), 100, np.uint8), FACE)


@pytest.mark.parametrize("half", [1.4, 2.0, 2.6])
def test_rectangle_around_the_face_is_detected(half: float) -> None:
    assert has_screen_edges(draw_rectangle(-half, -1.8, half, 2.3), FACE)


def test_rotated_rectangle_is_detected() -> None:
    turn = cv2.getRotationMatrix2D((320.0, 200.0), 25, 1.0)
    picture = np.asarray(cv2.warpAffine(draw_rectangle(-1.8, -1.8, 1.8, 2.3), turn, (640, 480)), np.uint8)
    landmarks = FACE.landmarks @ turn[:, :2].T + turn[:, 2]
    assert has_screen_edges(picture, Face(landmarks))


def test_door_frame_around_a_person_is_not_a_screen() -> None:
    picture = draw_rectangle(-2.0, -1.8, 2.0, 12.0)
    assert not has_screen_edges(picture, FACE)


def test_single_edge_is_not_a_screen() -> None:
    assert not has_screen_edges(draw_rectangle(-9.0, -9.0, 1.6, 2.3), FACE)
