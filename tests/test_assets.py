"""The demo clip shows people that the detector finds, begins and ends with nobody, and stays small."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.vision.faces.detector import FaceFinder, detection_scale
from kiosk.vision.faces.image import Gray, to_gray

CLIP = Path(__file__).parent.parent / "assets" / "demo.mp4"
MOST_BYTES = 3_000_000
SAMPLES = 12


@pytest.fixture(scope="module")
def frames() -> list[Gray]:
    """Every frame, reduced to gray."""
    clip = cv2.VideoCapture(str(CLIP))
    assert clip.isOpened(), f"cv2 cannot open {CLIP}"
    frames = []
    while (read := clip.read())[0]:
        frames.append(to_gray(np.asarray(read[1], np.uint8)))
    clip.release()
    return frames


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


def faces_in(frame: Gray, finder: FaceFinder) -> int:
    return len(finder.detect(frame, detection_scale(len(frame), smallest_face=0.2)))


def test_clip_is_small() -> None:
    assert 100_000 < CLIP.stat().st_size < MOST_BYTES


def test_clip_lasts_between_20_and_30_seconds(frames: list[Gray]) -> None:
    clip = cv2.VideoCapture(str(CLIP))
    rate = clip.get(cv2.CAP_PROP_FPS)
    clip.release()
    assert 20 <= len(frames) / rate <= 30


def test_clip_loops_through_an_empty_scene(frames: list[Gray], finder: FaceFinder) -> None:
    first, last = frames[0], frames[-1]
    assert faces_in(first, finder) == faces_in(last, finder) == 0
    # And so much the same that nobody can be half in view: the room's light differs by no more than this.
    assert float(np.abs(first.astype(float) - last).mean()) < 3


def test_detector_finds_somebody_in_most_frames(frames: list[Gray], finder: FaceFinder) -> None:
    sampled = [frames[i] for i in np.linspace(0, len(frames) - 1, SAMPLES).astype(int)]
    assert sum(faces_in(frame, finder) > 0 for frame in sampled) >= SAMPLES / 2


def test_two_people_come_together(frames: list[Gray], finder: FaceFinder) -> None:
    sampled = frames[round(0.85 * len(frames)) : round(0.95 * len(frames)) : 12]
    assert max(faces_in(frame, finder) for frame in sampled) == 2
