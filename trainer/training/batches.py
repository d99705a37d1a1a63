"""Makes the batches of an epoch: the order of the faces and their augmented samples.

All randomness comes from the run's seed, the epoch and a face's position in it. So a resumed run continues with the
same samples, and several processes together see the samples that one would see.
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
from trainer.training.augment import augment, centre_crops
from trainer.training.recipe import Recipe
from trainer.training.targets import age_targets, gender_targets

Sample = NDArray[np.float32]  # (75, 75)


@dataclass(frozen=True)
class Batch:
    """One process's part of a batch."""

    crops: Tensor
    """(n, 1, 75, 75) float32, 0 to 1."""

    gender: Tensor
    """(n, 2) target probabilities; zeros where unknown."""

    age: Tensor
    """(n, groups) target probabilities; zeros where unknown."""


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
        # A GPU would wait for the samples of one core. On a CPU, the network needs the cores.
        self._threads = (os.cpu_count() or 1) if torch.cuda.is_available() else 1

    @property
    def steps(self) -> int:
        """The number of batches in an epoch. An incomplete last batch is dropped."""
        return len(self._rows) // self.recipe.batch_size

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yields the batches of an epoch. Each is prepared while the one before is used."""
        order = self._order(number)
        with ThreadPoolExecutor(self._threads) as threads:
            next_step = self._start_step(threads, order, number, 0)
            for step in range(self.steps):
                rows, samples = next_step
                if step + 1 < self.steps:
                    next_step = self._start_step(threads, order, number, step + 1)
                crops = torch.from_numpy(np.stack([sample.result() for sample in samples])[:, None])
                yield self._mix(Batch(crops, self._gender[rows], self._age[rows]), number, step)

    def _order(self, epoch: int) -> NDArray[np.intp]:
        rng = np.random.default_rng([self.recipe.seed, epoch])
        if self._weights is None:
            return rng.permutation(self._rows)
        return rng.choice(self._rows, len(self._rows), p=self._weights)

    def _start_step(
        self, threads: ThreadPoolExecutor, order: NDArray[np.intp], epoch: int, step: int
    ) -> tuple[NDArray[np.intp], list[Future[Sample]]]:
        """Starts preparing a step; returns this process's faces and the futures of their samples."""
        first = step * self.recipe.batch_size + self._rank * self._share
        rows = order[first : first + self._share]
        return rows, [
            threads.submit(self._sample, crop, [self.recipe.seed, epoch, first + place])
            for place, crop in enumerate(self._faces.crops(rows))
        ]

    def _sample(self, crop: NDArray[np.uint8], seed: list[int]) -> Sample:
        if self.recipe.augmentation is None:
            return np.asarray(centre_crops(crop[None])[0, 0])
        return augment(crop, np.random.default_rng(seed), self.recipe.augmentation)

    def _mix(self, batch: Batch, epoch: int, step: int) -> Batch:
        """Returns the batch with every crop and its targets mixed with another's (Zhang et al., "mixup", 2018).

        Partners are neighbours in the epoch's random order, so that processes stay independent.
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
