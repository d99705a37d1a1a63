"""Operations on gray images: conversion, resizing, and sampling through an affine map.

Positions are in pixels, x to the right and y down. (0, 0) is the centre of the first pixel.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# A call on one frame ends before other threads could help, and these would then busy-wait: 3 % of a core. In the
# trainer every worker has its own core, and more threads would compete with torch's.
cv2.setNumThreads(1)

Gray = NDArray[np.uint8]  # (height, width)
Area = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the last two excluded

# The most samples per pixel, in each direction, from which a crop is averaged.
_MAX_OVERSAMPLING = 8


def to_gray(picture: NDArray[np.uint8]) -> Gray:
    """Returns a (height, width, 3) BGR image as gray, (height, width) uint8. A gray image is returned as it is."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))


def resize(gray: Gray, scale: float) -> Gray:
    """Returns a copy at `scale` times the size: halved while that is possible, then interpolated.

    `INTER_AREA` from the full size gives the detector the same results and takes seven times as long.
    """
    size = max(round(gray.shape[1] * scale), 1), max(round(gray.shape[0] * scale), 1)
    while scale <= 0.5:
        half = max(gray.shape[1] // 2, 1), max(gray.shape[0] // 2, 1)
        gray = np.asarray(cv2.resize(gray, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        scale *= 2
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def unscale(position: float, scale: float) -> float:
    """Returns the coordinate in the image of a coordinate in a copy that was resized by `scale`.

    Pixels are squares whose centres have integer coordinates.
    """
    return (position + 0.5) / scale - 0.5


def sample_affine(gray: Gray, to_picture: NDArray[np.float64], size: int, spacing: float) -> Gray:
    """Returns (size, size) uint8 pixels sampled from `gray`; the (2, 3) map `to_picture` gives their positions there.

    Where a pixel covers several pixels of `gray`, it is the mean of samples at most `spacing` pixels apart. So large
    and small faces come out equally sharp, without aliasing.
    """
    step = float(np.hypot(*to_picture[:, 0]))
    samples = min(max(1, int(np.ceil(step / spacing))), _MAX_OVERSAMPLING)
    inner = to_picture.copy()
    inner[:, :2] /= samples
    inner[:, 2] -= inner[:, :2].sum(axis=1) * (samples - 1) / 2
    fine = cv2.warpAffine(
        gray,
        inner,
        (size * samples, size * samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    coarse = fine if samples == 1 else cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(coarse, dtype=np.uint8)
