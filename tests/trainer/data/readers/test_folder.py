"""A folder of one's own with its labels.csv."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trainer.data.labels import DEFAULT_GROUPS, FaceLabel, Years, group_indices, split_of
from trainer.data.readers import DataSetError
from trainer.data.readers.folder import NOTHING_KNOWN, read


def root_with(folder: Path, *lines: str) -> Path:
    root = folder / "staff"
    root.mkdir()
    (root / "labels.csv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return root


def refusal(root: Path) -> str:
    with pytest.raises(DataSetError) as caught:
        read(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_labels_are_what_the_table_says(tmp_path: Path) -> None:
    dataset = read(
        root_with(
            tmp_path,
            "file,age,gender,subject,race",
            "a/1.jpg,34,female,ann,White",
            "b.jpg,25-32,M,bob,",
            "c.jpg,60+,,,",
            "./d.jpg,,F,,",
        )
    )
    assert dataset.labels == (
        FaceLabel("a/1.jpg", "female", Years(34, 34), "White", "ann", split=split_of("ann")),
        FaceLabel("b.jpg", "male", Years(25, 32), subject="bob", split=split_of("bob")),
        FaceLabel("c.jpg", age=Years(60, 120), split=split_of("c.jpg")),
        FaceLabel("d.jpg", "female", split=split_of("d.jpg")),
    )
    assert group_indices(dataset.labels, DEFAULT_GROUPS).tolist() == [4, -1, 7, -1]
    assert (dataset.name, dataset.groups) == ("staff", DEFAULT_GROUPS)


def test_subject_and_race_may_be_missing(tmp_path: Path) -> None:
    (label,) = read(root_with(tmp_path, "gender,age,file", "Female,8,1.jpg")).labels
    assert label == FaceLabel("1.jpg", "female", Years(8, 8), split=split_of("1.jpg"))


def test_a_picture_without_a_label_is_left_out_and_named(tmp_path: Path) -> None:
    dataset = read(root_with(tmp_path, "file,age,gender", "1.jpg,,", "2.jpg,3,"))
    assert [label.file for label in dataset.labels] == ["2.jpg"]
    assert dataset.left_out == {NOTHING_KNOWN: ("1.jpg",)}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2.jpg,old,m", "'old' is not an age such as 34 or 25-32"),
        ("2.jpg,32-25,m", "no age runs from 32 to 25"),
        ("2.jpg,130,m", "no age runs from 130 to 130"),
        ("2.jpg,-3,m", "'-3' is not an age"),
        ("2.jpg,3,man", "'man' is not a gender such as female or m"),
        (",3,m", "'' is not a file below ROOT"),
        ("../2.jpg,3,m", "'../2.jpg' is not a file below ROOT"),
        ("a/../../2.jpg,3,m", "is not a file below ROOT"),
        ("/etc/2.jpg,3,m", "'/etc/2.jpg' is not a file below ROOT"),
        ("2.jpg,3", "its columns do not match the header"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, row: str, said: str) -> None:
    line = refusal(root_with(tmp_path, "file,age,gender", "1.jpg,3,f", row))
    assert "labels.csv, line 3: " in line
    assert said in line
    assert line.endswith("correct or remove the line")


def test_an_unbalanced_quotation_mark_loses_nobody(tmp_path: Path) -> None:
    rows = ("file,age,gender,subject", 'a.jpg,34,f,"p1', "b.jpg,20,m,p2", "c.jpg,30,m,p3")
    assert "labels.csv, line 2: " in refusal(root_with(tmp_path, *rows))


def test_a_folder_whose_name_is_not_utf8_has_one_that_is(tmp_path: Path) -> None:
    root = tmp_path / os.fsdecode(b"p\xe4rt")
    root_with(tmp_path, "file,age,gender", "1.jpg,3,f").rename(root)
    assert read(root).name == "p\\xe4rt"


def test_a_missing_table_is_explained(tmp_path: Path) -> None:
    assert "ROOT is a folder that holds labels.csv" in refusal(tmp_path)


def test_a_table_without_labels_is_refused(tmp_path: Path) -> None:
    assert "gives no picture an age or a gender" in refusal(root_with(tmp_path, "file,age,gender", "1.jpg,,"))
