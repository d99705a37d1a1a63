"""Pictures that a data set has twice: the same file, or the same photograph saved or cropped anew.

A near duplicate is told by its crop. The middle 75×75 is averaged over 5×5 pixels; of those 15×15
means the blurred part (σ = 2 means) is taken off and what remains is divided by its local strength,
because without that any two faces lit from one side are alike. Two crops are the same photograph
where these have a correlation of `SAME` or more.

How `SAME` was chosen, by looking at pairs from 29,890 faces of FairFace and 15,900 of Adience. Among 40
pairs of FairFace from 0.905 to 0.969 the last strangers come at 0.921; all above are one photograph, or
one person in one moment. In Adience, whose people took bursts, pairs of 0.95 and more are one frame or
two between which hardly anything moved, and none of 2,340 is from two accounts; from 0.90 to 0.95 the
head or the mouth has moved, which is another picture, and 5 of 1,497 are from two accounts.

It removes 27 exact and 73 near duplicates of FairFace, 679 and 929 of Adience. 40 of FairFace's had
another age group than the face kept instead, nearly always the next one: so much do its labels scatter.
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
"""Correlation of two descriptors from which on they are one photograph."""

_CELL = 5  # pixels
_CELLS = CROP_SIZE // _CELL
_BLUR = 2.0  # cells
_NOISE = 2.0  # gray levels: weaker structure than this is not blown up

# Rows × columns of the products of descriptors that are in memory at once: 64 MB.
_ROWS, _COLUMNS = 1024, 16384

# Whoever is tested on stays tested on: of two faces the one that is first here is kept.
_PREFERENCE: tuple[Split, ...] = ("test", "calibration", "train")


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Which of n faces are there already."""

    kept: NDArray[np.bool_]
    """(n,) whether the face stays."""

    exact: int
    near: int
    disagreeing: int
    """Those among them whose gender or age contradicts the face that was kept instead."""


def find(crops: NDArray[np.uint8], digests: NDArray[np.uint8], labels: Sequence[FaceLabel]) -> Duplicates:
    """(n, 99, 99) crops, (n, 32) SHA-256 of their files and n labels → the duplicates among them.

    Of each set one stays: of the test split if there is one, else of the calibration split, else the
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
    """(n, 99, 99) crops → (n, 225) of length 1, whose products are correlations; 0 for a crop of one gray."""
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
    """Yields (kept, removed) for the crops that `order` names, the most wanted first."""
    described = descriptors(crops[order])
    removed = np.zeros(len(order), np.bool_)
    for start in range(0, len(order), _ROWS):
        # What is removed already removes nothing, and a crowd of equal crops never makes a crowd² of pairs.
        rows = start + np.flatnonzero(~removed[start : start + _ROWS])
        for one, other in _pairs(described, rows, start, removed):
            if not removed[one] and not removed[other]:
                removed[other] = True
                yield int(order[one]), int(order[other])


def _pairs(
    described: NDArray[np.float32], rows: NDArray[np.intp], start: int, removed: NDArray[np.bool_]
) -> list[tuple[int, int]]:
    """(one, other) with one < other and one among `rows`, sorted, of those that look the same."""
    found: list[tuple[int, int]] = []
    for begin in range(start, len(described), _COLUMNS):
        columns = begin + np.flatnonzero(~removed[begin : begin + _COLUMNS])
        alike = np.argwhere(described[rows] @ described[columns].T >= SAME)
        ones, others = rows[alike[:, 0]], columns[alike[:, 1]]
        later = others > ones
        found.extend(zip(ones[later].tolist(), others[later].tolist(), strict=True))
    return sorted(found)


def _disagree(one: FaceLabel, other: FaceLabel) -> bool:
    """Whether two labels cannot both be right; one that says nothing contradicts nothing."""
    if one.gender and other.gender and one.gender != other.gender:
        return True
    return bool(one.age and other.age and (one.age.high < other.age.low or other.age.high < one.age.low))
