"""Renders the catalogue's images once in a separate process, so that a harmful image cannot stop the window.

A few hundred characters of SVG can take years to render, or refer to a file that never ends.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kiosk.common.errors import KioskError

SIDE = 1200
"""The side in pixels at which images are rendered, larger than on any screen."""

MOST_CPU_S = 5
MOST_WAIT_S = 60
MOST_MEMORY = 2 << 30
"""Bytes of address space. Qt alone needs a tenth of it."""


class PictureError(KioskError):
    """An image takes too much time or memory to render."""


def check_drawable(pictures: Sequence[Path]) -> None:
    """Raises `PictureError` for the first image that takes too much time or memory. Unreadable files do no harm."""
    if not pictures:
        return
    command = [sys.executable, "-m", __name__, *(str(picture.absolute()) for picture in pictures)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    # Not in the current folder, whose files Python would import as modules.
    result = subprocess.run(
        command, env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    begun = len(result.stdout.splitlines())
    if result.returncode == 0:
        return
    if not begun:
        raise PictureError(f"the catalogue's pictures cannot be drawn: Qt ended with status {result.returncode}")
    raise PictureError(
        f"picture {pictures[begun - 1]} takes more than {MOST_CPU_S} seconds to draw, or too much memory: "
        "replace it by a PNG or a simpler drawing"
    )


def main(paths: Sequence[str]) -> None:
    """Prints a line before it renders each image. The system kills the process if that takes too much."""
    from PyQt6.QtCore import QSize
    from PyQt6.QtGui import QGuiApplication

    from kiosk.ui.products.images import load_image

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    application = QGuiApplication(["kiosk"])  # for text in a drawing
    for path in paths:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + 1 + MOST_CPU_S, -1))
        signal.alarm(MOST_WAIT_S)  # reading a file may also take forever
        print(flush=True)
        load_image(Path(path), QSize(SIDE, SIDE))
    signal.alarm(0)
    application.quit()


if __name__ == "__main__":
    main(sys.argv[1:])
