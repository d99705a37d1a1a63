"""A vision process whose camera, memory and patience are made up: it is the real one, on a camera that does as told."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from kiosk.vision.capture import camera
from kiosk.vision.pipeline import Pipeline
from kiosk.vision.process import memory_watch, worker

SAYS = "FAULTY_CAMERA"
"""The environment's name of the file that says what the camera does."""

_RATE = 50.0  # frames a second
_SIZES = ((480, 640), (479, 641), (1, 1), (3, 700), (700, 3), (96, 128))


class Camera:
    """A cv2.VideoCapture that does what the file says at the moment."""

    def __init__(self, *_: object) -> None:
        self._random = np.random.default_rng()
        self._sizes: Iterator[int] = count()
        self._still = self._noise(480, 640, 3)

    def isOpened(self) -> bool:  # noqa: N802
        return _does() != "absent"

    def set(self, *_: object) -> bool:
        return True

    def grab(self) -> bool:
        time.sleep(1 / _RATE)  # as a camera does
        if _does() == "blocked":
            threading.Event().wait()
        return _does() != "absent"

    def release(self) -> None:
        pass

    def retrieve(self) -> tuple[bool, Any]:
        match _does():
            case "frozen":
                return True, self._still.copy()
            case "gray":
                return True, self._noise(480, 640)
            case "all gray":
                return True, np.full((480, 640, 3), 128, np.uint8)
            case "odd":
                return True, self._noise(*_SIZES[next(self._sizes) % len(_SIZES)], 3)
            case "corrupt":
                raise cv2.error("Corrupt JPEG data")
        return True, self._noise(480, 640, 3)

    def _noise(self, *shape: int) -> np.ndarray:
        return self._random.integers(100, 110, shape, np.uint8)


def work(*arguments: Any) -> None:
    """In the place of `kiosk.vision.process.worker.work`."""
    cv2.VideoCapture = Camera  # type: ignore[misc,assignment]
    camera._RECONNECT_SECONDS = (0.01, 0.02, 0.05)  # type: ignore[assignment]
    camera.FROZEN_AFTER = 0.2
    worker.STALLED_AFTER = 0.5
    memory_watch.SETTLED_AFTER = memory_watch._LOOK_EVERY = 0.05
    _note_what_is_forgotten()
    settled = memory_watch.resident_bytes()
    memory_watch.MemoryWatch.__init__.__defaults__ = (lambda: settled + memory_watch.LEAK * (_does() == "leaking"),)  # type: ignore[misc]
    worker.work(*arguments)


def forgotten(says: Path) -> int:
    """How often everybody was forgotten, told by the file that says what the camera does."""
    notes = says.with_suffix(".forgotten")
    return notes.stat().st_size if notes.exists() else 0


def _note_what_is_forgotten() -> None:
    forget, notes = Pipeline.forget, Path(os.environ[SAYS]).with_suffix(".forgotten")

    def noted(pipeline: Pipeline) -> None:
        with notes.open("a", encoding="ascii") as file:
            file.write("x")
        forget(pipeline)

    Pipeline.forget = noted  # type: ignore[method-assign]


def _does() -> str:
    return Path(os.environ[SAYS]).read_text(encoding="ascii")
