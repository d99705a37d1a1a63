"""The faces of a run: one or several prepared data sets together, with a network's labels."""

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
    """Crops and labels of several prepared data sets, with consecutive indices."""

    def __init__(self, sets: Sequence[PreparedData], groups: Sequence[AgeGroup] | None = None) -> None:
        """`groups` are the network's age groups, by default those of the first set."""
        self.sets = tuple(sets)
        self.groups = tuple(groups or sets[0].groups)
        self.labels: tuple[FaceLabel, ...] = tuple(label for data in sets for label in data.labels)
        self._first = np.cumsum([0, *(len(data.labels) for data in sets)])

    @classmethod
    def load(cls, folders: Sequence[Path], groups: Sequence[AgeGroup] | None = None) -> Faces:
        """Reads prepared folders. Raises `PreparedDataError`."""
        if len({folder.resolve() for folder in folders}) < len(folders):
            raise PreparedDataError("a prepared folder is named twice: name each once")
        return cls([prepared.load(folder) for folder in folders], groups)

    @property
    def name(self) -> str:
        """The names of the data sets, such as `FairFace and Adience`."""
        return " and ".join(dict.fromkeys(data.dataset for data in self.sets))

    def rows(self, split: Split) -> NDArray[np.intp]:
        """Returns the (n,) indices of the faces in a split."""
        return np.flatnonzero([label.split == split for label in self.labels])

    def crops(self, rows: NDArray[np.intp]) -> NDArray[np.uint8]:
        """Returns the (n, 99, 99) uint8 stored crops of these faces."""
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
        """The SHA-256 of all crops and labels, with their splits."""
        digest = hashlib.sha256(repr(self.labels).encode())
        for data in self.sets:
            digest.update(np.ascontiguousarray(data.crops).data)
        return digest.hexdigest()

    @cached_property
    def genders(self) -> NDArray[np.int64]:
        """The (n,) indices of the gender labels; -1 where unknown."""
        return gender_indices(self.labels)

    @cached_property
    def ages(self) -> NDArray[np.int64]:
        """The (n,) indices of the network's age groups; -1 where unknown."""
        return group_indices(self.labels, self.groups)

    def draw_weights(self, rows: NDArray[np.intp], balance: float) -> NDArray[np.float64]:
        """Returns the (n,) probabilities with which to draw each of `rows`.

        `balance` 0 gives all faces the same probability, 1 all kinds of faces. A kind is an age group and a gender;
        unknown is a kind too.
        """
        kinds = list(zip(self.ages[rows].tolist(), self.genders[rows].tolist(), strict=True))
        count = Counter(kinds)
        weights = np.array([count[kind] ** -balance for kind in kinds])
        return np.asarray(weights / weights.sum())
