"""Reads image files that may be missing, damaged or truncated."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from kiosk.vision.faces.image import Gray

_JPEG, _SCAN, _END = b"\xff\xd8", 0xDA, 0xD9
_ALONE = {0x00, 0x01, *range(0xD0, 0xD9)}
"""Codes after 0xFF that have no segment: stuffed bytes of a scan, restart markers and the like."""
_PNG, _PNG_END = b"\x89PNG", b"IEND"


def read_image(path: Path) -> tuple[bytes, Gray | None]:
    """Returns the SHA-256 of the file and the gray image, (height, width) uint8.

    The image is None if the file is not completely readable.
    """
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    digest = hashlib.sha256(content).digest()
    if not content or not _is_whole(content):
        return digest, None
    try:
        gray = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:  # an absurdly large image
        return digest, None
    return digest, None if gray is None else np.asarray(gray, dtype=np.uint8)


def _is_whole(content: bytes) -> bool:
    """Returns whether the file is complete. OpenCV would fill a missing end with gray and only print a warning.

    Data after the end, such as the video of a Motion Photo, is ignored.
    """
    if content.startswith(_JPEG):
        return _jpeg_ends(content)
    if content.startswith(_PNG):
        return _PNG_END in content
    return True


def _jpeg_ends(content: bytes) -> bool:
    """Returns whether the end marker follows a scan, by walking from marker to marker (ITU-T T.81, B.1).

    Segments, such as a thumbnail's, are skipped by their length. Scan data has no length; it is skipped because in it
    0xFF never precedes the code of a marker. A progressive JPEG has several scans.
    """
    scanned, at = False, len(_JPEG)
    while 0 <= (at := content.find(0xFF, at)) < len(content) - 1:
        code = content[at + 1]
        if code == _END:
            return scanned
        scanned = scanned or code == _SCAN
        if code == 0xFF:  # any number of 0xFF may precede a code
            at += 1
        elif code in _ALONE:
            at += 2
        else:  # a length includes its own two bytes
            at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4], "big"))
    return False
