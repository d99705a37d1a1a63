"""How often a network is right about faces that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from trainer.augment import centred
from trainer.facialnet import Logits, normalised
from trainer.prepared import PreparedData, Split

_BATCH = 256


@dataclass(frozen=True)
class Accuracy:
    """Shares of faces, 0…1."""

    faces: int
    gender: float
    age: float
    """The exact age group."""
    age_within_one: float
    """The exact group or one beside it."""

    def __str__(self) -> str:
        return (
            f"gender {self.gender:.1%}, age group {self.age:.1%}, "
            f"within one {self.age_within_one:.1%} of {self.faces} faces"
        )


def accuracy_of(
    gender: NDArray[np.floating], age: NDArray[np.floating], true_gender: NDArray[np.int64], true_age: NDArray[np.int64]
) -> Accuracy:
    """(n, 2) and (n, groups) scores against (n,) labels."""
    away = np.abs(age.argmax(axis=1) - true_age)
    return Accuracy(
        faces=len(true_gender),
        gender=round(float((gender.argmax(axis=1) == true_gender).mean()), 4),
        age=round(float((away == 0).mean()), 4),
        age_within_one=round(float((away <= 1).mean()), 4),
    )


@torch.no_grad()
def logits_of(network: nn.Module, chips: NDArray[np.uint8]) -> Logits:
    """(n, 99, 99) stored chips → what the network says of their middles, on the CPU."""
    was_training = network.training
    network.eval()
    device = next(network.parameters()).device
    parts = []
    for start in range(0, len(chips), _BATCH):
        batch = torch.from_numpy(centred(chips[start : start + _BATCH])).to(device)
        parts.append(network(normalised(batch)))
    network.train(was_training)
    return Logits(*(torch.cat(head).cpu() for head in zip(*parts, strict=True)))


def measure(network: nn.Module, data: PreparedData, split: Split) -> Accuracy:
    """The accuracy on one split."""
    rows = data.rows(split)
    logits = logits_of(network, data.chips[rows])
    return accuracy_of(logits.gender.numpy(), logits.age.numpy(), data.genders()[rows], data.ages()[rows])
