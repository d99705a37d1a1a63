"""Finds images that a data set contains twice: the same file, or the same photograph saved or cropped again.

A near duplicate is found by its crop. The middle 75×75 pixels are averaged over 5×5 pixels. From these 15×15 means the
blurred part (σ = 2 means) is subtracted, and the rest is divided by its local strength; otherwise any two faces lit
from one side would be alike. Two crops count as the same photograph if the correlation of these descriptors is at least
`SAME`.

`SAME` was chosen by looking at pairs among 29,890 faces of FairFace and 15,900 of Adience. Of 40 pairs of FairFace
between 0.905 and 0.969, the highest with two different people is at 0.921. All above show one photograph, or one person
at one moment. Adience contains bursts. There, pairs of 0.95 and more are one frame, or two between which hardly
anything moved, and none of 2,340 is from two accounts. From 0.90 to 0.95 head or mouth have moved, which is another
image, and 5 of 1,497 pairs are from two accounts.

This removes 27 exact and 73 near duplicates of FairFace, 679 and 929 of Adience. 40 of FairFace's had another age group
than the face that was kept, nearly always the next one, which shows how much its labels vary.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from kiosk.vision.faces.alignment import CROP_SIZE
from trainer.data.labels import FaceLabel, Split

SAME = 0.95
"""The correlation of two descriptors from which they count as one photograph."""

_CELL = 5  # pixels
_CELLS = CROP_SIZE // _CELL
_BLUR = 2.0  # cells
_NOISE = 2.0  # gray levels; weaker structure is not amplified

# Rows × columns of the products of descriptors that are in memory at once: 64 MB.
_ROWS, _COLUMNS = 1024, 16384

# Test faces stay test faces: of two duplicates, the one whose split is first here is kept.
_PREFERENCE: tuple[Split, ...] = ("test", "calibration", "train")


@dataclass(frozen=True, eq=False)
class Duplicates:
    """The duplicates among n faces."""

    kept: NDArray[np.bool_]
    """(n,) bool: whether the face is kept."""

    exact: int
    near: int
    disagreeing: int
    """The number of removed faces whose gender or age contradicts the face that was kept."""


def find_duplicates(crops: NDArray[np.uint8], digests: NDArray[np.uint8], labels: Sequence[FaceLabel]) -> Duplicates:
    """Returns the duplicates among n faces: (n, 99, 99) uint8 crops, (n, 32) uint8 SHA-256 of their files, n labels.

    Of each set of duplicates one is kept: of the test split if there is one, else of the calibration split, else the
    first. So no photograph is in two splits.
    """
    order = np.array(sorted(range(len(labels)), key=lambda index: _PREFERENCE.index(labels[index].split)), np.intp)
    first: dict[bytes, int] = {}
    exact = [
        (twin, int(index))
        for index in order
        if (twin := first.setdefault(digests[index].tobytes(), int(index))) != index
    ]
    kept = np.ones(len(labels), np.bool_)
    kept[[index for _, index in exact]] = False
    near = list(_near_duplicates(crops, order[kept[order]]))
    kept[[index for _, index in near]] = False
    disagreeing = sum(_disagree(labels[one], labels[other]) for one, other in (*exact, *near))
    return Duplicates(kept, len(exact), len(near), disagreeing)


def descriptors(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns (n, 225) float32 descriptors of unit length for (n, 99, 99) crops; zeros for a uniform crop.

    The dot product of two descriptors is their correlation.
    """
    margin = (crops.shape[1] - CROP_SIZE) // 2
    result = np.empty((len(crops), _CELLS, _CELLS), np.float32)
    for index, crop in enumerate(crops):
        middle = crop[margin : margin + CROP_SIZE, margin : margin + CROP_SIZE]
        cells = middle.reshape(_CELLS, _CELL, _CELLS, _CELL).mean(axis=(1, 3), dtype=np.float32)
        detail = cells - cv2.GaussianBlur(cells, (0, 0), _BLUR)
        strength = np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), _BLUR))
        result[index] = detail / (strength + _NOISE)
    flat = result.reshape(len(crops), -1)
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.divide(flat, length, out=np.zeros_like(flat), where=length > 1e-3)


def _near_duplicates(crops: NDArray[np.uint8], order: NDArray[np.intp]) -> Iterator[tuple[int, int]]:
    """Yields (kept, removed) index pairs for the crops in `order`, which is by preference."""
    described = descriptors(crops[order])
    removed = np.zeros(len(order), np.bool_)
    for start in range(0, len(order), _ROWS):
        # Removed crops are skipped, so that many equal crops do not give a quadratic number of pairs.
        rows = start + np.flatnonzero(~removed[start : start + _ROWS])
        for one, other in _pairs(described, rows, start, removed):
            if not removed[one] and not removed[other]:
                removed[other] = True
                yield int(order[one]), int(order[other])


def _pairs(
    described: NDArray[np.float32], rows: NDArray[np.intp], start: int, removed: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """Returns the sorted pairs (one, other) of equal crops, with one < other and one among `rows`."""
    found: list[tuple[int, int]] = []
    for begin in range(start, len(described), _COLUMNS):
        columns = begin + np.flatnonzero(~removed[begin : begin + _COLUMNS])
        alike = np.argwhere(described[rows] @ described[columns].T >= SAME)
        ones, others = rows[alike[:, 0]], columns[alike[:, 1]]
        later = others > ones
        found.extend(zip(ones[later].tolist(), others[later].tolist(), strict=True))
    return sorted(found)


def _disagree(one: FaceLabel, other: FaceLabel) -> bool:
    """Returns whether two labels contradict each other. An unknown value contradicts nothing."""
    if one.gender and other.gender and one.gender != other.gender:
        return True
    return bool(one.age and other.age and (one.age.high < other.age.low or other.age.high < one.age.low))
