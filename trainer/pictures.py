"""Reading a picture file that may be missing, damaged or cut short."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from kiosk.vision.faces import Gray

_JPEG, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_PNG, _PNG_END = b"\x89PNG", b"IEND"


def read_picture(path: Path) -> tuple[bytes, Gray | None]:
    """The SHA-256 of the file and its gray levels, which are None if it cannot be read as a whole."""
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    digest = hashlib.sha256(content).digest()
    if not content or not _is_whole(content):
        return digest, None
    try:
        gray = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:  # a picture of absurd size
        return digest, None
    return digest, None if gray is None else np.asarray(gray, dtype=np.uint8)


def _is_whole(content: bytes) -> bool:
    """Whether the file has its end: OpenCV fills what is cut off with gray and only prints a warning.

    In a JPEG, the last scan has to be followed by the end marker. Neither marker's bytes can occur in
    a scan's data, and a thumbnail's own are before the picture's scan.
    """
    if content.startswith(_JPEG):
        return content.rfind(_JPEG_END) > content.rfind(_JPEG_SCAN)
    if content.startswith(_PNG):
        return _PNG_END in content
    return True
