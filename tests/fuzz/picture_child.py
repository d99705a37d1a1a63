"""Opens spoilt pictures and clips, one after the other, in a process that may die of it: `picture_child.py FOLDER`."""

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
"""For one picture, which takes milliseconds: the system ends the process then, whatever a decoder is doing."""


def look_at(path: Path) -> None:
    """As vision does: every frame is a colour picture, or the source says what is wrong with it."""
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
        look_at(path)
    signal.alarm(0)


if __name__ == "__main__":
    main()
