"""Tests of the non-face filter's training: its samples and the file that it writes."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from kiosk.vision.faces.alignment import CROP_SIZE
from kiosk.vision.faces.nonface_filter import NonFaceFilter
from kiosk.vision.faces.quality import GOOD
from trainer.cli import main
from trainer.data import prepared
from trainer.data.prepared import MARGIN
from trainer.nonface.samples import (
    MAX_SIDE,
    find_non_faces,
    is_held_out,
    list_pictures,
    read_on_backgrounds,
    synthetic_pictures,
)
from trainer.nonface.train import NoPicturesError, degrade, train_nonface_filter


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures" / "deep"
    folder.mkdir(parents=True)
    for number, picture in enumerate(synthetic_pictures(12, seed=3)):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    (folder / "notes.txt").write_text("not a picture")
    return folder.parent


def test_the_filter_distinguishes_faces_from_what_it_was_trained_on(
    made_up_set: Path, pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "facelike.npz"
    result = train_nonface_filter(made_up_set, [pictures], out)
    assert result.faces == 96
    with out.open("rb") as file:
        judge = NonFaceFilter(file)
    data = prepared.load(made_up_set)
    inner = slice(MARGIN, -MARGIN)
    faces = [judge(np.ascontiguousarray(data.crops[row, inner, inner])) for row in data.rows("test")]
    others = [judge(other.crop) for group in find_non_faces(synthetic_pictures(30, seed=5)) for other in group]
    assert np.mean(np.array(faces) > 0) > 0.9
    assert np.mean(np.array(others) > 0) < 0.1


def test_no_readable_picture_is_an_error_that_says_what_to_do(made_up_set: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NoPicturesError, match="name folders of drawings"):
        train_nonface_filter(made_up_set, [empty], tmp_path / "out.npz")
    result = CliRunner().invoke(
        main, ["train-nonface-filter", str(made_up_set), str(empty), "--out", str(tmp_path / "out.npz")]
    )
    assert result.exit_code != 0
    assert not (tmp_path / "out.npz").exists()


def test_one_picture_in_three_is_held_out_by_its_name() -> None:
    held_out = [is_held_out(Path(f"somewhere/{number}.png")) for number in range(3000)]
    assert 0.3 < np.mean(held_out) < 0.37
    assert held_out == [is_held_out(Path(f"elsewhere/{number}.png")) for number in range(3000)]


def test_a_transparent_picture_is_read_on_a_light_and_a_dark_background(tmp_path: Path) -> None:
    picture = np.zeros((50, 60, 4), np.uint8)
    picture[20:30, 20:30] = (100, 100, 100, 255)
    cv2.imwrite(str(tmp_path / "hole.png"), picture)
    light, dark = read_on_backgrounds(tmp_path / "hole.png")
    assert light[0, 0] > 200 > 100 > dark[0, 0]
    assert light[25, 25] == dark[25, 25] == 100


def test_unreadable_files_are_skipped_and_large_pictures_are_reduced(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((10, 10), np.uint8))
    cv2.imwrite(str(tmp_path / "c.png"), np.zeros((1000, 500), np.uint8))
    a, b, c = (read_on_backgrounds(file) for file in list_pictures([tmp_path]))
    assert (a, b) == ([], [])
    assert c[0].shape == (MAX_SIDE, MAX_SIDE // 2)


def test_crops_without_a_face_have_good_quality() -> None:
    groups = list(find_non_faces(synthetic_pictures(12)))
    assert len(groups) == 12
    crops = [other.crop for group in groups for other in group]
    assert crops
    assert {crop.shape for crop in crops} == {(CROP_SIZE, CROP_SIZE)}
    assert all(crop.std() > 6 for crop in crops), f"quality is below {GOOD} without contrast"


def test_the_same_seed_degrades_a_crop_in_the_same_way() -> None:
    crop = synthetic_pictures(3)[2][:CROP_SIZE, :CROP_SIZE]
    one, other = (degrade(crop, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one, other)
    assert one.dtype == np.uint8
