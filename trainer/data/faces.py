"""The faces that a run learns from: one or several prepared sets as one, with a network's targets."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kiosk.estimate import AgeGroup
from trainer.data import prepared
from trainer.data.labels import FaceLabel, Split, gender_indices, group_indices
from trainer.data.prepared import STORED_SIZE, PreparedData, PreparedDataError


class Faces:
    """Crops and labels of several prepared sets, counted through."""

    def __init__(self, sets: Sequence[PreparedData], groups: Sequence[AgeGroup] | None = None) -> None:
        """`groups` are the network's; by default those of the first set."""
        self.sets = tuple(sets)
        self.groups = tuple(groups or sets[0].groups)
        self.labels: tuple[FaceLabel, ...] = tuple(label for data in sets for label in data.labels)
        self._first = np.cumsum([0, *(len(data.labels) for data in sets)])

    @classmethod
    def load(cls, folders: Sequence[Path], groups: Sequence[AgeGroup] | None = None) -> Faces:
        """Reads prepared folders. Raises `PreparedDataError`."""
        if len({folder.resolve() for folder in folders}) < len(folders):
            raise PreparedDataError("a prepared folder was named twice: its faces would count twice")
        return cls([prepared.load(folder) for folder in folders], groups)

    @property
    def name(self) -> str:
        """The sets' names, for people."""
        return " and ".join(dict.fromkeys(data.dataset for data in self.sets))

    def rows(self, split: Split) -> NDArray[np.intp]:
        """Indices of the faces in one split."""
        return np.flatnonzero([label.split == split for label in self.labels])

    def crops(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """(n, 99, 99) stored crops of some faces, in their order."""
        if len(self.sets) == 1:
            return np.asarray(self.sets[0].crops[rows])
        crops = np.empty((len(rows), STORED_SIZE, STORED_SIZE), np.uint8)
        owners = np.searchsorted(self._first, rows, side="right") - 1
        for index, data in enumerate(self.sets):
            mine = owners == index
            crops[mine] = data.crops[rows[mine] - self._first[index]]
        return crops

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of every crop and label, splits included: the same faces, used in the same way."""
        digest = hashlib.sha256(repr(self.labels).encode())
        for data in self.sets:
            digest.update(np.ascontiguousarray(data.crops).data)
        return digest.hexdigest()

    @cached_property
    def genders(self) -> NDArray[np.int64]:
        """(n,) index into the gender labels, or -1."""
        return gender_indices(self.labels)

    @cached_property
    def ages(self) -> NDArray[np.int64]:
        """(n,) index of the network's group that holds the age, or -1."""
        return group_indices(self.labels, self.groups)

    def draw_weights(self, rows: NDArray[np.intp], balance: float) -> NDArray[np.float64]:
        """(n,) probabilities with which to draw each of `rows`: 0 all faces alike, 1 all kinds of faces alike.

        A kind is an age group and gender; what is unknown is a kind of its own.
        """
        kinds = list(zip(self.ages[rows].tolist(), self.genders[rows].tolist(), strict=True))
        count = Counter(kinds)
        weights = np.array([count[kind] ** -balance for kind in kinds])
        return np.asarray(weights / weights.sum())
