"""Tests of `trainer evaluate`: figures of an engine or a run, as JSON, a page, pictures and a summary."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from kiosk.estimate import ADIENCE, DECADES
from kiosk.inference.base import EngineError
from tests.fakes import networks
from tests.fakes.judged import face, judged, saved
from tests.trainer.conftest import Exported
from trainer.data import prepared
from trainer.data.labels import FaceLabel, Split
from trainer.evaluation.evaluate import EvaluationError, evaluate, write_json, write_report
from trainer.evaluation.figures import PICTURES
from trainer.evaluation.metrics import Evaluation
from trainer.evaluation.text import markdown, summary
from trainer.training.augment import centre_crops
from trainer.training.run_folder import load_settings

WOMEN, MEN = 0, 1
EVERY_PICTURE = {"confusion.png", "reliability.png", "slices.png", "age-check.png"}


def people(split: Split, faces: int = 64) -> list[FaceLabel]:
    """Returns labels with every age group and gender in turn, and two races."""
    return [
        face(
            ("female", "male")[index % 2],
            f"{(group := DECADES[index // 2 % 8]).low}-{group.high}",
            ("White", "Black")[index // 4 % 2],
            split=split,
        )
        for index in range(faces)
    ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An engine that gives every face the same probabilities."""
    path = tmp_path_factory.mktemp("engine") / "linear.onnx"
    return networks.write_engine(path, networks.linear_network().SerializeToString())


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder with 64 test faces, 3 calibration faces and no training faces."""
    return saved(tmp_path_factory.mktemp("faces"), [*people("test"), *people("calibration", 3)])


@pytest.fixture(scope="module")
def evaluation(engine: Path, faces: Path) -> Evaluation:
    """The figures of the engine on the test faces."""
    return evaluate(engine, faces)


# Figures


def test_figures_follow_from_the_engines_answers(evaluation: Evaluation, faces: Path) -> None:
    data = prepared.load(faces)
    crops = centre_crops(data.crops[:64])
    gender, age = networks.expected(crops, 2).argmax(axis=1), networks.expected(crops, 8).argmax(axis=1)
    true_age = np.arange(64) // 2 % 8
    assert evaluation.faces == 64
    assert evaluation.over_faces.gender.hits == (gender == np.arange(64) % 2).sum()
    assert evaluation.over_faces.age.hits == (age == true_age).sum()
    assert evaluation.over_faces.age_within_one.hits == (abs(age - true_age) <= 1).sum()
    assert (evaluation.dataset, evaluation.split, evaluation.kind) == ("Made-up", "test", "engine")


def test_only_the_chosen_split_is_measured(engine: Path, faces: Path) -> None:
    assert evaluate(engine, faces, "calibration").faces == 3
    assert evaluate(engine, faces, "all").faces == 67


def test_the_challenge_age_can_be_chosen(engine: Path, faces: Path) -> None:
    strict, lenient = (evaluate(engine, faces, challenge_age=age).age_check for age in (60, 1))
    assert strict.challenge_age == 60
    assert strict.passed[-1].under_age.hits < lenient.passed[-1].under_age.hits


def test_a_run_and_its_exported_engine_have_the_same_figures(exported: Exported) -> None:
    folder = Path(load_settings(exported.run).prepared[0])
    run, engine = (evaluate(source, folder).to_dict() for source in (exported.run, exported.onnx))
    assert (run["kind"], engine["kind"]) == ("run", "engine")
    for part in ("age_groups", "over_faces", "averaged", "confusion", "by_age_group", "cells"):
        assert run[part] == engine[part]
    accuracy = exported.manifest.accuracy
    assert accuracy is not None
    assert engine["over_faces"]["gender"] == {
        **engine["over_faces"]["gender"],
        "share": accuracy.gender,
        "faces": accuracy.faces,
    }
    assert engine["over_faces"]["age"]["share"] == accuracy.age


# What cannot be measured


def test_an_empty_split_is_an_error(engine: Path, faces: Path) -> None:
    with pytest.raises(EvaluationError, match=r"has no faces in its train split: choose another split with --split$"):
        evaluate(engine, faces, "train")


def test_faces_without_any_label_are_an_error(engine: Path, tmp_path: Path) -> None:
    folder = saved(tmp_path, [face(split="test"), face(race="White", split="test")])
    with pytest.raises(EvaluationError, match=r"no face of .* in its test split has a gender or an age"):
        evaluate(engine, folder)


@pytest.mark.parametrize(
    ("labels", "drawn"),
    [
        ([face("female", "20-29")], EVERY_PICTURE - {"age-check.png"}),
        ([face("female")], EVERY_PICTURE - {"age-check.png"}),
        ([face("", "4-6"), face("", "38-43")], EVERY_PICTURE),
        ([face("", "25-32")], set()),  # in none of the groups, but
        ([face("", "15"), face("", "25-32"), face("", "60-100")], EVERY_PICTURE),
        ([face("male", "22", r"$a_{|<b> 漢字$")], EVERY_PICTURE - {"age-check.png"}),
    ],
)
def test_parts_without_data_are_left_out(labels: list[FaceLabel], drawn: set[str], tmp_path: Path) -> None:
    evaluation = judged(labels, [WOMEN] * len(labels), [3] * len(labels))
    write_report(evaluation, tmp_path)
    write_json(evaluation, tmp_path / "figures.json")
    assert {path.name for path in tmp_path.glob("*.png")} == drawn
    assert "nan" not in (tmp_path / "report.md").read_text().lower()
    assert "NaN" not in (tmp_path / "figures.json").read_text()
    assert "nan" not in summary(evaluation).lower()


def test_faces_outside_the_networks_groups_are_counted(engine: Path, tmp_path: Path) -> None:
    ages = [f"{group.low}-{group.high}" for group in ADIENCE]  # all but 0-2, 4-6 and 60+ are in two of the decades
    folder = saved(tmp_path, [face("male", age, split="test") for age in ages], ADIENCE)
    evaluation = evaluate(engine, folder)
    assert evaluation.ages_outside == 5
    assert evaluation.over_faces.age.faces == 3
    for text in (summary(evaluation), markdown(evaluation)):
        assert "5 of the faces do not count for age" in text


# JSON


def test_json_holds_the_measured_figures(evaluation: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "sub" / "figures.json"
    write_json(evaluation, path)
    assert json.loads(path.read_text(encoding="utf-8")) == evaluation.to_dict()
    assert path.read_text(encoding="utf-8").endswith("}\n")


def test_a_full_disk_is_an_error_and_leaves_the_old_file(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "figures.json"
    path.write_text("old")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(EvaluationError, match=r"cannot be written \(No space left on device\): free disk space"):
        write_json(evaluation, path)
    with pytest.raises(EvaluationError, match="cannot be written"):
        write_report(evaluation, tmp_path / "report")
    assert path.read_text() == "old"
    assert {left for left in tmp_path.rglob("*") if left.is_file()} == {path}


# The report


def test_the_page_links_every_picture(evaluation: Evaluation, tmp_path: Path) -> None:
    write_report(evaluation, tmp_path)
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page)
    assert set(shown) == EVERY_PICTURE == {picture.file for picture in PICTURES}
    for file in shown:
        picture = cv2.imread(str(tmp_path / file))
        assert picture is not None
        assert min(picture.shape[:2]) > 300
        assert picture.std() > 5  # something is drawn


def test_pictures_of_an_earlier_report_are_removed(evaluation: Evaluation, tmp_path: Path) -> None:
    write_report(evaluation, tmp_path)
    write_report(judged([face("female")], [WOMEN], [0]), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*EVERY_PICTURE, "report.md"} - {"age-check.png"}
    assert "age-check.png" not in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_same_figures_give_the_same_bytes(evaluation: Evaluation, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_report(evaluation, tmp_path / folder)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_every_row_of_a_table_has_the_same_number_of_cells(evaluation: Evaluation) -> None:
    for table in re.findall(r"(?:^\|.*\n)+", markdown(evaluation), re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


def test_the_page_shows_the_figures() -> None:
    labels = [face("female", "20-29", "A|B")] * 3 + [face("male", "10-19", "C_D")]
    page = markdown(judged(labels, [WOMEN, WOMEN, MEN, MEN], [3, 4, 6, 2]))
    assert "| gender | 75.0 ± 17.1 | 4 | 83.3 ± 14.4 | 2 |" in page
    assert "| age group | 50.0 ± 17.7 | 4 | 66.7 ± 14.4 | 2 |" in page
    assert r"| A\|B | 3 | 66.7 ± 18.7 | 33.3 ± 18.7 | 66.7 ± 18.7 |" in page
    assert r"C\_D" in page
    assert "| 20-29 | 0 | 0 | 0 | 1 | 1 | 0 | 1 | 0 |" in page  # of the confusion
    assert "| 3-9 | 0 | – | – | – |" in page  # nobody is
    assert "| 0.9 | 0.0 ± 21.9 | 1 | – | 0 |" in page  # of the age check


def test_the_summary_shows_the_most_important_figures() -> None:
    labels = [face("female", "20-29", "A")] * 40 + [face("male", "34", "B")] * 40 + [face("male", "10-19")] * 10
    lines = summary(judged(labels, [WOMEN] * 50 + [MEN] * 40, [3] * 40 + [4] * 50)).splitlines()
    assert lines[0] == "facialnet.onnx on 90 faces, the test split of Made-up"
    assert lines[2].split() == ["gender", "88.9", "±", "3.4", "91.7", "±", "4.0"]
    text = "\n".join(lines)
    assert "expected age: 0.5 years mean error, over 40 faces whose year is known" in text
    assert "spread by race, points: gender 25.0 ± 7.4 (A to B)" in text
    assert "at least 25 with 90%: passes 100.0 ± 9.4 % of the under-age, 100.0 ± 3.1 % of 30 and over" in text
    assert len(lines) < 16


def test_an_engines_own_error_is_passed_on(faces: Path, tmp_path: Path) -> None:
    broken = networks.write_engine(tmp_path / "broken.onnx", b"not a network")
    with pytest.raises(EngineError, match="refuses"):
        evaluate(broken, faces)
