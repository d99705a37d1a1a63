"""A face in one frame: its crop, how good that is, and what it looks like."""

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

_LOOK_SIZE = 25  # pixels along a side of what is remembered of a face's look


@dataclass(frozen=True, eq=False)
class FaceCrop:
    """A face in one frame."""

    face: Face
    crop: Gray

    @classmethod
    def of(cls, gray: Gray, face: Face) -> FaceCrop:
        """The face as it is to be seen in a picture."""
        return cls(face, align(gray, face))

    @cached_property
    def quality(self) -> float:
        """How good the crop is, 0 to 1: see `kiosk.vision.faces.quality`."""
        return quality(self.crop, self.face)

    @cached_property
    def look(self) -> NDArray[np.float32]:
        """(625,) see `look_of`."""
        return look_of(self.crop)


def look_of(crop: Gray) -> NDArray[np.float32]:
    """(625,) a small copy of a crop with brightness and contrast taken out; the product of two is their correlation."""
    small = np.asarray(cv2.resize(crop, (_LOOK_SIZE, _LOOK_SIZE), interpolation=cv2.INTER_AREA), dtype=np.float32)
    centred = small.ravel() - small.mean()
    return centred / max(float(np.linalg.norm(centred)), 1e-6)
