"""Views of crops: what the kiosk would cut, and random ones around it."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from trainer.training.augment import Augmentation, centre_crops
from trainer.training.augment import augment as view_of

NOTHING = Augmentation(**{field.name: 0.0 for field in fields(Augmentation)})


def smooth_crops(count: int) -> NDArray[np.uint8]:
    """(count, 99, 99) gray slopes, all different, none its own mirror image."""
    across, down = np.meshgrid(np.arange(99), np.arange(99))
    return np.stack([(across + down * (index + 1) / count) % 256 for index in range(count)]).astype(np.uint8)


def augment(crops: NDArray[np.uint8], rng: np.random.Generator, how: Augmentation) -> NDArray[np.float32]:
    """(n, 1, 75, 75): a view of each crop, every one by a generator of its own."""
    return np.stack([view_of(crop, own, how) for crop, own in zip(crops, rng.spawn(len(crops)), strict=True)])[:, None]


def views(how: Augmentation, count: int = 16, seed: int = 0) -> NDArray[np.float32]:
    return augment(smooth_crops(count), np.random.default_rng(seed), how)


def test_centred_is_the_middle_of_the_stored_crop() -> None:
    crops = smooth_crops(3)
    middles = centre_crops(crops)
    assert (middles.shape, middles.dtype) == ((3, 1, 75, 75), np.float32)
    np.testing.assert_array_equal(np.rint(middles[:, 0] * 255), crops[:, 12:87, 12:87])


def test_black_is_0_and_white_is_1() -> None:
    assert centre_crops(np.array([0, 255], np.uint8).repeat(99 * 99).reshape(2, 99, 99)).max(
        axis=(1, 2, 3)
    ).tolist() == [
        0,
        1,
    ]


def test_nothing_to_augment_leaves_the_middle_or_its_mirror_image() -> None:
    expected = centre_crops(smooth_crops(16))
    plain = np.abs(views(NOTHING) - expected).max(axis=(1, 2, 3)) < 1e-3
    mirrored = np.abs(views(NOTHING)[..., ::-1] - expected).max(axis=(1, 2, 3)) < 1e-3
    assert (plain ^ mirrored).all()
    assert 3 < mirrored.sum() < 13


def test_the_seed_decides() -> None:
    np.testing.assert_array_equal(views(Augmentation(), seed=1), views(Augmentation(), seed=1))
    assert (views(Augmentation(), seed=1) != views(Augmentation(), seed=2)).any(axis=(1, 2, 3)).all()


def test_the_stored_crops_stay_as_they_are() -> None:
    crops = smooth_crops(4)
    augment(crops, np.random.default_rng(0), Augmentation())
    np.testing.assert_array_equal(crops, smooth_crops(4))


@given(seed=st.integers(0, 2**32), strength=st.floats(0, 3))
def test_views_are_gray_levels_however_far_they_stray(seed: int, strength: float) -> None:
    how = Augmentation(4 * strength, 12 * strength, 0.3 * strength, strength, strength, 1.0, 1.0, 1.0)
    crops = augment(smooth_crops(2), np.random.default_rng(seed), how)
    assert (crops.shape, crops.dtype) == ((2, 1, 75, 75), np.float32)
    assert 0 <= crops.min() <= crops.max() <= 1


@pytest.mark.parametrize("kind", [field.name for field in fields(Augmentation)])
def test_every_kind_of_augmentation_does_something(kind: str) -> None:
    usual = getattr(Augmentation(), kind)
    how = replace(NOTHING, **{kind: 1.0 if kind in {"blur", "noise", "cover"} else usual})
    expected = centre_crops(smooth_crops(16))
    change = np.minimum(
        *(np.abs(images - expected).max(axis=(1, 2, 3)) for images in (views(how), views(how)[..., ::-1]))
    )
    assert (change > 1e-3).sum() > 12


def test_a_shift_moves_the_view_by_so_many_pixels() -> None:
    crop = np.zeros((200, 99, 99), np.uint8)
    crop[:, 49, 49] = 255
    bright = augment(crop, np.random.default_rng(0), replace(NOTHING, shift=4.0)).reshape(200, 75 * 75).argmax(axis=1)
    moved = np.stack(np.divmod(bright, 75)) - 37
    assert moved.min(axis=1).tolist() == [-4, -4]
    assert moved.max(axis=1).tolist() == [4, 4]


@pytest.mark.parametrize("kind", ["blur", "noise", "cover"])
def test_a_share_of_crops_is_spoilt(kind: str) -> None:
    spoilt = views(replace(NOTHING, **{kind: 0.25}), count=200)
    expected = centre_crops(smooth_crops(200))
    change = np.minimum(*(np.abs(images - expected).max(axis=(1, 2, 3)) for images in (spoilt, spoilt[..., ::-1])))
    assert 30 < (change > 1e-3).sum() < 70
