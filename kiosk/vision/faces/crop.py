"""A face in one frame with its aligned crop, the crop's quality, and its appearance descriptor."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.alignment import align
from kiosk.vision.faces.geometry import Face
from kiosk.vision.faces.image import Gray
from kiosk.vision.faces.quality import quality

_APPEARANCE_SIZE = 25  # pixels along a side of an appearance descriptor


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """A face and its aligned crop, (75, 75) uint8. Quality and appearance are computed when first used."""

    face: Face
    crop: Gray

    @classmethod
    def of(cls, gray: Gray, face: Face) -> FaceCrop:
        """Returns `face` with its crop from `gray`, a (height, width) uint8 image."""
        return cls(face, align(gray, face))

    @cached_property
    def quality(self) -> float:
        """The crop's quality, 0 to 1; see `kiosk.vision.faces.quality`."""
        return quality(self.crop, self.face)

    @cached_property
    def appearance(self) -> NDArray[np.float32]:
        """The crop's appearance descriptor, (625,) float32; see `appearance_of`."""
        return appearance_of(self.crop)


def appearance_of(crop: Gray) -> NDArray[np.float32]:
    """Returns a crop's appearance descriptor, (625,) float32: 25×25 pixels without brightness and contrast.

    The dot product of two descriptors is their correlation, -1 to 1.
    """
    small = np.asarray(
        cv2.resize(crop, (_APPEARANCE_SIZE, _APPEARANCE_SIZE), interpolation=cv2.INTER_AREA), dtype=np.float32
    )
    centred = small.ravel() - small.mean()
    return centred / max(float(np.linalg.norm(centred)), 1e-6)
