"""Reading frames through OpenCV, which may raise or give what is no picture."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

# A damaged file or an absent camera is reported by its source, in one line; OpenCV and FFmpeg
# would add several of their own on standard error. FFmpeg reads its level on first use.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def grabbed(capture: cv2.VideoCapture) -> bool:
    """Whether there is a next frame, which is taken but not yet unpacked."""
    try:
        return capture.grab()
    except cv2.error:
        return False


def decoded(read: Callable[[], tuple[bool, Any]]) -> NDArray[np.uint8] | None:
    """(height, width, 3) BGR of what a decoder gives; None where that is nothing, or no picture."""
    try:
        good, image = read()
        return _colour(image) if good and image is not None and image.size and image.dtype == np.uint8 else None
    except cv2.error:
        return None


def _colour(image: NDArray[Any]) -> NDArray[np.uint8]:
    """(height, width, 3) BGR of a gray or a colour picture. Raises `cv2.error` for one of two or five channels."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels != 3:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR)
    return np.asarray(image, dtype=np.uint8)
