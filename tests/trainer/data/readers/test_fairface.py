"""FairFace's label file."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.estimate import DECADES
from trainer.data.labels import DEFAULT_GROUPS, FaceLabel, Years, group_indices, split_of
from trainer.data.readers import DataSetError
from trainer.data.readers.fairface import LABEL_FILE, read

HEADER = "file,age,gender,race,service_test"


def root_with(folder: Path, *lines: str) -> Path:
    (folder / LABEL_FILE).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


def refusal(root: Path) -> str:
    with pytest.raises(DataSetError) as caught:
        read(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_labels_come_in_the_files_order(tmp_path: Path) -> None:
    root = root_with(tmp_path, HEADER, "train/2.jpg,20-29,Male,East Asian,True", "train/7.jpg,0-2,Female,Black,False")
    dataset = read(root)
    assert dataset.labels == (
        FaceLabel("train/2.jpg", "male", Years(20, 29), "East Asian", split=split_of("train/2.jpg")),
        FaceLabel("train/7.jpg", "female", Years(0, 2), "Black", split="test"),
    )
    assert (dataset.name, dataset.groups, dataset.left_out) == ("FairFace", DEFAULT_GROUPS, {})
    assert "CC BY 4.0" in dataset.source


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    root = root_with(tmp_path, "gender,file,race,age", "Female,train/1.jpg,White,3-9")
    assert [(label.file, label.gender, str(label.age)) for label in read(root).labels] == [
        ("train/1.jpg", "female", "3-9")
    ]


def test_every_age_falls_into_a_group_of_the_default_network(tmp_path: Path) -> None:
    ages = ("0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")
    root = root_with(tmp_path, HEADER, *(f"train/1.jpg,{age},Male,White,True" for age in ages))
    labels = read(root).labels
    assert group_indices(labels, DECADES).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 7]
    assert group_indices(labels, DEFAULT_GROUPS).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 7]
    assert labels[-2].age != labels[-1].age


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("train/2.jpg,70+,Male,White,True", "unknown age group '70+'"),
        ("train/2.jpg,,Male,White,True", "unknown age group ''"),
        ("train/2.jpg,20-29,Other,White,True", "unknown gender 'Other'"),
        ("../2.jpg,20-29,Male,White,True", "'../2.jpg' is not a file below ROOT"),
        ("/etc/2.jpg,20-29,Male,White,True", "'/etc/2.jpg' is not a file below ROOT"),
        ("train/2.jpg,20-29", "its columns do not match the header"),
        ("train/2.jpg,20-29,Male,White,True,1", "its columns do not match the header"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, said: str) -> None:
    line = refusal(root_with(tmp_path, HEADER, "train/1.jpg,0-2,Female,Black,False", row))
    assert f"{LABEL_FILE}, line 3: {said}" in line


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    assert f"ROOT is the folder that holds {LABEL_FILE}" in refusal(tmp_path)


def test_a_file_without_faces_is_refused(tmp_path: Path) -> None:
    assert "lists no faces" in refusal(root_with(tmp_path, HEADER))
