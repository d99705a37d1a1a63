"""Trains the non-face filter, which runs in `kiosk.vision.faces.nonface_filter`.

It learns from prepared faces and from pictures without faces, of which one in three is held out. Both are degraded in
the same way (contrast, brightness, light from one side, blur, noise), so that the filter does not learn such faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from kiosk.common.atomic_files import replace_file
from kiosk.common.errors import KioskError
from kiosk.vision.faces.alignment import CROP_SIZE
from kiosk.vision.faces.image import Gray
from kiosk.vision.faces.nonface_filter import features_of
from trainer.data import prepared
from trainer.data.prepared import MARGIN, PreparedData
from trainer.nonface.samples import (
    NonFace,
    find_non_faces,
    is_held_out,
    list_pictures,
    read_on_backgrounds,
    synthetic_pictures,
)

MAX_FACES_LOST = 0.01
"""Largest share of the calibration faces that the filter may reject."""

SYNTHETIC_PICTURES = 300
"""Number of generated pictures."""

_HIDDEN, _DROPOUT, _EPOCHS, _BATCH, _RATE, _DECAY = 32, 0.3, 15, 128, 2e-3, 0.05
_ROUNDS = 4  # copies of each crop without a face: one as it is, the others degraded
_MAX_FACES = 14_000  # more do not improve it
_SHIFT = 2  # pixels by which a face is moved
_FOUND, _NEARLY_FOUND, _RANDOM = 5.0, 2.0, 0.3  # weights of a crop without a face


class NoPicturesError(KioskError):
    """There are no pictures without faces to learn from."""


@dataclass(frozen=True)
class TrainingResult:
    """Numbers of crops that the filter was trained on."""

    faces: int
    others: int
    """Crops without a face, before they are degraded."""

    def __str__(self) -> str:
        return f"trained on {self.faces} faces and {self.others} crops without a face"


def train_nonface_filter(data: Path, folders: Sequence[Path], out: Path, seed: int = 0) -> TrainingResult:
    """Trains the filter on prepared faces and on pictures without faces, and writes it.

    `data` is a prepared folder, `folders` are those of the pictures, and `out` is the `.npz` file. Raises
    `PreparedDataError` and `NoPicturesError`.
    """
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    faces = prepared.load(data)
    files = [file for file in list_pictures(folders) if not is_held_out(file)]
    pictures = [picture for file in files for picture in read_on_backgrounds(file)]
    if not pictures:
        raise NoPicturesError(
            f"{', '.join(map(str, folders))}: no readable picture: name folders of drawings, animals and objects"
        )
    pictures += synthetic_pictures(SYNTHETIC_PICTURES, seed)
    others = [crop for crops in find_non_faces(pictures, seed) for crop in crops]
    rows = random.permutation(faces.rows("train"))[:_MAX_FACES]
    positive = _features([degrade(_shifted(faces, int(row), random), random) for row in rows])
    negative, weights = _training_non_faces(others, random)
    mean, deviation = positive.mean(axis=0), positive.std(axis=0) + 1e-3
    hidden, out_layer = _train_layers((positive - mean) / deviation, (negative - mean) / deviation, weights)
    calibration = _features([_shifted(faces, int(row), None) for row in faces.rows("calibration")])
    with torch.no_grad():
        odds = out_layer(hidden(torch.from_numpy((calibration - mean) / deviation)).relu())[:, 0].numpy()
    with replace_file(out) as path, path.open("wb") as file:
        np.savez(
            file,
            mean=mean,
            deviation=deviation,
            hidden=hidden.weight.detach().numpy(),
            hidden_bias=hidden.bias.detach().numpy(),
            out=out_layer.weight.detach().numpy()[0],
            # moved so that an output above 0 means a face
            out_bias=out_layer.bias.detach().numpy()[0] - np.float32(np.quantile(odds, MAX_FACES_LOST)),
        )
    return TrainingResult(len(rows), len(others))


def degrade(crop: Gray, random: np.random.Generator) -> Gray:
    """Returns a crop as a worse camera in worse light shows it; one in four is returned unchanged."""
    if random.random() < 0.25:
        return crop
    gray = crop.astype(np.float32)
    if random.random() < 0.5:
        gray = gray.mean() + (gray - gray.mean()) * random.uniform(0.4, 1.1)
    gray *= random.uniform(0.35, 1.1)
    if random.random() < 0.4:
        gray *= 1 + random.uniform(-0.6, 0.6) * np.linspace(-1, 1, CROP_SIZE, dtype=np.float32)
    if random.random() < 0.5:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), random.uniform(0.3, 3.0)), np.float32)
    if random.random() < 0.5:
        gray = gray + random.normal(0, random.uniform(1, 10), gray.shape).astype(np.float32)
    return np.asarray(np.clip(gray, 0, 255), np.uint8)


def _shifted(data: PreparedData, row: int, random: np.random.Generator | None) -> Gray:
    down, across = random.integers(-_SHIFT, _SHIFT + 1, 2) if random else (0, 0)
    top, left = MARGIN + down, MARGIN + across
    return np.asarray(data.crops[row, top : top + CROP_SIZE, left : left + CROP_SIZE])


def _training_non_faces(
    others: Sequence[NonFace], random: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    crops = [other.crop for other in others]
    for turn in range(1, _ROUNDS):
        crops += [degrade(other.crop[:, ::-1] if turn % 2 else other.crop, random) for other in others]
    worth = [_FOUND if other.score > 0 else _NEARLY_FOUND if other.score > -1 else _RANDOM for other in others]
    return _features(crops), np.tile(np.asarray(worth, np.float32), _ROUNDS)


def _features(crops: Sequence[Gray]) -> NDArray[np.float32]:
    return np.stack([features_of(np.ascontiguousarray(crop)) for crop in crops])


def _train_layers(
    positive: NDArray[np.float32], negative: NDArray[np.float32], weights: NDArray[np.float32]
) -> tuple[torch.nn.Linear, torch.nn.Linear]:
    """Returns the two trained layers. Both classes have half of the weight, whatever their numbers."""
    crops = torch.from_numpy(np.concatenate([positive, negative]))
    real = torch.cat([torch.ones(len(positive)), torch.zeros(len(negative))])
    share = torch.cat(
        [torch.full((len(positive),), 0.5 / len(positive)), torch.from_numpy(0.5 * weights / weights.sum())]
    )
    share *= len(crops)
    hidden, out = torch.nn.Linear(crops.shape[1], _HIDDEN), torch.nn.Linear(_HIDDEN, 1)
    network = torch.nn.Sequential(hidden, torch.nn.ReLU(), torch.nn.Dropout(_DROPOUT), out)
    optimiser = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=_DECAY)
    for _ in range(_EPOCHS):
        for batch in torch.randperm(len(crops)).split(_BATCH):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                network(crops[batch])[:, 0], 0.98 * real[batch] + 0.01, weight=share[batch]
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    return hidden, out
