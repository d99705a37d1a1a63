from __future__ import annotations

import numpy as np
import pytest

from kiosk.vision.faces.image import Gray
from kiosk.vision.tracking.motion import Motion


@pytest.fixture
def room() -> Gray:
    """A room with light and dark corners."""
    cells = np.random.default_rng(3).integers(20, 200, (12, 16), dtype=np.uint8)
    return cells.repeat(40, axis=0).repeat(40, axis=1)


def moved(before: Gray, now: Gray) -> bool:
    motion = Motion()
    assert not motion.has_moved(before)
    return motion.has_moved(now)


def lit(gray: Gray, gain: float) -> Gray:
    return np.clip(gray * gain, 0, 255).astype(np.uint8)


def test_nothing_moves_in_the_same_picture_twice(room: Gray) -> None:
    assert not moved(room, room.copy())


@pytest.mark.parametrize("gain", [0.7, 0.9, 1.1, 1.2])
def test_a_camera_that_sets_its_exposure_is_no_movement(room: Gray, gain: float) -> None:
    assert not moved(room, lit(room, gain))


def test_the_camera_s_noise_is_no_movement(room: Gray) -> None:
    noise = np.random.default_rng(1).normal(0, 15, (2, *room.shape))
    first, second = (np.clip(room + part, 0, 255).astype(np.uint8) for part in noise)
    assert not moved(first, second)


def test_a_lamp_s_flicker_in_bands_of_a_rolling_shutter_is_no_movement(room: Gray) -> None:
    rows = np.arange(480)[:, None]
    first, second = (np.clip(room + 12 * np.sin(rows / 40 + phase), 0, 255).astype(np.uint8) for phase in (0.0, 2.0))
    assert not moved(first, second)


@pytest.mark.parametrize("side", [60, 150, 400])
def test_somebody_who_comes_is_a_movement(room: Gray, side: int) -> None:
    somebody = room.copy()
    somebody[40 : 40 + side, 120 : 120 + side] = 235
    assert moved(room, somebody)


def test_somebody_who_comes_while_the_light_changes_is_a_movement(room: Gray) -> None:
    somebody = room.copy()
    somebody[40:140, 120:220] = 235
    assert moved(room, lit(somebody, 0.9))


def test_what_was_forgotten_is_not_compared(room: Gray) -> None:
    motion = Motion()
    motion.has_moved(room)
    motion.forget()
    assert not motion.has_moved(255 - room)
