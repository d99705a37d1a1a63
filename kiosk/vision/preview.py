"""One picture in shared memory, overwritten in place: how the window sees what the camera sees.

The picture never passes through a file, a pipe or the part of the program that writes to disk. A
counter before the pixels is odd while they are being written, so a reader knows a torn picture.
"""

from __future__ import annotations

from multiprocessing.shared_memory import SharedMemory

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.messages import Preview

MOST_PIXELS = 1280 * 720
"""A larger frame is reduced to this: no screen shows more of it."""

_COUNTER, _FRAME, _WIDTH, _HEIGHT, _FRAME_WIDTH, _FRAME_HEIGHT, _FIELDS = range(7)
_HEADER_BYTES = _FIELDS * 8


class PreviewMemory:
    """The shared picture. One process creates it and reads, another attaches and writes."""

    def __init__(self, memory: SharedMemory, *, owner: bool) -> None:
        self._memory = memory
        self._owner = owner
        self._header: NDArray[np.int64] = np.ndarray(_FIELDS, np.int64, memory.buf)
        self._last_shown = 0

    @classmethod
    def create(cls) -> PreviewMemory:
        """Memory for one picture, all zero."""
        return cls(SharedMemory(create=True, size=_HEADER_BYTES + MOST_PIXELS * 3), owner=True)

    @classmethod
    def attach(cls, name: str) -> PreviewMemory:
        """The memory that another process created."""
        memory = cls(SharedMemory(name), owner=False)
        memory._header[_COUNTER] += memory._header[_COUNTER] % 2  # its last writer died while writing
        return memory

    @property
    def name(self) -> str:
        """What `attach` wants."""
        return self._memory.name

    def write(self, image: NDArray[np.uint8], frame: int) -> None:
        """Puts a (height, width, 3) BGR frame in place of the last one."""
        height, width = image.shape[:2]
        reduced = _reduced(image)
        shown_height, shown_width = reduced.shape[:2]
        self._header[_COUNTER] += 1
        self._header[_FRAME:] = frame, shown_width, shown_height, width, height
        self._pixels(shown_width, shown_height)[:] = reduced
        self._header[_COUNTER] += 1

    def clear(self) -> None:
        """Puts nothing in place of the last picture."""
        self._header[_COUNTER] += 1
        self._header[_FRAME:] = 0
        self._pixels(MOST_PIXELS, 1)[:] = 0
        self._header[_COUNTER] += 1

    def read(self) -> Preview | None:
        """A copy of the picture, or None where it is the one last read, or is being written."""
        counter, frame, width, height, frame_width, frame_height = (int(value) for value in self._header)
        if counter == self._last_shown or counter % 2 or not 0 < width * height <= MOST_PIXELS:
            return None
        image = self._pixels(width, height).copy()
        if self._header[_COUNTER] != counter:
            return None
        self._last_shown = counter
        return Preview(frame, image, (frame_width, frame_height))

    def close(self) -> None:
        """Lets go of the memory; its owner frees it."""
        del self._header
        self._memory.close()
        if self._owner:
            self._memory.unlink()

    def _pixels(self, width: int, height: int) -> NDArray[np.uint8]:
        return np.ndarray((height, width, 3), np.uint8, self._memory.buf, offset=_HEADER_BYTES)


def _reduced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if width * height <= MOST_PIXELS:
        return image
    scale = (MOST_PIXELS / (width * height)) ** 0.5
    size = max(int(width * scale), 1), max(int(height * scale), 1)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
