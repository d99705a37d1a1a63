"""An empty folder for all that a kiosk writes, and what it may write there."""

from __future__ import annotations

import os
from pathlib import Path

MAY_BE_WRITTEN = (
    r"tmp/kiosk-demo-[^/]+/(journal\.db(-wal|-shm|-journal|\.lock)?|(\.)?journal\.db\.begun[^/]*|(\.)?(attendant|service)-tries[^/]*)",
    r"tmp/kiosk-demo-[^/]+",
    r"tmp/[a-z0-9_]{8}",  # Python's own try whether it may write there
    r"cache/facialnet-kiosk/\.?frontal-face-detector-[^/]+\.svm[^/]*",  # the detector, saved from its library
    r"cache/fontconfig/.*",
    r"tmp/[^/]+/(touch|good|sorry|attention)\.wav",
    r"config/.*\.(conf|ini)[^/]*",
)
"""Within the sandbox."""


def environment_in(folder: Path) -> dict[str, str]:
    """For a process that is to write nowhere else; it needs no display."""
    folders = {"HOME": "home", "TMPDIR": "tmp", "XDG_RUNTIME_DIR": "run"}
    folders |= {f"XDG_{kind}_HOME": kind.lower() for kind in ("CACHE", "CONFIG", "DATA", "STATE")}
    for name in folders.values():
        (folder / name).mkdir(mode=0o700)
    places = {name: str(folder / place) for name, place in folders.items()}
    return {**os.environ, **places, "QT_QPA_PLATFORM": "offscreen"}
