"""An epoch's batches: which faces are drawn in which order, and how each is seen.

Everything is drawn from the run's seed, the epoch and a face's place in it. So a resumed run continues
as it would have, and several processes that share the batches see what one would have seen.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainer.data.faces import Faces
from trainer.training.augment import augmented, centred
from trainer.training.recipe import Recipe
from trainer.training.targets import age_targets, gender_targets

View = NDArray[np.float32]  # (75, 75)


@dataclass(frozen=True)
class Batch:
    """One process's share of a step."""

    crops: Tensor
    """(n, 1, 75, 75) gray levels in 0…1."""

    gender: Tensor
    """(n, 2) targets; zeros where unknown."""

    age: Tensor
    """(n, groups) targets; zeros where unknown."""


class Batches:
    """The batches of every epoch of a run, for process `rank` of `count`."""

    def __init__(self, faces: Faces, recipe: Recipe, rank: int = 0, count: int = 1) -> None:
        self.recipe = recipe
        self._faces = faces
        self._rows = faces.rows("train")
        self._rank, self._share = rank, recipe.batch_size // count
        self._weights = faces.draw_weights(self._rows, recipe.balance) if recipe.balance else None
        self._gender = torch.from_numpy(gender_targets(faces.labels, recipe.gender_smoothing))
        self._age = torch.from_numpy(age_targets(faces.labels, faces.groups, recipe.label_noise_std))
        # A GPU would wait for one core's views; on a CPU the cores are the network's.
        self._threads = (os.cpu_count() or 1) if torch.cuda.is_available() else 1

    @property
    def steps(self) -> int:
        """Batches in an epoch; a last one that is not full is left out."""
        return len(self._rows) // self.recipe.batch_size

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch, each made ready while the one before is learnt from."""
        order = self._order(number)
        with ThreadPoolExecutor(self._threads) as threads:
            coming = self._begin(threads, order, number, 0)
            for step in range(self.steps):
                rows, views = coming
                if step + 1 < self.steps:
                    coming = self._begin(threads, order, number, step + 1)
                crops = torch.from_numpy(np.stack([view.result() for view in views])[:, None])
                yield self._mixed(Batch(crops, self._gender[rows], self._age[rows]), number, step)

    def _order(self, epoch: int) -> NDArray[np.intp]:
        rng = np.random.default_rng([self.recipe.seed, epoch])
        if self._weights is None:
            return rng.permutation(self._rows)
        return rng.choice(self._rows, len(self._rows), p=self._weights)

    def _begin(
        self, threads: ThreadPoolExecutor, order: NDArray[np.intp], epoch: int, step: int
    ) -> tuple[NDArray[np.intp], list[Future[View]]]:
        """This process's faces of one step, and the views of them that are being made."""
        first = step * self.recipe.batch_size + self._rank * self._share
        rows = order[first : first + self._share]
        return rows, [
            threads.submit(self._view, crop, [self.recipe.seed, epoch, first + place])
            for place, crop in enumerate(self._faces.crops(rows))
        ]

    def _view(self, crop: NDArray[np.uint8], seed: list[int]) -> View:
        if self.recipe.augmentation is None:
            return np.asarray(centred(crop[None])[0, 0])
        return augmented(crop, np.random.default_rng(seed), self.recipe.augmentation)

    def _mixed(self, batch: Batch, epoch: int, step: int) -> Batch:
        """Every crop mixed with another one, and their targets likewise (Zhang et al., "mixup", 2018).

        Partners are neighbours, which the epoch's random order brought together: another process has
        no part in it.
        """
        if not self.recipe.mixup:
            return batch
        rng = np.random.default_rng([self.recipe.seed, epoch, step])
        share = float(rng.beta(self.recipe.mixup, self.recipe.mixup))
        count = len(batch.crops)
        partners = np.minimum(np.arange(count) ^ 1, count - 1)

        def mix(values: Tensor) -> Tensor:
            return share * values + (1 - share) * values[partners]

        return Batch(mix(batch.crops), mix(batch.gender), mix(batch.age))
