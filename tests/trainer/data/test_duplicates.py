"""The same photograph is found again, whatever was done to it; another one is not taken for it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from trainer.data import duplicates
from trainer.data.duplicates import SAME, descriptors, find_duplicates
from trainer.data.labels import FaceLabel, Split, Years

Crops = NDArray[np.uint8]


def crops_of(count: int, seed: int = 0) -> Crops:
    """Smooth patterns of chance: none is like another."""
    noise = np.random.default_rng(seed).normal(size=(count, 99, 99))
    smooth = np.stack([cv2.GaussianBlur(one, (0, 0), 5) for one in noise])
    return np.clip(128 + 600 * smooth, 0, 255).astype(np.uint8)


def different_files(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, 32), np.uint8)


def labels_of(*splits: Split) -> list[FaceLabel]:
    return [FaceLabel(f"{number}.jpg", "male", Years(20, 29), split=split) for number, split in enumerate(splits)]


def kept(crops: Crops, labels: Sequence[FaceLabel], digests: NDArray[np.uint8] | None = None) -> list[int]:
    found = find_duplicates(crops, different_files(len(labels)) if digests is None else digests, labels)
    return np.flatnonzero(found.kept).tolist()


def lighter(crop: Crops) -> Crops:
    return np.clip(crop * 0.6 + 90, 0, 255).astype(np.uint8)


def compressed(crop: Crops) -> Crops:
    return np.asarray(
        cv2.imdecode(cv2.imencode(".jpg", crop, (cv2.IMWRITE_JPEG_QUALITY, 30))[1], cv2.IMREAD_GRAYSCALE), np.uint8
    )


def moved(crop: Crops) -> Crops:
    return np.asarray(cv2.warpAffine(crop, np.array([[1.01, 0.01, 0.4], [-0.01, 1.01, -0.4]]), (99, 99)), np.uint8)


@pytest.mark.parametrize("change", [lighter, compressed, moved])
def test_a_photograph_saved_anew_is_found(change: object) -> None:
    crops = crops_of(3)
    crops[2] = change(crops[0])  # type: ignore[operator]  # a parameter has no type
    found = find_duplicates(crops, different_files(3), labels_of("train", "train", "train"))
    assert np.flatnonzero(found.kept).tolist() == [0, 1]
    assert (found.exact, found.near, found.disagreeing) == (0, 1, 0)


def test_other_photographs_are_kept() -> None:
    crops = crops_of(400)
    described = descriptors(crops)
    alike = described @ described.T
    assert alike[~np.eye(400, dtype=bool)].max() < SAME - 0.2
    assert len(kept(crops, labels_of(*["train"] * 400))) == 400


def test_the_same_file_is_found_whatever_its_crop() -> None:
    digests = different_files(4)
    digests[3] = digests[1]
    found = find_duplicates(crops_of(4), digests, labels_of("train", "train", "train", "train"))
    assert np.flatnonzero(found.kept).tolist() == [0, 1, 2]
    assert (found.exact, found.near) == (1, 0)


def test_crops_of_one_gray_are_like_nothing() -> None:
    assert kept(np.full((3, 99, 99), 128, np.uint8), labels_of("train", "train", "train")) == [0, 1, 2]


@pytest.mark.parametrize(
    ("splits", "stays"),
    [
        (("train", "train", "train"), 0),
        (("train", "calibration", "train"), 1),
        (("train", "calibration", "test"), 2),
        (("train", "test", "test"), 1),
    ],
)
@pytest.mark.parametrize("same_file", [False, True])
def test_whoever_is_tested_on_stays(splits: tuple[Split, ...], stays: int, same_file: bool) -> None:
    crops = np.repeat(crops_of(1), 3, axis=0)
    digests = np.zeros((3, 32), np.uint8) if same_file else None
    assert kept(crops, labels_of(*splits), digests) == [stays]


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    crops = crops_of(60)
    crops[[7, 8, 30, 59]] = crops[[0, 7, 58, 0]]
    crops[8] = crops[0]
    labels = labels_of(*["train"] * 60)
    whole = kept(crops, labels)
    assert [index for index in range(60) if index not in whole] == [7, 8, 58, 59]
    monkeypatch.setattr(duplicates, "_ROWS", 4)
    monkeypatch.setattr(duplicates, "_COLUMNS", 5)
    assert kept(crops, labels) == whole


def test_what_is_like_a_removed_one_only_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst is thinned, not thrown away: each frame is measured against those that stay."""
    angles = np.arccos(SAME) * 0.9 * np.arange(3)
    steps = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    monkeypatch.setattr(duplicates, "descriptors", lambda _: steps)
    assert kept(crops_of(3), labels_of("train", "train", "train")) == [0, 2]


@pytest.mark.parametrize(
    ("gender", "age", "disagreeing"),
    [
        ("male", Years(20, 29), 0),
        ("male", Years(25, 32), 0),
        ("", None, 0),
        ("female", None, 1),
        ("male", Years(30, 39), 1),
        ("male", Years(3, 3), 1),
    ],
)
def test_labels_that_contradict_each_other_are_counted(gender: str, age: Years | None, disagreeing: int) -> None:
    labels = [*labels_of("train"), FaceLabel("twin.jpg", gender, age)]
    assert find_duplicates(np.repeat(crops_of(1), 2, axis=0), different_files(2), labels).disagreeing == disagreeing
