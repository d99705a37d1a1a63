"""What tells faces from anything else: what it learns from, and the file that comes of it."""

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
from trainer.nonface.samples import LARGEST, kept_aside, made_up, not_faces, on_grounds, picture_files
from trainer.nonface.train import NoPicturesError, fit, spoilt


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures" / "deep"
    folder.mkdir(parents=True)
    for number, picture in enumerate(made_up(12, seed=3)):
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    (folder / "notes.txt").write_text("not a picture")
    return folder.parent


def test_it_tells_what_it_was_trained_on_from_faces(made_up_set: Path, pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "facelike.npz"
    result = fit(made_up_set, [pictures], out)
    assert result.faces == 96
    with out.open("rb") as file:
        judge = NonFaceFilter(file)
    data = prepared.load(made_up_set)
    inner = slice(MARGIN, -MARGIN)
    faces = [judge(np.ascontiguousarray(data.crops[row, inner, inner])) for row in data.rows("test")]
    others = [judge(other.crop) for group in not_faces(made_up(30, seed=5)) for other in group]
    assert np.mean(np.array(faces) > 0) > 0.9
    assert np.mean(np.array(others) > 0) < 0.1


def test_without_a_picture_it_says_what_to_do(made_up_set: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NoPicturesError, match="name folders of drawings"):
        fit(made_up_set, [empty], tmp_path / "out.npz")
    told = CliRunner().invoke(
        main, ["train-nonface-filter", str(made_up_set), str(empty), "--out", str(tmp_path / "out.npz")]
    )
    assert told.exit_code != 0
    assert not (tmp_path / "out.npz").exists()


def test_one_picture_in_three_is_kept_aside_by_its_name() -> None:
    aside = [kept_aside(Path(f"somewhere/{number}.png")) for number in range(3000)]
    assert 0.3 < np.mean(aside) < 0.37
    assert aside == [kept_aside(Path(f"elsewhere/{number}.png")) for number in range(3000)]


def test_a_transparent_picture_is_seen_on_light_and_on_dark(tmp_path: Path) -> None:
    picture = np.zeros((50, 60, 4), np.uint8)
    picture[20:30, 20:30] = (100, 100, 100, 255)
    cv2.imwrite(str(tmp_path / "hole.png"), picture)
    light, dark = on_grounds(tmp_path / "hole.png")
    assert light[0, 0] > 200 > 100 > dark[0, 0]
    assert light[25, 25] == dark[25, 25] == 100


def test_what_cannot_be_read_is_passed_over_and_what_is_large_made_smaller(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    cv2.imwrite(str(tmp_path / "b.png"), np.zeros((10, 10), np.uint8))
    cv2.imwrite(str(tmp_path / "c.png"), np.zeros((1000, 500), np.uint8))
    a, b, c = (on_grounds(file) for file in picture_files([tmp_path]))
    assert (a, b) == ([], [])
    assert c[0].shape == (LARGEST, LARGEST // 2)


def test_crops_of_what_is_no_face_are_such_as_would_be_asked_about() -> None:
    groups = list(not_faces(made_up(12)))
    assert len(groups) == 12
    crops = [other.crop for group in groups for other in group]
    assert crops
    assert {crop.shape for crop in crops} == {(CROP_SIZE, CROP_SIZE)}
    assert all(crop.std() > 6 for crop in crops), f"quality is below {GOOD} without contrast"


def test_a_spoilt_crop_is_the_same_one_with_the_same_seed() -> None:
    crop = made_up(3)[2][:CROP_SIZE, :CROP_SIZE]
    one, other = (spoilt(crop, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(one, other)
    assert one.dtype == np.uint8
