"""Reads frames through OpenCV, which may raise an error or return something that is not an image."""

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


def grab(capture: cv2.VideoCapture) -> bool:
    """Takes the next frame without decoding it; returns whether there was one."""
    try:
        return capture.grab()
    except cv2.error:
        return False


def decode_bgr(read: Callable[[], tuple[bool, Any]]) -> NDArray[np.uint8] | None:
    """Returns the (height, width, 3) BGR uint8 image that `read` decodes, or None if it gives no such image."""
    try:
        good, image = read()
        return _to_bgr(image) if good and image is not None and image.size and image.dtype == np.uint8 else None
    except cv2.error:
        return None


def _to_bgr(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Returns (height, width, 3) BGR of a 1-, 3- or 4-channel image. Raises `cv2.error` for other channel counts."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if channels != 3:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR)
    return np.asarray(image, dtype=np.uint8)
