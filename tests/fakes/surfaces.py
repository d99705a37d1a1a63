"""A face's texture on a sheet or on a head, as a camera far away sees it turn: made of noise, no picture needed."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.alignment import AVERAGE_FACE
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray

SIZE = 200
MIDDLE = 90.0
EYES = 42.0  # pixels between them

_PLACES = np.column_stack([AVERAGE_FACE.real, AVERAGE_FACE.imag])


def texture(seed: int = 0) -> Gray:
    """(200, 200) of blotches of a few pixels and of many, as skin, brows and lips have them."""
    noise = np.random.default_rng(seed).normal(size=(2, SIZE, SIZE)).astype(np.float32)
    fine, coarse = cv2.GaussianBlur(noise[0], (0, 0), 2.0), cv2.GaussianBlur(noise[1], (0, 0), 10.0)
    return np.asarray(np.clip(128 + 25 * fine / fine.std() + 40 * coarse / coarse.std(), 0, 255), np.uint8)


def head_height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eye distances by which a head stands out at (x, y): a ball, and a nose of its own make."""
    ball = np.sqrt(np.clip(2.6 - x**2 - (y - 0.4) ** 2, 0, None))
    return ball + 0.4 * np.exp(-((x / 0.2) ** 2) - ((y - 0.5) / 0.28) ** 2)


def sheet_height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.zeros_like(x + y)


def bent_height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """A sheet around a cylinder about as wide as a head."""
    return np.sqrt(np.clip(4.0 - x**2 + 0 * y, 0, None))


def folded_height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """A sheet folded along the nose, each half going back by 22 degrees."""
    return -0.4 * np.abs(x) + 0 * y


def seen(shape: str, yaw: float, pitch: float = 0.0, *, shift: float = 0.0, seed: int = 0) -> tuple[Gray, Face]:
    """The picture of a surface turned by degrees, and the face where its landmarks came to lie."""
    height = {"head": head_height, "sheet": sheet_height, "bent": bent_height}[shape]
    y, x = (np.mgrid[0:SIZE, 0:SIZE] - MIDDLE) / EYES
    x = x - shift / EYES
    # Where on the surface a pixel looks: x = u cos + h(u, v) sin, solved by going round a few times.
    u, v = x.copy(), y.copy()
    for _ in range(15):
        moved_u, moved_v = projected(u, v, height(u, v), yaw, pitch)
        u, v = u + 0.7 * (x - moved_u), v + 0.7 * (y - moved_v)
    at = [(each * EYES + MIDDLE).astype(np.float32) for each in (u, v)]
    picture = cv2.remap(texture(seed), at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    places = np.column_stack(projected(*_PLACES.T, height(*_PLACES.T), yaw, pitch))
    return np.asarray(picture, np.uint8), Face(places * EYES + MIDDLE + np.array([shift, 0.0]), 1.0)


def projected(
    u: NDArray[np.float64], v: NDArray[np.float64], height: NDArray[np.float64], yaw: float, pitch: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where a far camera sees the point at (u, v, height) of what is turned about the middle of the eyes."""
    about_up, about_across = math.radians(yaw), math.radians(pitch)
    x = u * math.cos(about_up) + height * math.sin(about_up)
    nearer = height * math.cos(about_up) - u * math.sin(about_up)
    return x, v * math.cos(about_across) + nearer * math.sin(about_across)
