"""The newest camera images in shared memory, through which the window gets its preview.

An image never passes through a file, a pipe or the process that writes to disk. There are three slots. While one is
written, the window shows the last one directly, without a copy. Every image has a number, which its slot holds only
while the image is complete. A reader checks the number again after using the pixels, so that an overwritten image is
never shown. If the writer dies while writing, the previous image remains.
"""

from __future__ import annotations

import contextlib
from multiprocessing.shared_memory import SharedMemory

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.process.messages import Preview

MAX_PIXELS = 1280 * 720
"""Larger frames are reduced to this many pixels; no screen shows more."""
SLOTS = 3
STILL_FRAMES = 25
"""Of this many identical frames in a row only the first is written; then one again, for a reader that lost it."""

_NUMBER, _FRAME, _WIDTH, _HEIGHT, _FRAME_WIDTH, _FRAME_HEIGHT, _FIELDS = range(7)
_CHANNELS = 4
_ALIGNED = 64  # bytes, so that no two slots share a cache line
_MAX_SIDE = 1 << 16  # of a frame, in pixels
_SLOT_PIXELS = MAX_PIXELS * _CHANNELS
_SLOT_BYTES = _ALIGNED + _SLOT_PIXELS


class PreviewMemory:
    """The shared images. One process creates the memory and reads, another attaches and writes."""

    def __init__(self, memory: SharedMemory, *, owner: bool) -> None:
        self._memory = memory
        self._owner = owner
        self._newest = self._numbers(0, 1)
        """The number of the last complete image, of any writer; 0 before the first."""
        self._headers = [self._numbers(_ALIGNED + slot * _SLOT_BYTES, _FIELDS) for slot in range(SLOTS)]
        self._last_shown = 0
        self._last_written: NDArray[np.uint8] | None = None
        self._still = 0

    @classmethod
    def create(cls) -> PreviewMemory:
        """Creates the memory, filled with zeros. The creator frees it in `close`."""
        return cls(SharedMemory(create=True, size=_ALIGNED + SLOTS * _SLOT_BYTES), owner=True)

    @classmethod
    def attach(cls, name: str) -> PreviewMemory:
        """Opens the memory that another process created, by its `name`."""
        return cls(SharedMemory(name), owner=False)

    @property
    def name(self) -> str:
        """The name to pass to `attach`."""
        return self._memory.name

    @property
    def blank(self) -> bool:
        """Whether all slots are empty."""
        return not any(self._pixels(slot, MAX_PIXELS, 1).any() for slot in range(SLOTS))

    def write(self, image: NDArray[np.uint8], frame: int) -> None:
        """Writes a (height, width, 3) BGR uint8 frame over the oldest image, unless it equals the newest one."""
        if self._is_written(image):
            return
        height, width = image.shape[:2]
        reduced = _reduced(image)
        shown_height, shown_width = reduced.shape[:2]
        number = int(self._newest[0]) + 1
        slot = number % SLOTS
        header = self._headers[slot]
        header[_NUMBER] = 0
        header[_FRAME:] = frame, shown_width, shown_height, width, height
        # Qt draws four bytes per pixel without its own conversion, which would take longer than this one.
        cv2.cvtColor(reduced, cv2.COLOR_BGR2BGRA, dst=self._pixels(slot, shown_width, shown_height))
        header[_NUMBER] = number
        self._newest[0] = number

    def _is_written(self, image: NDArray[np.uint8]) -> bool:
        """Returns whether the newest image equals this one, so that there is nothing to paint."""
        last, self._last_written = self._last_written, image
        self._still = self._still + 1 if last is not None and _same(last, image) else 0
        return self._still % STILL_FRAMES > 0

    def clear(self) -> None:
        """Overwrites all slots with zeros."""
        self._last_written = None
        for slot, header in enumerate(self._headers):
            header[:] = 0
            self._pixels(slot, MAX_PIXELS, 1)[:] = 0

    def read(self) -> Preview | None:
        """Returns the newest image without a copy, or None if it was already read, overwritten or cleared.

        Its pixels stay valid until two more images are written: check `Preview.intact`.
        """
        number = int(self._newest[0])
        slot = number % SLOTS
        header = self._headers[slot]
        written, frame, width, height, frame_width, frame_height = (int(value) for value in header)
        if number in (0, self._last_shown) or written != number or not _is_picture(width, height):
            return None
        if not (0 < frame_width <= _MAX_SIDE and 0 < frame_height <= _MAX_SIDE):
            return None
        image = self._pixels(slot, width, height)
        image.flags.writeable = False
        self._last_shown = number
        preview = Preview(frame, image, (frame_width, frame_height), lambda: int(header[_NUMBER]) == number)
        return preview if preview.intact() else None

    def close(self) -> None:
        """Closes the memory; its creator also frees it."""
        del self._newest, self._headers
        with contextlib.suppress(BufferError):  # a preview is still in use: the memory goes with the process
            self._memory.close()
        if self._owner:
            self._memory.unlink()

    def _numbers(self, offset: int, count: int) -> NDArray[np.int64]:
        return np.frombuffer(self._buffer, np.int64, count, offset)

    def _pixels(self, slot: int, width: int, height: int) -> NDArray[np.uint8]:
        shape = height, width, _CHANNELS
        offset = 2 * _ALIGNED + slot * _SLOT_BYTES
        # `frombuffer` keeps the memory for as long as the array lives; `np.ndarray` on a buffer does not
        return np.frombuffer(self._buffer, np.uint8, height * width * _CHANNELS, offset).reshape(shape)

    @property
    def _buffer(self) -> memoryview:
        assert self._memory.buf is not None, "the memory was closed"
        return self._memory.buf


def _is_picture(width: int, height: int) -> bool:
    """Returns whether a slot can hold an image of this size. The writer may be faulty."""
    return width > 0 and height > 0 and width * height <= MAX_PIXELS


def _same(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    if one.shape != other.shape or not np.array_equal(one[::16, ::16], other[::16, ::16]):
        return False  # two frames of a camera nearly always differ here
    return np.array_equal(one, other)


def _reduced(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    if width * height <= MAX_PIXELS:
        return image
    scale = (MAX_PIXELS / (width * height)) ** 0.5
    size = max(int(width * scale), 1), max(int(height * scale), 1)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
