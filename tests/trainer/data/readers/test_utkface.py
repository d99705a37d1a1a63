"""UTKFace's labels are in the names of its files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainer.data.labels import FaceLabel, Years, split_of
from trainer.data.readers import DataSetError
from trainer.data.readers.utkface import NOT_UTF8, OTHER_NAME, read


def root_with(folder: Path, *files: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


@pytest.mark.parametrize(
    ("file", "gender", "year", "race"),
    [
        ("26_0_2_20170104023102422.jpg", "male", 26, "Asian"),
        ("1_1_4_20161219222832191.jpg.chip.jpg", "female", 1, "Others"),
        ("part1/116_1_0_20170112213500903.jpg", "female", 116, "White"),
        ("39_1_20170116174525125.jpg.chip.jpg", "female", 39, ""),  # four names lack the race
        ("24_0_1_20170116220224657 .jpg.chip.jpg", "male", 24, "Black"),  # and some are spelled oddly
        ("55_0_3_20170116232725357jpg.chip.jpg", "male", 55, "Indian"),
    ],
)
def test_a_name_is_a_label(tmp_path: Path, file: str, gender: str, year: int, race: str) -> None:
    (label,) = read(root_with(tmp_path, file)).labels
    assert label == FaceLabel(file, gender, Years(year, year), race, split=split_of(file))
    assert label.age is not None
    assert label.age.exact


def test_other_names_are_left_out_and_named(tmp_path: Path) -> None:
    root = root_with(
        tmp_path,
        "26_0_2_20170104023102422.jpg",
        "61_3_20170109150557335.jpg.chip.jpg",
        "200_0_2_20170104023102422.jpg",
        "b/holiday.jpg",
        "readme.txt",
    )
    dataset = read(root)
    assert len(dataset.labels) == 1
    assert dataset.left_out == {
        OTHER_NAME: ("200_0_2_20170104023102422.jpg", "61_3_20170109150557335.jpg.chip.jpg", "b/holiday.jpg")
    }


def test_names_that_are_not_utf8_are_left_out_and_printable(tmp_path: Path) -> None:
    odd = (b"bad\xff.jpg", b"p\xe4rt/9_0_0_20170104023102422.jpg")
    root = root_with(tmp_path, "26_0_2_20170104023102422.jpg", *map(os.fsdecode, odd))
    dataset = read(root)
    assert [label.file for label in dataset.labels] == ["26_0_2_20170104023102422.jpg"]
    assert dataset.left_out == {NOT_UTF8: ("bad\\xff.jpg", "p\\xe4rt/9_0_0_20170104023102422.jpg")}


def test_the_order_is_that_of_the_paths(tmp_path: Path) -> None:
    files = ["b/1_0_0_20170104023102422.jpg", "a/9_0_0_20170104023102422.jpg", "5_0_0_20170104023102422.jpg"]
    assert [label.file for label in read(root_with(tmp_path, *files)).labels] == sorted(files)


@pytest.mark.parametrize("files", [(), ("holiday.jpg",)])
def test_a_folder_of_other_pictures_is_refused(tmp_path: Path, files: tuple[str, ...]) -> None:
    with pytest.raises(DataSetError, match=f"none of the {len(files)} JPEG files under .* ROOT is the folder"):
        read(root_with(tmp_path, *files))


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetError, match=r"nowhere cannot be read \(No such file or directory\)"):
        read(tmp_path / "nowhere")
