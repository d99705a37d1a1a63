"""Runs the real vision process with a simulated camera, simulated memory use and short timeouts."""

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

CONTROL_FILE = "FAULTY_CAMERA"
"""The environment variable with the path of the control file, which holds the camera's behaviour as one word."""

_RATE = 50.0  # frames a second
_SIZES = ((480, 640), (479, 641), (1, 1), (3, 700), (700, 3), (96, 128))


class Camera:
    """A cv2.VideoCapture that behaves as the control file says at each call."""

    def __init__(self, *_: object) -> None:
        self._random = np.random.default_rng()
        self._sizes: Iterator[int] = count()
        self._still = self._noise(480, 640, 3)

    def isOpened(self) -> bool:  # noqa: N802
        return _behaviour() != "absent"

    def set(self, *_: object) -> bool:
        return True

    def grab(self) -> bool:
        time.sleep(1 / _RATE)  # a camera waits for its next frame
        if _behaviour() == "blocked":
            threading.Event().wait()
        return _behaviour() != "absent"

    def release(self) -> None:
        pass

    def retrieve(self) -> tuple[bool, Any]:
        match _behaviour():
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
    """Replaces `kiosk.vision.process.worker.work`."""
    cv2.VideoCapture = Camera  # type: ignore[misc,assignment]
    camera._RECONNECT_SECONDS = (0.01, 0.02, 0.05)  # type: ignore[assignment]
    camera.FROZEN_AFTER = 0.2
    worker.STALLED_AFTER = 0.5
    memory_watch.SETTLED_AFTER = memory_watch._CHECK_INTERVAL = 0.05
    _record_forgets()
    settled = memory_watch.resident_bytes()

    def measure() -> int:
        return settled + memory_watch.SOFT_LIMIT * (_behaviour() == "leaking")

    memory_watch.MemoryWatch.__init__.__defaults__ = (measure,)  # type: ignore[misc]
    worker.work(*arguments)


def count_forgets(control_file: Path) -> int:
    """Returns how often the pipeline forgot all tracks; `control_file` is the rig's."""
    notes = control_file.with_suffix(".forgotten")
    return notes.stat().st_size if notes.exists() else 0


def _record_forgets() -> None:
    forget, notes = Pipeline.forget, Path(os.environ[CONTROL_FILE]).with_suffix(".forgotten")

    def record_and_forget(pipeline: Pipeline) -> None:
        with notes.open("a", encoding="ascii") as file:
            file.write("x")
        forget(pipeline)

    Pipeline.forget = record_and_forget  # type: ignore[method-assign]


def _behaviour() -> str:
    return Path(os.environ[CONTROL_FILE]).read_text(encoding="ascii")
