"""Opens the damaged images and clips of a folder, in a process that may crash: `picture_child.py FOLDER`."""

from __future__ import annotations

import resource
import signal
import sys
from itertools import islice
from pathlib import Path

import numpy as np

from kiosk.common.errors import KioskError
from kiosk.vision.capture.source import open_source

MOST_MEMORY = 3 << 30
MOST_FRAMES = 20
LONGEST_S = 60
"""For one image, which takes milliseconds. The system then ends the process, even inside a decoder."""


def read_frames(path: Path) -> None:
    """Reads a source as vision does: every frame is a colour image, or the source raises a `KioskError`."""
    try:
        source = open_source(str(path))
        try:
            for frame in islice(source.frames(), MOST_FRAMES):
                assert frame is not None
                assert frame.image.dtype == np.uint8
                assert frame.image.shape[2:] == (3,)
        finally:
            source.close()
    except KioskError:
        pass


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for path in sorted(Path(sys.argv[1]).iterdir()):
        print(path.name, flush=True)
        signal.alarm(LONGEST_S)
        read_frames(path)
    signal.alarm(0)


if __name__ == "__main__":
    main()
