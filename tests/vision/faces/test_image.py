from __future__ import annotations

import numpy as np

from kiosk.vision.faces.image import to_gray


def test_to_gray_converts_colour_and_returns_gray_unchanged() -> None:
    colour = np.zeros((2, 2, 3), np.uint8)
    colour[:] = (0, 255, 0)
    assert (to_gray(colour) == 150).all()
    gray = np.zeros((2, 2), np.uint8)
    assert to_gray(gray) is gray
