"""How a network does while it learns: the loss and the shares that the curves show."""

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
    """Shares of the faces of which the answer is known, 0…1; None where it is known of none."""

    faces: int
    gender: float | None
    age: float | None
    """The exact age group."""

    age_within_one: float | None
    """The exact group or one beside it."""

    gender_loss: float | None
    """Mean negative log-likelihood."""

    age_loss: float | None

    def __str__(self) -> str:
        gender, age, within = (
            "–" if share is None else f"{share:.1%}" for share in (self.gender, self.age, self.age_within_one)
        )
        return f"gender {gender}, age group {age}, within one {within} of {self.faces} faces"


def accuracy_of(logits: Logits, genders: NDArray[np.int64], ages: NDArray[np.int64]) -> Accuracy:
    """(n, 2) and (n, groups) logits against (n,) labels, -1 where unknown."""
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
    """The accuracy on one split."""
    rows = faces.rows(split)
    return accuracy_of(logits_of(network, faces.crops(rows)), faces.genders[rows], faces.ages[rows])


@dataclass
class Fit:
    """How the network did on the views that it learnt from, dropout and augmentation included."""

    sums: Tensor = field(default_factory=lambda: torch.zeros(6, dtype=torch.float64))
    """Steps, their losses, faces with a known gender, those answered rightly, the same two of age."""

    def add(self, loss: Tensor, logits: Logits, batch: Batch) -> None:
        """Counts a step; a target counts as answered where its likeliest class is."""
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
        """For the log: the mean loss, and the shares answered rightly."""
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
