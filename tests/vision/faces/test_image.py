from __future__ import annotations

import numpy as np

from kiosk.vision.faces.image import to_gray


def test_gray_of_colour_and_of_gray() -> None:
    colour = np.zeros((2, 2, 3), np.uint8)
    colour[:] = (0, 255, 0)
    assert (to_gray(colour) == 150).all()
    gray = np.zeros((2, 2), np.uint8)
    assert to_gray(gray) is gray
