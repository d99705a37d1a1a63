"""Draws a catalogue's own pictures once, in a process that may die of it: the screen's thread must not.

A few hundred letters of SVG can ask for more drawing than a year is long, and name a file that never ends.
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
"""Pixels: larger than any screen shows one."""

MOST_CPU_S = 5
MOST_WAIT_S = 60
MOST_MEMORY = 2 << 30
"""Bytes of address space; Qt alone takes a tenth."""


class PictureError(KioskError):
    """A picture that would hold up the machine."""


def check_drawable(pictures: Sequence[Path]) -> None:
    """Raises `PictureError` for the first picture that takes seconds, or much memory. One that is none is no harm."""
    if not pictures:
        return
    command = [sys.executable, "-m", __name__, *(str(picture.absolute()) for picture in pictures)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    # Not in the present folder, whose files Python would take for modules: catalogues come from anywhere.
    result = subprocess.run(
        command, env=environment, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    begun = len(result.stdout.splitlines())
    if result.returncode == 0:
        return
    if not begun:
        raise PictureError(f"no picture of the catalogue can be drawn: Qt ends with status {result.returncode}")
    raise PictureError(
        f"picture {pictures[begun - 1]} takes more than {MOST_CPU_S} seconds to draw, or more memory than there is for "
        "it: make a PNG of it, or a simpler drawing"
    )


def main(paths: Sequence[str]) -> None:
    """Says a line before it draws each; the system ends it where that takes too much."""
    from PyQt6.QtCore import QSize
    from PyQt6.QtGui import QGuiApplication

    from kiosk.ui.products.images import drawn

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    application = QGuiApplication(["kiosk"])  # for the letters in a drawing
    for path in paths:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + 1 + MOST_CPU_S, -1))
        signal.alarm(MOST_WAIT_S)  # a file may also keep it waiting
        print(flush=True)
        drawn(Path(path), QSize(SIDE, SIDE))
    signal.alarm(0)
    application.quit()


if __name__ == "__main__":
    main(sys.argv[1:])
