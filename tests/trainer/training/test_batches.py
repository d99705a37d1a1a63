"""An epoch's batches depend on the seed, the epoch and nothing else: not on who shares them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.fakes import made_up
from trainer.data import prepared
from trainer.data.faces import Faces
from trainer.data.labels import FaceLabel, Years
from trainer.training.augment import centre_crops
from trainer.training.batches import Batch, Batches
from trainer.training.recipe import DEFAULT, Recipe

RECIPE = replace(DEFAULT, batch_size=24, balance=0.0, mixup=0.0)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Faces:
    return Faces.load([made_up.save(tmp_path_factory.mktemp("faces"), 160)])


def epoch(faces: Faces, recipe: Recipe = RECIPE, number: int = 0, rank: int = 0, count: int = 1) -> list[Batch]:
    return list(Batches(faces, recipe, rank, count).epoch(number))


def same(one: Batch, other: Batch) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in ("crops", "gender", "age"))


def test_an_epoch_is_every_full_batch(faces: Faces) -> None:
    batches = epoch(faces, replace(RECIPE, batch_size=36))
    assert [len(batch.crops) for batch in batches] == [36, 36]
    assert batches[0].crops.shape == (36, 1, 75, 75)
    assert (batches[0].gender.shape, batches[0].age.shape) == ((36, 2), (36, 8))


def test_every_training_face_is_seen_once_an_epoch(faces: Faces) -> None:
    plain = replace(RECIPE, augmentation=None)
    seen = Counter(crop.numpy().tobytes() for batch in epoch(faces, plain) for crop in batch.crops)
    assert seen == Counter(crop.tobytes() for crop in centre_crops(faces.crops(faces.rows("train"))))


def test_targets_stay_with_their_crops(faces: Faces) -> None:
    """A made-up woman's bar is bright, and lies lower the older she is."""
    for batch in epoch(faces, replace(RECIPE, augmentation=None)):
        rows = batch.crops[:, 0].mean(dim=2) - 0.5
        assert torch.equal(rows.abs().max(dim=1).indices.sub(4).div(9, rounding_mode="floor"), batch.age.argmax(dim=1))
        assert torch.equal(rows.sum(dim=1) > 0, batch.gender[:, 0] > 0.5)


def test_the_seed_and_the_epoch_decide(faces: Faces) -> None:
    [first, *_] = epoch(faces)
    assert same(first, epoch(faces)[0])
    assert not same(first, epoch(faces, number=1)[0])
    assert not same(first, epoch(faces, replace(RECIPE, seed=1))[0])


@pytest.mark.parametrize(
    "recipe",
    [RECIPE, replace(RECIPE, balance=0.5), replace(RECIPE, mixup=0.5)],
    ids=["all alike", "balanced", "mixed"],
)
def test_two_processes_share_what_one_would_have_seen(faces: Faces, recipe: Recipe) -> None:
    whole, halves = epoch(faces, recipe), [epoch(faces, recipe, rank=rank, count=2) for rank in (0, 1)]
    for batch, first, second in zip(whole, *halves, strict=True):
        for name in ("crops", "gender", "age"):
            joined = torch.cat([getattr(first, name), getattr(second, name)])
            assert torch.equal(getattr(batch, name), joined)


def test_balance_draws_rare_kinds_more_often(tmp_path: Path) -> None:
    labels = [FaceLabel(str(n), "female", Years(20, 29)) for n in range(90)]
    labels += [FaceLabel(str(n), "male", Years(60, 79)) for n in range(90, 100)]
    crops = np.zeros((100, 99, 99), np.uint8)
    prepared.save(tmp_path, dataset="x", groups=made_up.DECADES, crops=crops, labels=labels, summary={})
    faces = Faces.load([tmp_path])

    def men(balance: float) -> float:
        recipe = replace(RECIPE, batch_size=100, balance=balance, augmentation=None)
        return float(
            np.mean([batch.gender[:, 1].mean() for number in range(30) for batch in epoch(faces, recipe, number)])
        )

    smoothing = RECIPE.gender_smoothing / 2
    assert men(0.0) == pytest.approx(0.1 * (1 - 2 * smoothing) + smoothing, abs=0.001)
    assert men(0.5) == pytest.approx(0.25, abs=0.04)
    assert men(1.0) == pytest.approx(0.5, abs=0.04)


def test_mixing_mixes_crops_and_targets_alike(faces: Faces) -> None:
    plain = replace(RECIPE, augmentation=None)
    mixed = epoch(faces, replace(plain, mixup=1.0))[0]
    pure = epoch(faces, plain)[0]
    assert not torch.equal(mixed.crops, pure.crops)
    torch.testing.assert_close(mixed.gender.sum(dim=1), torch.ones(24))
    torch.testing.assert_close(mixed.age.sum(dim=1), torch.ones(24))
    assert float(mixed.crops.mean()) == pytest.approx(float(pure.crops.mean()), abs=0.01)
    assert ((mixed.gender > 0.1) & (mixed.gender < 0.9)).any()


def test_several_sets_are_counted_through(tmp_path: Path) -> None:
    first, second = made_up.save(tmp_path / "first", 48), made_up.save(tmp_path / "second", 160)
    both = Faces.load([first, second])
    assert both.name == "Made-up"
    assert len(both.labels) == 208
    rows = np.array([50, 3, 47, 48, 207])
    expected = [both.sets[1].crops[2], *both.sets[0].crops[[3, 47]], *both.sets[1].crops[[0, 159]]]
    np.testing.assert_array_equal(both.crops(rows), expected)
