"""FairFace's label file, and which split a face belongs to."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from kiosk.estimate import DECADES
from trainer.fairface import GROUPS, LABEL_FILE, FairFaceError, read_labels, split_of
from trainer.prepared import FaceLabel

HEADER = "file,age,gender,race,service_test"


def root_with(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    (folder / LABEL_FILE).write_text("".join(f"{line}\n" for line in lines), encoding=encoding)
    return folder


def refusal(root: Path) -> str:
    with pytest.raises(FairFaceError) as caught:
        read_labels(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_labels_come_in_the_files_order(tmp_path: Path) -> None:
    root = root_with(tmp_path, HEADER, "train/2.jpg,20-29,Male,East Asian,True", "train/1.jpg,0-2,Female,Black,False")
    assert read_labels(root) == [
        FaceLabel("train/2.jpg", "male", "20-29", "East Asian", split_of("train/2.jpg")),
        FaceLabel("train/1.jpg", "female", "0-2", "Black", split_of("train/1.jpg")),
    ]


def test_columns_are_found_by_name(tmp_path: Path) -> None:
    root = root_with(tmp_path, "gender,file,race,age", "Female,train/1.jpg,White,3-9")
    assert [(label.file, label.gender, label.age) for label in read_labels(root)] == [("train/1.jpg", "female", "3-9")]


@pytest.mark.parametrize("age", ["60-69", "more than 70"])
def test_the_oldest_two_groups_are_merged(tmp_path: Path, age: str) -> None:
    root = root_with(tmp_path, HEADER, f"train/1.jpg,{age},Male,White,True")
    assert [label.age for label in read_labels(root)] == ["60+"]


def test_groups_are_the_default_networks() -> None:
    assert [group.label for group in GROUPS] == [group.label for group in DECADES]
    assert [(group.low, group.high) for group in GROUPS[:-1]] == [(group.low, group.high) for group in DECADES[:-1]]
    assert GROUPS[-1].low == 60


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("train/2.jpg,70+,Male,White,True", "unknown age group '70+'"),
        ("train/2.jpg,,Male,White,True", "unknown age group ''"),
        ("train/2.jpg,20-29,Other,White,True", "unknown gender 'Other'"),
        ("train/2.jpg,20-29", "unknown gender None"),
        ("train/2.jpg", "unknown age group None"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, said: str) -> None:
    line = refusal(root_with(tmp_path, HEADER, "train/1.jpg,0-2,Female,Black,False", row))
    assert f"{LABEL_FILE}, line 3: {said}" in line


def test_missing_columns_are_named(tmp_path: Path) -> None:
    assert "has no column age, gender" in refusal(root_with(tmp_path, "file,race", "train/1.jpg,White"))


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    assert f"ROOT is the folder that holds {LABEL_FILE}" in refusal(tmp_path)


def test_an_empty_file_has_no_columns(tmp_path: Path) -> None:
    assert "has no column" in refusal(root_with(tmp_path))


def test_a_file_without_faces_is_refused(tmp_path: Path) -> None:
    assert "lists no faces" in refusal(root_with(tmp_path, HEADER))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    assert "not a readable CSV file" in refusal(root_with(tmp_path, HEADER, "é", encoding="latin-1"))


def test_a_name_alone_decides_whether_a_face_is_tested_on() -> None:
    for file in (f"train/ü{number}.jpg" for number in range(500)):
        number = int(hashlib.sha256(file.encode()).hexdigest(), 16)
        assert (split_of(file) == "test") == (number % 20 == 0)


def test_splits_never_change() -> None:
    """Networks are compared on these faces: this must hold from one version to the next."""
    split = Counter(split_of(f"train/{number}.jpg") for number in range(1, 2001))
    assert split == {"train": 1849, "test": 92, "calibration": 59}
    assert [number for number in range(1, 100) if split_of(f"train/{number}.jpg") == "test"] == [7, 92]


def test_a_twentieth_is_tested_on_and_half_as_much_calibrates() -> None:
    split = Counter(split_of(f"train/{number}.jpg") for number in range(20_000))
    assert split.keys() == {"train", "calibration", "test"}
    assert split["test"] / 20_000 == pytest.approx(0.05, rel=0.1)
    assert split["calibration"] / 20_000 == pytest.approx(0.025, rel=0.1)
