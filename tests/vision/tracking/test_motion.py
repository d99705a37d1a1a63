from __future__ import annotations

import numpy as np
import pytest

from kiosk.vision.faces.image import Gray
from kiosk.vision.tracking.motion import MotionDetector


@pytest.fixture
def room() -> Gray:
    """A (480, 640) frame of a room with light and dark cells."""
    cells = np.random.default_rng(3).integers(20, 200, (12, 16), dtype=np.uint8)
    return cells.repeat(40, axis=0).repeat(40, axis=1)


def has_moved(before: Gray, now: Gray) -> bool:
    motion = MotionDetector()
    assert not motion.has_moved(before)
    return motion.has_moved(now)


def change_light(gray: Gray, gain: float) -> Gray:
    return np.clip(gray * gain, 0, 255).astype(np.uint8)


def test_equal_frames_are_not_movement(room: Gray) -> None:
    assert not has_moved(room, room.copy())


@pytest.mark.parametrize("gain", [0.7, 0.9, 1.1, 1.2])
def test_change_of_exposure_is_not_movement(room: Gray, gain: float) -> None:
    assert not has_moved(room, change_light(room, gain))


def test_sensor_noise_is_not_movement(room: Gray) -> None:
    noise = np.random.default_rng(1).normal(0, 15, (2, *room.shape))
    first, second = (np.clip(room + part, 0, 255).astype(np.uint8) for part in noise)
    assert not has_moved(first, second)


def test_lamp_flicker_in_rolling_shutter_bands_is_not_movement(room: Gray) -> None:
    rows = np.arange(480)[:, None]
    first, second = (np.clip(room + 12 * np.sin(rows / 40 + phase), 0, 255).astype(np.uint8) for phase in (0.0, 2.0))
    assert not has_moved(first, second)


@pytest.mark.parametrize("side", [60, 150, 400])
def test_arriving_person_is_movement(room: Gray, side: int) -> None:
    occupied = room.copy()
    occupied[40 : 40 + side, 120 : 120 + side] = 235
    assert has_moved(room, occupied)


def test_arriving_person_is_movement_while_the_light_changes(room: Gray) -> None:
    occupied = room.copy()
    occupied[40:140, 120:220] = 235
    assert has_moved(room, change_light(occupied, 0.9))


def test_forgotten_frame_is_not_compared(room: Gray) -> None:
    motion = MotionDetector()
    motion.has_moved(room)
    motion.forget()
    assert not motion.has_moved(255 - room)
