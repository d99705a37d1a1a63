"""Reading a picture file that may be missing, damaged or cut short."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from kiosk.vision.faces.image import Gray

_JPEG, _SCAN, _END = b"\xff\xd8", 0xDA, 0xD9
_ALONE = {0x00, 0x01, *range(0xD0, 0xD9)}
"""What follows 0xFF without a segment: a byte of a scan that is 0xFF, restarts and the like."""
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

    What follows the end, as the video of a Motion Photo does, is not the picture's.
    """
    if content.startswith(_JPEG):
        return _jpeg_ends(content)
    if content.startswith(_PNG):
        return _PNG_END in content
    return True


def _jpeg_ends(content: bytes) -> bool:
    """Whether the end marker comes after a scan, going from marker to marker (ITU-T T.81, B.1).

    A segment, a thumbnail's too, is passed over by its length. The data of a scan, of which a progressive
    JPEG has several, has no length, and is passed over because in it 0xFF never stands before a marker's code.
    """
    scanned, at = False, len(_JPEG)
    while 0 <= (at := content.find(0xFF, at)) < len(content) - 1:
        code = content[at + 1]
        if code == _END:
            return scanned
        scanned = scanned or code == _SCAN
        if code == 0xFF:  # any number of them may stand before a code
            at += 1
        elif code in _ALONE:
            at += 2
        else:  # a length counts its own two bytes, unless it is garbage
            at += 2 + max(2, int.from_bytes(content[at + 2 : at + 4], "big"))
    return False
