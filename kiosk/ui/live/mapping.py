"""From the pixels of a frame to the pixels of the widget that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRectF, QSize

from kiosk.estimate import FaceObservation

CLEARLY_NEARER = 1.2
"""By how much another face must be larger before the panel turns to it."""


@dataclass(frozen=True)
class Mapping:
    """A frame scaled to cover a view, centred, what stands over cut off; mirrored or not."""

    frame: tuple[int, int]
    """Width and height of the frame."""

    view: QSize
    mirrored: bool

    @property
    def zoom(self) -> float:
        """Pixels of the view for one of the frame."""
        return max(self.view.width() / self.frame[0], self.view.height() / self.frame[1])

    @property
    def picture(self) -> QRectF:
        """Where the whole frame lies; it reaches over the view's edges."""
        width, height = self.frame[0] * self.zoom, self.frame[1] * self.zoom
        return QRectF((self.view.width() - width) / 2, (self.view.height() - height) / 2, width, height)

    def to_view(self, box: QRectF) -> QRectF:
        """Turn a box of the frame into one of the view."""
        zoom, picture = self.zoom, self.picture
        left = self.frame[0] - box.right() if self.mirrored else box.left()
        return QRectF(
            picture.left() + left * zoom, picture.top() + box.top() * zoom, box.width() * zoom, box.height() * zoom
        )


def nearest(faces: Sequence[FaceObservation], current: int | None = None) -> FaceObservation | None:
    """Choose the largest face, which is the nearest; the track `current` keeps its turn against one hardly larger."""
    if not faces:
        return None
    largest = max(faces, key=_area)
    for face in faces:
        if face.track == current and _area(largest) < _area(face) * CLEARLY_NEARER:
            return face
    return largest


def _area(face: FaceObservation) -> int:
    return face.box[2] * face.box[3]
