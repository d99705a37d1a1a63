"""Adience's five folds, odd labels and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from kiosk.estimate import ADIENCE
from trainer.data.labels import FaceLabel, Years, group_indices, split_of
from trainer.data.readers import DataSetError
from trainer.data.readers.adience import NOTHING_KNOWN, read

HEADER = "user_id\toriginal_image\tface_id\tage\tgender\tx\ty\tdx\tdy\ttilt_ang\tfiducial_yaw_angle\tfiducial_score"


def row(age: str, gender: str = "f", user: str = "100@N01", image: str = "9_o.jpg") -> str:
    return f"{user}\t{image}\t7\t{age}\t{gender}\t0\t414\t1086\t1383\t-115\t30\t17"


def root_with(folder: Path, *rows: str) -> Path:
    """The rows stand in fold 1; every other fold has one face of a known age."""
    for fold in range(5):
        lines = rows if fold == 1 else [row("(4, 6)", user=f"{fold}@N00")]
        content = "".join(f"{line}\n" for line in (HEADER, *lines))
        (folder / f"fold_{fold}_data.txt").write_text(content, encoding="utf-8")
    return folder


def in_fold_1(root: Path) -> list[FaceLabel]:
    return [label for label in read(root).labels if label.fold == "1"]


def refusal(root: Path) -> str:
    with pytest.raises(DataSetError) as caught:
        read(root)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_face_has_its_person_its_fold_and_its_picture(tmp_path: Path) -> None:
    dataset = read(root_with(tmp_path, row("(25, 32)", "m")))
    assert [label.fold for label in dataset.labels] == ["0", "1", "2", "3", "4"]
    assert dataset.labels[1] == FaceLabel(
        "faces/100@N01/coarse_tilt_aligned_face.7.9_o.jpg",
        gender="male",
        age=Years(25, 32),
        subject="100@N01",
        fold="1",
        split=split_of("100@N01"),
    )
    assert (dataset.name, dataset.groups) == ("Adience", ADIENCE)
    assert "research only" in dataset.source


@pytest.mark.parametrize(
    ("age", "group"),
    [
        *((f"({group.low}, {group.high})", group.label) for group in ADIENCE),
        ("(27, 32)", "25-32"),
        ("(38, 42)", "38-43"),
        ("29", "25-32"),
        ("32", "25-32"),
        ("42", "38-43"),
        ("2", "0-2"),
        *((age, None) for age in ("3", "13", "22", "23", "34", "35", "36", "45", "46", "55", "56", "57", "58")),
        ("(8, 23)", None),
        ("(38, 48)", None),
        ("None", None),
        ("", None),
    ],
)
def test_an_age_counts_where_one_group_holds_it(tmp_path: Path, age: str, group: str | None) -> None:
    (label,) = in_fold_1(root_with(tmp_path, row(age)))
    index = group_indices([label], ADIENCE)[0]
    assert (ADIENCE[index].label if index >= 0 else None) == group
    assert (label.age is None) == (group is None)
    assert label.gender == "female"


@pytest.mark.parametrize("gender", ["u", ""])
def test_a_face_of_unknown_gender_has_an_age(tmp_path: Path, gender: str) -> None:
    (label,) = in_fold_1(root_with(tmp_path, row("(0, 2)", gender)))
    assert (label.gender, label.age) == ("", Years(0, 2))


def test_a_face_of_which_nothing_is_known_is_left_out_and_named(tmp_path: Path) -> None:
    dataset = read(root_with(tmp_path, row("None", "u"), row("35", ""), row("35", "m")))
    assert len(dataset.labels) == 5
    assert dataset.left_out == {NOTHING_KNOWN: ("faces/100@N01/coarse_tilt_aligned_face.7.9_o.jpg",) * 2}


def test_a_person_is_in_one_split(tmp_path: Path) -> None:
    pictures = [row("(0, 2)", user="100@N01", image=f"{number}.jpg") for number in range(50)]
    assert len({label.split for label in in_fold_1(root_with(tmp_path, *pictures))}) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (row("young"), "unknown age 'young'"),
        (row("(32, 25)"), "no age runs from 32 to 25"),
        (row("(0, 2)", "x"), "unknown gender 'x'"),
        (row("(0, 2)", user="../.."), "'faces/../../coarse_tilt_aligned_face.7.9_o.jpg' is not a file below ROOT"),
        ("100@N01\t9_o.jpg\t7", "its columns do not match the header"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, line: str, said: str) -> None:
    assert f"fold_1_data.txt, line 3: {said}" in refusal(root_with(tmp_path, row("(0, 2)"), line))


def test_a_missing_fold_is_named(tmp_path: Path) -> None:
    root = root_with(tmp_path, row("(0, 2)"))
    (root / "fold_3_data.txt").unlink()
    said = refusal(root)
    assert "fold_3_data.txt cannot be read" in said
    assert "ROOT is the folder that holds" in said


def test_folds_without_faces_are_refused(tmp_path: Path) -> None:
    for fold in range(5):
        (tmp_path / f"fold_{fold}_data.txt").write_text(f"{HEADER}\n", encoding="utf-8")
    assert "list no faces" in refusal(tmp_path)
