"""Tests of every figure on examples computed by hand, and of properties that hold for any answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.estimate import ADIENCE, Estimate
from kiosk.inference.manifest import Temperatures
from tests.fakes.judged import face, judged, predictions, surely
from trainer.evaluation.confidence import Share
from trainer.evaluation.metrics import MIN_FACES, TASKS, Spread, age_error, measure

WOMEN, MEN = 0, 1

# gender and age as they are, gender and age group as they were answered
EXAMPLE = [
    (face("female", "20-29", "White"), WOMEN, 3),  # all right
    (face("female", "20-29", "White"), WOMEN, 4),  # one group too old
    (face("female", "20-29", "Black"), MEN, 5),  # all wrong
    (face("male", "20-29", "Black"), MEN, 3),  # all right
    (face("male", "0-2", "Black"), WOMEN, 1),  # one group too old
    (face("male", ""), MEN, 0),  # age unknown
    (face("", "60-69"), MEN, 7),  # gender unknown
    (face("female", "25-32"), MEN, 3),  # in two groups, so in none
    (face(), MEN, 3),  # nothing known
]
LABELS, GENDERS, AGES = zip(*EXAMPLE, strict=True)

answers = st.lists(
    st.tuples(
        st.sampled_from(["female", "male", ""]),
        st.sampled_from(["0-2", "17", "20-29", "25-32", "61", ""]),
        st.sampled_from(["", "White", "Black"]),
        st.integers(0, 1),
        st.integers(0, 7),
    ),
    min_size=1,
    max_size=80,
)


def test_accuracy_over_faces() -> None:
    evaluation = judged(LABELS, GENDERS, AGES)
    assert evaluation.faces == 9
    assert evaluation.ages_outside == 1
    assert evaluation.over_faces.gender == Share(4, 7)
    assert evaluation.over_faces.age == Share(3, 6)
    assert evaluation.over_faces.age_within_one == Share(5, 6)


def test_accuracy_averaged_over_cells() -> None:
    evaluation = judged(LABELS, GENDERS, AGES)
    # Women of 20-29: gender 2/3, exact 1/3, within one 2/3. Men of 20-29: all 1. Boys of 0-2: 0, 0, 1.
    # A face without one of the labels is in no cell.
    assert [(cell.name, cell.faces) for cell in evaluation.cells] == [
        ("0-2 male", 1),
        ("20-29 female", 3),
        ("20-29 male", 1),
    ]
    assert evaluation.averaged["gender"].value == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert evaluation.averaged["age"].value == pytest.approx((1 / 3 + 1 + 0) / 3)
    assert evaluation.averaged["age_within_one"].value == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert evaluation.averaged["age"].cells == 3


def test_a_rare_cell_has_the_same_weight_as_a_common_one() -> None:
    labels = [face("female", "20-29")] * 99 + [face("male", "60-69")]
    evaluation = judged(labels, [WOMEN] * 100, [3] * 100)
    assert evaluation.over_faces.gender == Share(99, 100)
    assert evaluation.averaged["gender"].value == 0.5
    assert evaluation.averaged["age"].value == 0.5


def test_confusion_has_a_row_for_each_true_class() -> None:
    evaluation = judged(LABELS, GENDERS, AGES)
    assert evaluation.confusion_gender.counts == ((2, 2), (1, 2))
    ages = np.zeros((8, 8), int)
    ages[3, 3], ages[3, 4], ages[3, 5], ages[0, 1], ages[7, 7] = 2, 1, 1, 1, 1
    np.testing.assert_array_equal(evaluation.confusion_age.counts, ages)
    assert evaluation.confusion_age.labels[0] == "0-2"


def test_a_slice_holds_the_faces_with_its_label() -> None:
    evaluation = judged(LABELS, GENDERS, AGES)
    women, men = evaluation.by_gender.slices
    assert (women.name, women.faces) == ("female", 4)
    assert women.accuracies.age == Share(1, 3)  # of one of them no group is known
    assert men.accuracies.gender == Share(2, 3)
    twenties = evaluation.by_age_group.slices[3]
    assert (twenties.name, twenties.faces, twenties.accuracies.gender) == ("20-29", 4, Share(3, 4))
    teenagers = evaluation.by_age_group.slices[2]
    assert (teenagers.name, teenagers.faces, teenagers.accuracies.age.value) == ("10-19", 0, None)
    assert [(race.name, race.faces) for race in evaluation.by_race.slices] == [("Black", 3), ("White", 2)]


def test_spread_is_the_best_minus_the_worst() -> None:
    labels = [face("female", race=race) for race in ("A", "B", "C") for _ in range(MIN_FACES)]
    labels += [face("female", race="D")] * (MIN_FACES - 1)  # too few to be called the worst
    right = [27, 30, 15, 0]
    gender = [int(i >= hits) for hits, faces in zip(right, (30, 30, 30, 29), strict=True) for i in range(faces)]
    evaluation = judged(labels, gender, [0] * len(labels))
    spread = evaluation.by_race.spread("gender")
    assert spread == Spread(0.5, pytest.approx(np.hypot(Share(30, 30).error, Share(15, 30).error)), "B", "C")
    assert evaluation.by_race.spread("age") is None  # nobody's is known
    assert evaluation.by_gender.spread("gender") is None  # one slice has no spread


def test_the_expected_age_equals_the_kiosks_estimate() -> None:
    shares = (0.0, 0.0, 0.1, 0.6, 0.3, 0.0, 0.0, 0.0)
    expected = Estimate(("female", "male"), (0.5, 0.5), ADIENCE, shares).expected_age
    labels = [face(age="22"), face(age="40"), face(age="25-32"), face()]  # 22 is in none of Adience's groups
    error = age_error(np.array([shares] * 4), ADIENCE, labels)
    assert error.faces == 2
    assert error.years == pytest.approx((abs(expected - 22) + abs(expected - 40)) / 2)


def test_without_known_years_the_age_error_is_none() -> None:
    assert judged(LABELS, GENDERS, AGES).age_error.years is None


def test_ages_count_only_within_one_of_the_networks_groups() -> None:
    labels = [face(age="22"), face(age="30"), face(age="25-32"), face(age="99")]
    network = predictions(surely([0] * 4, 2), surely([4, 4, 4, 7], 8), ADIENCE)
    evaluation = measure(network, labels, dataset="Made-up", split="test")
    assert evaluation.ages_outside == 1  # 22
    assert evaluation.over_faces.age == Share(3, 3)


def test_each_heads_calibration_uses_its_own_temperature() -> None:
    network = replace(
        predictions(surely([0], 2, 0.9), surely([0], 8, 0.9)), temperatures=Temperatures(gender=2.0, age=0.5)
    )
    evaluation = measure(network, [face("female", "1")], dataset="Made-up", split="test")
    assert evaluation.calibration_gender.before.error == pytest.approx(1 - 0.81 / 0.82)
    assert evaluation.calibration_age.before.error == pytest.approx(1 - 1 / (1 + 7 * (0.1 / 7 / 0.9) ** 0.5))
    assert evaluation.calibration_age.after.error == pytest.approx(0.1)


@given(answers)
def test_any_predictions_give_figures_that_are_valid_json(drawn: list[tuple[Any, ...]]) -> None:
    labels = [face(gender, age, race) for gender, age, race, _, _ in drawn]
    evaluation = judged(labels, [answer[3] for answer in drawn], [answer[4] for answer in drawn])
    data = json.loads(json.dumps(evaluation.to_dict(), allow_nan=False))
    over_faces = data["over_faces"]
    assert over_faces["age"]["faces"] == over_faces["age_within_one"]["faces"]
    if over_faces["age"]["faces"]:
        assert 0 <= over_faces["age"]["share"] <= over_faces["age_within_one"]["share"] <= 1
    aged = sum(label.age is not None for label in labels)
    assert over_faces["age"]["faces"] + data["ages_outside_groups"] == aged
    for task, confusion in (("gender", "gender"), ("age", "age")):
        counts = np.array(data["confusion"][confusion]["counts"])
        assert counts.sum() == over_faces[task]["faces"]
        assert np.trace(counts) == evaluation.over_faces.of(task).hits
    assert sum(part["faces"] for part in data["by_age_group"]["slices"]) == over_faces["age"]["faces"]
    assert sum(part["faces"] for part in data["by_gender"]["slices"]) == over_faces["gender"]["faces"]


@given(answers, st.randoms(use_true_random=False))
def test_the_order_of_the_faces_does_not_matter(drawn: list[tuple[Any, ...]], shuffle: Any) -> None:
    def figures() -> dict[str, Any]:
        labels = [face(gender, age, race) for gender, age, race, _, _ in drawn]
        return judged(labels, [answer[3] for answer in drawn], [answer[4] for answer in drawn]).to_dict()

    before = figures()
    shuffle.shuffle(drawn)
    assert figures() == before


def test_json_keeps_its_keys() -> None:
    data = judged(LABELS, GENDERS, AGES).to_dict()
    assert list(data) == [
        "source", "kind", "dataset", "split", "faces", "age_groups", "ages_outside_groups", "over_faces", "averaged",
        "age_error", "confusion", "by_gender", "by_age_group", "by_race", "spread_least_faces", "cells", "calibration",
        "age_check",
    ]  # fmt: skip
    assert tuple(data["over_faces"]) == tuple(data["averaged"]) == TASKS
    assert data["over_faces"]["gender"] == {"share": 0.5714, "error": 0.1501, "faces": 7}
    assert data["age_error"] == {"years": None, "faces": 0}
    assert data["by_race"]["spread"] == {"gender": None, "age": None, "age_within_one": None}
    assert data["age_groups"][3] == {"label": "20-29", "low": 20, "high": 29}
