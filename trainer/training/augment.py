"""Makes training samples from stored crops, with gray levels from 0 to 1.

One affine warp shifts, rotates, scales and mirrors a crop. Then contrast and brightness change, and some crops are
blurred or get noise, as with a cheap camera in bad light.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.alignment import CROP_SIZE
from trainer.data.prepared import STORED_SIZE

Batch = NDArray[np.float32]  # (n, 1, 75, 75)


@dataclass(frozen=True)
class Augmentation:
    """The ranges of random augmentation. Every value is drawn uniformly from its range."""

    shift: float = 3.0
    """The largest shift in pixels, in each direction."""
    turn: float = 10.0
    """The largest rotation in degrees, in each direction."""
    scale: float = 0.1
    """The largest change of size, as a share."""
    contrast: float = 0.35
    brightness: float = 0.15
    blur: float = 0.1
    """The share of crops that are blurred, with a standard deviation of up to 1.2 pixels."""
    noise: float = 0.1
    """The share of crops that get noise, with a standard deviation of up to 0.05."""
    cover: float = 0.1
    """The share of crops in which a rectangle of up to 25 pixels is covered with one gray level."""


def centre_crops(stored: NDArray[np.uint8]) -> Batch:
    """Returns (n, 1, 75, 75) float32 crops, 0 to 1, as the kiosk makes them, from (n, 99, 99) uint8 stored crops."""
    edge = (STORED_SIZE - CROP_SIZE) // 2
    inner = stored[:, None, edge : edge + CROP_SIZE, edge : edge + CROP_SIZE]
    return inner / np.float32(255)


def augment(crop: NDArray[np.uint8], rng: np.random.Generator, how: Augmentation) -> NDArray[np.float32]:
    """Returns one random (75, 75) float32 sample, 0 to 1, of a (99, 99) uint8 stored crop.

    Every crop has its own generator `rng`, so that batch size and number of processes do not change the samples.
    """
    view = _warped(crop, rng, how)
    mean = view.mean()
    view = (view - mean) * np.float32(rng.uniform(1 - how.contrast, 1 + how.contrast)) + mean
    view += np.float32(rng.uniform(-how.brightness, how.brightness))
    if rng.random() < how.blur:
        view = np.asarray(cv2.GaussianBlur(view, (0, 0), rng.uniform(0.4, 1.2)), dtype=np.float32)
    if rng.random() < how.noise:
        view += rng.normal(0, rng.uniform(0, 0.05), view.shape).astype(np.float32)
    if rng.random() < how.cover:
        height, width = rng.integers(8, 26, 2)
        top, left = rng.integers(0, CROP_SIZE - height), rng.integers(0, CROP_SIZE - width)
        view[top : top + height, left : left + width] = rng.random()
    return np.clip(view, 0, 1, dtype=np.float32)


def _warped(crop: NDArray[np.uint8], rng: np.random.Generator, how: Augmentation) -> NDArray[np.float32]:
    """Returns the crop shifted, rotated, scaled and perhaps mirrored, in one interpolation."""
    turn = np.radians(rng.uniform(-how.turn, how.turn))
    scale = 1 + rng.uniform(-how.scale, how.scale)
    flip = -1 if rng.random() < 0.5 else 1
    across, down = scale * np.cos(turn), scale * np.sin(turn)
    linear = np.array([[flip * across, -down], [flip * down, across]])
    target_middle = np.full(2, (CROP_SIZE - 1) / 2)
    source_middle = np.full(2, (STORED_SIZE - 1) / 2) + rng.uniform(-how.shift, how.shift, 2)
    to_crop = np.column_stack([linear, source_middle - linear @ target_middle])
    warped = cv2.warpAffine(
        crop,
        to_crop,
        (CROP_SIZE, CROP_SIZE),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped / np.float32(255))
