"""Trains the small network that tells a real face from a false detection: see `kiosk.vision.faces.nonface_filter`.

It learns from prepared faces, and from pictures of anything else of which one in three is kept aside. Both are dimmed,
blurred, noised and lit from a side in the same way, so that the camera's faults tell nothing.
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
from trainer.nonface.samples import NotFace, flattened, kept_aside, made_up, not_faces, on_grounds, picture_files

FACES_LOST = 0.01
"""Share of the calibration faces that may be taken for something else."""

MADE_UP = 300
"""Pictures that are made up."""

_HIDDEN, _DROPOUT, _EPOCHS, _BATCH, _RATE, _DECAY = 32, 0.3, 15, 128, 2e-3, 0.05
_ROUNDS = 4  # of every crop that is no face: once as it is, then spoilt
_MOST_FACES = 14_000  # more teach it nothing
_SHIFT = 2  # pixels by which a face may be off
_FOUND, _NEARLY_FOUND, _FORCED = 5.0, 2.0, 0.3  # what a crop that is no face counts for


class NoPicturesError(KioskError):
    """There are no pictures of anything but faces."""


@dataclass(frozen=True)
class Fit:
    """What came of it."""

    faces: int
    others: int
    """Crops that it was trained on."""

    def __str__(self) -> str:
        return f"trained on {self.faces} faces and {self.others} chips of something else"


def fit(data: Path, folders: Sequence[Path], out: Path, seed: int = 0) -> Fit:
    """Trains on prepared faces and folders of pictures, and writes the `.npz`.

    Raises `PreparedDataError` and `NoPicturesError`.
    """
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    faces = prepared.load(data)
    files = [file for file in picture_files(folders) if not kept_aside(file)]
    pictures = [picture for file in files for picture in on_grounds(file)]
    if not pictures:
        raise NoPicturesError(
            f"{', '.join(map(str, folders))}: no picture to learn from; name folders of drawings, animals and things"
        )
    others = flattened(not_faces([*pictures, *made_up(MADE_UP, seed)], seed))
    rows = random.permutation(faces.rows("train"))[:_MOST_FACES]
    positive = _measured([spoilt(_shifted(faces, int(row), random), random) for row in rows])
    negative, weights = _others(others, random)
    mean, deviation = positive.mean(axis=0), positive.std(axis=0) + 1e-3
    hidden, out_layer = _trained((positive - mean) / deviation, (negative - mean) / deviation, weights)
    calibration = _measured([_shifted(faces, int(row), None) for row in faces.rows("calibration")])
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
            # moved so that what is above 0 is taken for a face
            out_bias=out_layer.bias.detach().numpy()[0] - np.float32(np.quantile(odds, FACES_LOST)),
        )
    return Fit(len(rows), len(others))


def spoilt(crop: Gray, random: np.random.Generator) -> Gray:
    """The crop as a worse camera, in worse light, would have seen it; one in four as it is."""
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


def _others(others: Sequence[NotFace], random: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    crops = [other.crop for other in others]
    for turn in range(1, _ROUNDS):
        crops += [spoilt(other.crop[:, ::-1] if turn % 2 else other.crop, random) for other in others]
    worth = [_FOUND if other.score > 0 else _NEARLY_FOUND if other.score > -1 else _FORCED for other in others]
    return _measured(crops), np.tile(np.asarray(worth, np.float32), _ROUNDS)


def _measured(crops: Sequence[Gray]) -> NDArray[np.float32]:
    return np.stack([features_of(np.ascontiguousarray(crop)) for crop in crops])


def _trained(
    positive: NDArray[np.float32], negative: NDArray[np.float32], weights: NDArray[np.float32]
) -> tuple[torch.nn.Linear, torch.nn.Linear]:
    """Its two layers. Both classes count for half, however many there are of each."""
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
