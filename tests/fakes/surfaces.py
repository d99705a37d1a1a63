"""Renders a textured head or sheet that turns before a distant camera. The texture is noise."""

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

_LANDMARKS = np.column_stack([AVERAGE_FACE.real, AVERAGE_FACE.imag])


def make_texture(seed: int = 0) -> Gray:
    """Returns a (200, 200) uint8 texture with fine and coarse detail, like skin, brows and lips."""
    noise = np.random.default_rng(seed).normal(size=(2, SIZE, SIZE)).astype(np.float32)
    fine, coarse = cv2.GaussianBlur(noise[0], (0, 0), 2.0), cv2.GaussianBlur(noise[1], (0, 0), 10.0)
    return np.asarray(np.clip(128 + 25 * fine / fine.std() + 40 * coarse / coarse.std(), 0, 255), np.uint8)


def head_height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the height of a head at (x, y), in eye distances: a ball, and a nose unlike that of `parallax`."""
    ball = np.sqrt(np.clip(2.6 - x**2 - (y - 0.4) ** 2, 0, None))
    return ball + 0.4 * np.exp(-((x / 0.2) ** 2) - ((y - 0.5) / 0.28) ** 2)


def sheet_height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.zeros_like(x + y)


def bent_height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the height of a sheet bent around a cylinder about as wide as a head, in eye distances."""
    return np.sqrt(np.clip(4.0 - x**2 + 0 * y, 0, None))


def folded_height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the height of a sheet folded along the nose, each half by 22 degrees, in eye distances."""
    return -0.4 * np.abs(x) + 0 * y


def render(shape: str, yaw: float, pitch: float = 0.0, *, shift: float = 0.0, seed: int = 0) -> tuple[Gray, Face]:
    """Returns the (200, 200) image of a surface turned by `yaw` and `pitch` degrees and moved by `shift` pixels.

    Also returns the face with its landmarks in that image. `shape` is "head", "sheet" or "bent".
    """
    height = {"head": head_height, "sheet": sheet_height, "bent": bent_height}[shape]
    y, x = (np.mgrid[0:SIZE, 0:SIZE] - MIDDLE) / EYES
    x = x - shift / EYES
    # The point (u, v) of the surface that each pixel shows: x = u cos + h(u, v) sin, solved by iteration.
    u, v = x.copy(), y.copy()
    for _ in range(15):
        moved_u, moved_v = project(u, v, height(u, v), yaw, pitch)
        u, v = u + 0.7 * (x - moved_u), v + 0.7 * (y - moved_v)
    at = [(each * EYES + MIDDLE).astype(np.float32) for each in (u, v)]
    picture = cv2.remap(make_texture(seed), at[0], at[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    places = np.column_stack(project(*_LANDMARKS.T, height(*_LANDMARKS.T), yaw, pitch))
    return np.asarray(picture, np.uint8), Face(places * EYES + MIDDLE + np.array([shift, 0.0]), 1.0)


def project(
    u: NDArray[np.float64], v: NDArray[np.float64], height: NDArray[np.float64], yaw: float, pitch: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the image position of the point (u, v, height) of a surface turned about the point between the eyes.

    Lengths are in eye distances, angles in degrees. The camera is far away: there is no perspective.
    """
    about_up, about_across = math.radians(yaw), math.radians(pitch)
    x = u * math.cos(about_up) + height * math.sin(about_up)
    nearer = height * math.cos(about_up) - u * math.sin(about_up)
    return x, v * math.cos(about_across) + nearer * math.sin(about_across)
