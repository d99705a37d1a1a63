"""Gray pictures: made of coloured ones, reduced, and read through an affine map.

Positions are pixels, x to the right and y down, with (0, 0) in the middle of a picture's first pixel.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# A call on one frame is over before other threads have come to help, and these then wait actively: 3 % of a core. In
# the trainer every worker has a core of its own, and more threads would get in the way of torch's.
cv2.setNumThreads(1)

Gray = NDArray[np.uint8]  # (height, width)
Area = tuple[int, int, int, int]  # left, top, right, bottom in pixels, the last two excluded

# No crop is averaged from more than this many samples a pixel in each direction.
_MOST_OVERSAMPLING = 8


def gray_of(picture: NDArray[np.uint8]) -> Gray:
    """A gray copy of a (height, width, 3) BGR picture; a gray picture comes back as it is."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))


def resized(gray: Gray, scale: float) -> Gray:
    """A copy at `scale` times the size: halved as long as that is not too much, and interpolated from there.

    `INTER_AREA` from the full size would look the same to the detector, and take seven times as long.
    """
    size = max(round(gray.shape[1] * scale), 1), max(round(gray.shape[0] * scale), 1)
    while scale <= 0.5:
        half = max(gray.shape[1] // 2, 1), max(gray.shape[0] // 2, 1)
        gray = np.asarray(cv2.resize(gray, half, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        scale *= 2
    return np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def unscaled(position: float, scale: float) -> float:
    """A position in a resized copy → in the picture. Pixels are squares with their middles at integers."""
    return (position + 0.5) / scale - 0.5


def sampled(gray: Gray, to_picture: NDArray[np.float64], size: int, spacing: float) -> Gray:
    """(size, size) pixels read through the affine map `to_picture` (2, 3), which takes them to `gray`.

    Where one pixel covers several of the picture's it is the mean of as many samples, at most `spacing`
    pixels apart: a face that fills the frame and one far away come out equally sharp, without aliasing.
    """
    step = float(np.hypot(*to_picture[:, 0]))
    samples = min(max(1, int(np.ceil(step / spacing))), _MOST_OVERSAMPLING)
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
