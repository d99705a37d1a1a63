"""Accuracy and loss of a network during training."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from trainer.data.faces import Faces
from trainer.data.labels import Split
from trainer.facialnet import Logits
from trainer.training.batches import Batch
from trainer.training.infer import logits_of


@dataclass(frozen=True)
class Accuracy:
    """Shares, 0 to 1, of the faces with a known label that were answered correctly; None if there are none."""

    faces: int
    gender: float | None
    age: float | None
    """The share with the exact age group."""

    age_within_one: float | None
    """The share with the exact group or a neighbouring one."""

    gender_loss: float | None
    """The mean negative log-likelihood."""

    age_loss: float | None

    def __str__(self) -> str:
        gender, age, within = (
            "–" if share is None else f"{share:.1%}" for share in (self.gender, self.age, self.age_within_one)
        )
        return f"gender {gender}, age group {age}, within one {within} of {self.faces} faces"


def compute_accuracy(logits: Logits, genders: NDArray[np.int64], ages: NDArray[np.int64]) -> Accuracy:
    """Returns the accuracy of n logits against (n,) labels of gender and age group, -1 where unknown."""
    away = np.abs(logits.age.argmax(dim=1).numpy() - ages)[ages >= 0]
    right = (logits.gender.argmax(dim=1).numpy() == genders)[genders >= 0]
    return Accuracy(
        faces=len(genders),
        gender=_mean(right),
        age=_mean(away == 0),
        age_within_one=_mean(away <= 1),
        gender_loss=_likelihood(logits.gender, genders),
        age_loss=_likelihood(logits.age, ages),
    )


def measure(network: nn.Module, faces: Faces, split: Split) -> Accuracy:
    """Returns a network's accuracy on a split."""
    rows = faces.rows(split)
    return compute_accuracy(logits_of(network, faces.crops(rows)), faces.genders[rows], faces.ages[rows])


@dataclass
class Fit:
    """Loss and accuracy on the training samples, with dropout and augmentation."""

    sums: Tensor = field(default_factory=lambda: torch.zeros(6, dtype=torch.float64))
    """Steps, their losses, faces with a known gender, those answered correctly, and the same two of age."""

    def add(self, loss: Tensor, logits: Logits, batch: Batch) -> None:
        """Adds a step. An answer is correct if it is the likeliest class of the target."""
        counts = [torch.ones((), device=loss.device), loss]
        for scores, targets in ((logits.gender, batch.gender), (logits.age, batch.age)):
            known = targets.sum(dim=1) > 0
            counts += [known.sum(), (scores.argmax(dim=1) == targets.argmax(dim=1))[known].sum()]
        self.sums = self.sums + torch.stack([value.detach().double() for value in counts]).cpu()

    @property
    def loss(self) -> float:
        """The mean loss of a step."""
        return float(self.sums[1] / self.sums[0])

    @property
    def shares(self) -> dict[str, float]:
        """The mean loss and the shares of correct answers, for the log."""
        _, _, genders, right_genders, ages, right_ages = self.sums.tolist()
        return {"loss": self.loss, "gender": right_genders / max(genders, 1), "age": right_ages / max(ages, 1)}


def _mean(right: NDArray[np.bool_]) -> float | None:
    return round(float(right.mean()), 4) if len(right) else None


def _likelihood(logits: Tensor, labels: NDArray[np.int64]) -> float | None:
    known = labels >= 0
    if not known.any():
        return None
    loss = torch.nn.functional.cross_entropy(logits[torch.from_numpy(known)], torch.from_numpy(labels[known]))
    return round(float(loss), 4)
