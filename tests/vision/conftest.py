"""Faces for tests: those of the demo clip, which shows no real people."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from kiosk.vision.capture.source import DEMO, open_source
from kiosk.vision.faces.detector import FaceFinder
from kiosk.vision.faces.image import Gray, to_gray


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="session")
def portrait(finder: FaceFinder) -> Gray:
    """A gray frame, (height, width) uint8, with exactly one large, upright face."""
    for frame in open_source(DEMO).frames():
        assert frame is not None
        if frame.index % 10:
            continue
        gray = to_gray(frame.image)
        faces = finder.detect(gray)
        if len(faces) == 1 and faces[0].score > 1 and abs(faces[0].roll) < 2:
            return gray
    pytest.fail("the demo clip has no frame with a single face")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three images of different sizes, one of them gray, and a text file."""
    path = tmp_path / "pictures"
    path.mkdir()
    cv2.imwrite(str(path / "b.png"), np.full((20, 30, 3), 100, np.uint8))
    cv2.imwrite(str(path / "a.jpg"), np.full((40, 50), 50, np.uint8))
    cv2.imwrite(str(path / "c.bmp"), np.full((10, 10, 3), 150, np.uint8))
    (path / "notes.txt").write_text("not a picture")
    return path
