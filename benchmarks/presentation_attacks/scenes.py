"""Renders a camera's view of a picture held in front of it, and of a head, from one photograph of a face.

Each subject is a surface over a plane: flat for a sheet, a cylinder for a bent sheet, a relief for a head. The camera
is a pinhole camera of 640×480 pixels and 60 degrees; lengths are in centimetres. The heads are synthetic: a photograph
over an average relief, without hidden sides, shading or expression. They show that a turning head can be distinguished
from a sheet, not how often real people are refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
Plane = NDArray[np.float32]

WIDTH, HEIGHT = 640, 480
FOCAL = WIDTH / 2 / math.tan(math.radians(30))
RATE = 25.0
EYES_APART = 6.3  # between the middles of an adult's eyes

GRID = 8.0  # samples of a relief per centimetre
_STEPS = 8  # iterations of the search for the point where a ray meets the surface


@dataclass(frozen=True)
class Pose:
    """The position of the surface's centre in cm from the camera, and its rotation in degrees."""

    x: float = 0.0
    y: float = 0.0
    z: float = 50.0
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0

    @property
    def rotation(self) -> NDArray[np.float64]:
        """The (3, 3) rotation from the surface's axes to the camera's."""
        turn = np.eye(3)
        for axis, degrees in (((0, 0, 1), self.roll), ((1, 0, 0), self.pitch), ((0, 1, 0), self.yaw)):
            turn = cv2.Rodrigues(np.array(axis) * math.radians(degrees))[0] @ turn
        return turn


@dataclass(frozen=True)
class Surface:
    """A picture in front of the camera: its gray levels, opacity and relief."""

    picture: Plane
    """(h, w) gray levels."""
    opacity: Plane
    """(h, w) 0…1."""
    scale: float
    """Pixels of the picture per cm."""
    relief: Plane | None = None
    """Heights in cm towards the camera, `GRID` samples per cm, the middle over the picture's; None is flat."""
    bend: float = 0.0
    """Curvature of a sheet in 1/cm, its middle towards the camera."""
    bend_axis: float = 90.0
    """Degrees between the cylinder's axis and the picture's rows."""

    def height(self, u: Plane, v: Plane) -> Plane:
        """Returns the height in cm towards the camera at the points (u, v)."""
        if self.relief is not None:
            rows, columns = self.relief.shape
            at_u, at_v = u * GRID + (columns - 1) / 2, v * GRID + (rows - 1) / 2
            return np.asarray(
                cv2.remap(self.relief, at_u, at_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
            )
        if self.bend:
            across = self._across(u, v)
            return (np.sqrt(1 - np.clip(across * self.bend, -0.98, 0.98) ** 2) - 1).astype(np.float32) / self.bend
        return np.zeros_like(u)

    def place(self, u: Plane, v: Plane) -> tuple[Plane, Plane]:
        """Returns the points of the picture, in cm, that lie over (u, v). A bent sheet is not stretched."""
        if not self.bend:
            return u, v
        across = self._across(u, v)
        along_arc = np.arcsin(np.clip(across * self.bend, -0.98, 0.98)) / self.bend
        angle = math.radians(self.bend_axis - 90)
        longer = (along_arc - across).astype(np.float32)
        return u + longer * np.float32(math.cos(angle)), v + longer * np.float32(math.sin(angle))

    def _across(self, u: Plane, v: Plane) -> Plane:
        angle = math.radians(self.bend_axis - 90)
        return (u * math.cos(angle) + v * math.sin(angle)).astype(np.float32)


def render(surface: Surface, pose: Pose, behind: Plane) -> Plane:
    """Returns (480, 640) gray levels of the surface in front of a background."""
    rotation = pose.rotation
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    rays = np.stack([(x - (WIDTH - 1) / 2) / FOCAL, (y - (HEIGHT - 1) / 2) / FOCAL, np.ones_like(x)], axis=-1)
    # In the surface's own axes, with the third one towards the camera.
    rays = (rays @ rotation).astype(np.float32)
    eye = (-np.array([pose.x, pose.y, pose.z]) @ rotation).astype(np.float32)
    height = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(_STEPS if surface.bend or surface.relief is not None else 1):
        length = (-height - eye[2]) / np.where(np.abs(rays[..., 2]) < 1e-3, 1e-3, rays[..., 2])
        u, v = eye[0] + length * rays[..., 0], eye[1] + length * rays[..., 1]
        height = surface.height(u, v)
    u, v = surface.place(u, v)
    rows, columns = surface.picture.shape
    at = u * surface.scale + (columns - 1) / 2, v * surface.scale + (rows - 1) / 2
    picture = cv2.remap(surface.picture, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    opacity = cv2.remap(surface.opacity, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(picture * opacity + behind * (1 - opacity), np.float32)


def film(picture: Plane, noise: np.random.Generator) -> NDArray[np.uint8]:
    """Returns the picture as a webcam gives it, (480, 640, 3): slightly blurred, with noise and JPEG compression."""
    soft = cv2.GaussianBlur(picture, (0, 0), 0.7) + noise.normal(0, 2.0, picture.shape).astype(np.float32)
    gray = np.clip(soft, 0, 255).astype(np.uint8)
    coded = cv2.imencode(".jpg", cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


# --- Surfaces -------------------------------------------------------------------------------------


def sheet(photo: Gray, eyes: tuple[complex, complex], margin_cm: float = 0.0) -> Surface:
    """Returns the photograph as a print with a life-sized face and a white margin."""
    scale = abs(eyes[1] - eyes[0]) / EYES_APART
    margin = round(margin_cm * scale)
    picture = cv2.copyMakeBorder(photo, *(margin,) * 4, cv2.BORDER_CONSTANT, value=(235,)).astype(np.float32)
    return Surface(picture, np.ones_like(picture), scale)


def head(photo: Gray, eyes: tuple[complex, complex], size: float = 1.0) -> Surface:
    """Returns a synthetic head: the photograph over an average relief, cut out along the head's outline."""
    scale = abs(eyes[1] - eyes[0]) / EYES_APART
    middle = (eyes[0] + eyes[1]) / 2
    half = 14.0  # cm
    side = round(2 * half * scale)
    # The middle of the surface lies between the eyes, EYES_APART × 0.4 below them is the face's own middle.
    shift = np.array([[1, 0, side / 2 - middle.real], [0, 1, side / 2 - middle.imag]])
    picture = cv2.warpAffine(photo, shift, (side, side), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    v, u = (np.mgrid[0:side, 0:side].astype(np.float32) - side / 2) / (scale * EYES_APART)
    inside = 1 - np.hypot(u / 1.2, (v - 0.3) / 1.6)
    opacity = np.clip(inside / 0.06 + 0.5, 0, 1).astype(np.float32)
    samples = round(2 * half * GRID)
    v, u = (np.mgrid[0:samples, 0:samples].astype(np.float32) - (samples - 1) / 2) / (GRID * EYES_APART)
    return Surface(picture, opacity, scale, (size * EYES_APART * face_relief(u, v)).astype(np.float32))


def face_relief(u: Plane, v: Plane) -> Plane:
    """Returns the height of an average face at (u, v), in eye distances from the middle between the eyes.

    An ellipsoid for the skull, and on it a nose, brows, sunken eyes, lips and a chin; sizes after the
    averages of Farkas, "Anthropometry of the Head and Face", 1994 (a nose stands out by about 2 cm).
    """
    skull = 1.25 * np.sqrt(np.clip(1 - (u / 1.3) ** 2 - ((v - 0.3) / 1.9) ** 2, 0, 1))
    ridge = np.interp(v, (-0.2, 0.0, 0.55, 0.63, 0.80), (0.0, 0.12, 0.33, 0.33, 0.0))
    nose = ridge * np.exp(-((u / np.interp(v, (0.0, 0.6), (0.11, 0.19))) ** 2))
    wings = 0.12 * np.exp(-(((np.abs(u) - 0.2) / 0.1) ** 2) - ((v - 0.62) / 0.12) ** 2)
    eyes = -0.10 * np.exp(-(((np.abs(u) - 0.5) / 0.25) ** 2) - (v / 0.16) ** 2)
    lips = 0.08 * np.exp(-((u / 0.35) ** 2) - ((v - 1.1) / 0.14) ** 2)
    chin = 0.10 * np.exp(-((u / 0.3) ** 2) - ((v - 1.6) / 0.2) ** 2)
    return np.asarray(skull + nose + wings + eyes + lips + chin, np.float32)


def screen(frames: list[Plane], scale: float, bezel_cm: float) -> Callable[[float], Surface]:
    """Returns a screen that repeats frames at `RATE`, with moiré stripes and a rolling bar."""
    v, u = np.mgrid[0 : frames[0].shape[0], 0 : frames[0].shape[1]].astype(np.float32)

    def at(time: float) -> Surface:
        frame = frames[int(time * RATE) % len(frames)]
        moire = 5.0 * np.sin(0.9 * u + 0.05 * v) + 4.0 * np.sin(0.25 * v - 9.0 * time)  # moiré, and a rolling bar
        margin = round(bezel_cm * scale)
        picture = cv2.copyMakeBorder(frame + moire, *(margin,) * 4, cv2.BORDER_CONSTANT, value=(15,))
        picture = np.asarray(picture, np.float32)
        return Surface(picture, np.ones_like(picture), scale)

    return at


# --- Scenes ---------------------------------------------------------------------------------------


def room(seed: int) -> Plane:
    """Returns a synthetic background, larger than a frame: boxes and grain."""
    random = np.random.default_rng(seed)
    picture = np.full((HEIGHT + 200, WIDTH + 200), random.uniform(90, 160), np.float32)
    for _ in range(40):
        x, y = (int(value) for value in random.integers(0, (WIDTH + 200, HEIGHT + 200)))
        w, h = (int(value) for value in random.integers(20, 160, 2))
        cv2.rectangle(picture, (x, y), (x + w, y + h), (float(random.uniform(50, 200)),), -1)
    grain = cv2.GaussianBlur(random.normal(0, 30, picture.shape).astype(np.float32), (0, 0), 2.5)
    return cv2.GaussianBlur(picture, (0, 0), 2.0) + grain


@dataclass(frozen=True)
class Scene:
    """A moving surface in front of a room."""

    surface: Callable[[float], Surface]
    pose: Callable[[float], Pose]
    background: int = 0
    """Seed of the room."""
    background_moves: float = 0.0
    """The amplitude in pixels by which the room moves."""
    seconds: float = field(default=4.0)

    def frames(self) -> Iterator[NDArray[np.uint8]]:
        """Yields the camera's frames, (480, 640, 3), at `RATE` per second."""
        noise = np.random.default_rng(self.background)
        place = room(self.background)
        for index in range(round(self.seconds * RATE)):
            time = index / RATE
            sway = self.background_moves * math.sin(2.2 * time)
            left, top = 100 + round(sway), 100 + round(sway / 2)
            behind = place[top : top + HEIGHT, left : left + WIDTH]
            yield film(render(self.surface(time), self.pose(time), behind), noise)


def swinging(
    still: Pose, *, tremor: float = 0.3, seed: int = 0, **swings: tuple[float, float]
) -> Callable[[float], Pose]:
    """Returns a pose that swings about `still` and trembles.

    `swings` has an amplitude and a period in seconds for each moving quantity.
    """
    random = np.random.default_rng(seed)
    phases = random.uniform(0, 2 * math.pi, 6)
    names = ("x", "y", "z", "yaw", "pitch", "roll")

    def at(time: float) -> Pose:
        changes = {}
        for name, phase in zip(names, phases, strict=True):
            trembling = tremor * math.sin(2 * math.pi * 1.3 * time + phase) * (0.5 if name in "xyz" else 1.0)
            reach, period = swings.get(name, (0.0, 1.0))
            changes[name] = getattr(still, name) + trembling + reach * math.sin(2 * math.pi * time / period)
        return replace(still, **changes)

    return at
