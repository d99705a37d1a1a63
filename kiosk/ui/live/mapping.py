"""Maps pixels of a camera frame to pixels of the widget that shows it, and chooses the customer's face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QRectF, QSize

from kiosk.estimate import FaceObservation

CLEARLY_NEARER = 1.2
"""The factor by which another face must be larger before it counts as the customer's."""


@dataclass(frozen=True)
class Mapping:
    """A frame scaled to cover a view, centred and cropped, mirrored or not."""

    frame: tuple[int, int]
    """Width and height of the frame."""

    view: QSize
    mirrored: bool

    @property
    def zoom(self) -> float:
        """Pixels of the view for one pixel of the frame."""
        return max(self.view.width() / self.frame[0], self.view.height() / self.frame[1])

    @property
    def picture(self) -> QRectF:
        """The rectangle of the whole frame in the view's pixels; it extends beyond the view."""
        width, height = self.frame[0] * self.zoom, self.frame[1] * self.zoom
        return QRectF((self.view.width() - width) / 2, (self.view.height() - height) / 2, width, height)

    def to_view(self, box: QRectF) -> QRectF:
        """Returns a box in the frame's pixels as a box in the view's pixels."""
        zoom, picture = self.zoom, self.picture
        left = self.frame[0] - box.right() if self.mirrored else box.left()
        return QRectF(
            picture.left() + left * zoom, picture.top() + box.top() * zoom, box.width() * zoom, box.height() * zoom
        )


def nearest(faces: Sequence[FaceObservation], current: int | None = None) -> FaceObservation | None:
    """Returns the largest face, which is the nearest. The track `current` stays unless another is clearly larger."""
    if not faces:
        return None
    largest = max(faces, key=_area)
    for face in faces:
        if face.track == current and _area(largest) < _area(face) * CLEARLY_NEARER:
            return face
    return largest


def _area(face: FaceObservation) -> int:
    return face.box[2] * face.box[3]
