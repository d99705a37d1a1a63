"""Names of cameras that stay when their numbers change.

Which of two cameras is /dev/video0 is decided at each start by which one answers first. Linux keeps links to them by
maker and serial number (/dev/v4l/by-id), and by the socket that they are plugged into (/dev/v4l/by-path).
"""

from __future__ import annotations

import os
from pathlib import Path

LINKS = Path("/dev/v4l")


def stable_name(device: str, links: Path | None = None) -> str:
    """The name to put into the settings for a camera such as /dev/video0; its own where it has no other.

    By its socket where two cameras have the same name by maker and number, which then leads to one of them.
    """
    links = links or LINKS
    by_id, by_path = _links(links / "by-id"), _links(links / "by-path")
    kinds = (by_id, by_path) if len(by_id) >= len(by_path) else (by_path, by_id)
    return next((names[device] for names in kinds if device in names), device)


def _links(folder: Path) -> dict[str, str]:
    """Device → the first link to it."""
    found: dict[str, str] = {}
    if folder.is_dir():
        for link in sorted(folder.iterdir()):
            found.setdefault(os.path.realpath(link), str(link))  # of a link to itself, too
    return found
