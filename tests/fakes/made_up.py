"""Made-up faces: a gray square with a bar on it, bright for a woman and dark for a man, lower with age."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from kiosk.estimate import DECADES
from kiosk.inference.manifest import GENDER_LABELS
from trainer.data import prepared
from trainer.data.labels import FaceLabel, Split, Years, group_indices
from trainer.data.prepared import STORED_SIZE
from trainer.facialnet import Logits

EVERY_SPLIT: tuple[Split, ...] = ("train", "train", "train", "test", "calibration")


def labels_of(count: int, splits: Sequence[Split] = EVERY_SPLIT) -> list[FaceLabel]:
    """Every age and gender in turn, and every split within each of them."""
    kinds = len(DECADES) * len(GENDER_LABELS)
    labels = []
    for index in range(count):
        group = DECADES[index // 2 % len(DECADES)]
        labels.append(
            FaceLabel(
                file=f"made-up/{index}.jpg",
                gender=GENDER_LABELS[index % 2],
                age=Years(group.low, group.high),
                split=splits[index // kinds % len(splits)],
            )
        )
    return labels


def crop_of(label: FaceLabel, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(99, 99) gray levels that tell the label, with some noise."""
    crop = rng.normal(128, 8, (STORED_SIZE, STORED_SIZE))
    top = 16 + 9 * int(group_indices([label], DECADES)[0])
    crop[top : top + 6] += 90 if label.gender == "female" else -90
    return crop.clip(0, 255).astype(np.uint8)


def save(folder: Path, count: int, splits: Sequence[Split] = EVERY_SPLIT) -> Path:
    """Writes a prepared folder of `count` made-up faces."""
    rng = np.random.default_rng(0)
    labels = labels_of(count, splits)
    prepared.save(
        folder,
        dataset="Made-up",
        groups=DECADES,
        crops=np.stack([crop_of(label, rng) for label in labels]),
        labels=labels,
        summary={"kept": count},
    )
    return folder


class TinyNet(nn.Module):
    """FacialNet's interface, with all that makes resuming hard: dropout, and buffers that training changes."""

    def __init__(self, batch_norm: bool = False, normalise_input: bool = False) -> None:
        super().__init__()
        self.batch_norm, self.normalise_input = batch_norm, normalise_input
        self.trunk = nn.Sequential(
            nn.AvgPool2d((3, 25)),
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8) if batch_norm else nn.Identity(),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.1),
        )
        self.gender, self.age = nn.Linear(600, 2), nn.Linear(600, 8)

    def forward(self, crops: Tensor) -> Logits:
        """(n, 1, 75, 75) crops → logits."""
        features = self.trunk(crops)
        return Logits(self.gender(features), self.age(features))


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Whether two networks are equal to the last bit, buffers included."""
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)
