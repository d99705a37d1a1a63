"""Tests of the age check's shares: which labels count, and how many of them pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.estimate import ADIENCE, DECADES, Estimate
from tests.fakes.judged import face, surely
from trainer.evaluation.age_check import THRESHOLDS, AgeCheck, are_clearly_adult, are_under_age, probability_at_least
from trainer.evaluation.confidence import Share

weights = st.lists(st.floats(0, 1), min_size=8, max_size=8).filter(lambda values: sum(values) > 0.01)


@pytest.mark.parametrize(
    ("age", "young", "old"),
    [
        ("17", True, False),
        ("18", False, False),  # the very year is known, and is of age
        ("10-19", True, False),  # only the group is known, and is wholly under twenty
        ("15-20", False, False),
        ("20-29", False, False),
        ("29", False, False),
        ("25-32", False, False),
        ("30", False, True),
        ("30-39", False, True),
        ("", False, False),
    ],
)
def test_labels_count_as_under_age_clearly_adult_or_neither(age: str, young: bool, old: bool) -> None:
    assert are_under_age([face(age=age)]).tolist() == [young]
    assert are_clearly_adult([face(age=age)]).tolist() == [old]


@given(weights, st.sampled_from([ADIENCE, DECADES]), st.floats(0, 110))
def test_the_probability_equals_the_kiosks_estimate(drawn: list[float], groups: tuple, years: float) -> None:
    shares = tuple(weight / sum(drawn) for weight in drawn)
    expected = Estimate(("female", "male"), (0.5, 0.5), groups, shares).probability_at_least(years)
    assert probability_at_least(np.array([shares]), groups, years)[0] == pytest.approx(expected)


def test_a_worked_example() -> None:
    # Half of 20-29 is 25 or more: P(at least 25) is 0.95, 0.5, 0 and 1 for these four answers.
    answers = surely([3, 3, 0, 5], 8)
    answers[0] = [0, 0, 0, 0.1, 0.9, 0, 0, 0]
    labels = [face(age="16"), face(age="10-19"), face(age="2"), face(age="40-49")]
    check = AgeCheck.of(answers, DECADES, labels)
    passed = {at.threshold: (at.under_age, at.adults) for at in check.passed}
    assert tuple(passed) == THRESHOLDS
    assert passed[0.5] == (Share(2, 3), Share(1, 1))  # the threshold itself passes
    assert passed[0.6] == (Share(1, 3), Share(1, 1))
    assert passed[0.9] == (Share(1, 3), Share(1, 1))
    assert passed[0.98] == (Share(0, 3), Share(1, 1))


def test_a_lower_challenge_age_lets_more_pass() -> None:
    check = AgeCheck.of(surely([3], 8), DECADES, [face(age="16")], challenge_age=20)
    assert check.challenge_age == 20
    assert check.passed[-1].under_age == Share(1, 1)


@given(st.lists(weights, min_size=1, max_size=6))
def test_a_higher_threshold_never_lets_more_pass(drawn: list[list[float]]) -> None:
    probabilities = np.array(drawn) / np.array(drawn).sum(axis=1, keepdims=True)
    passed = AgeCheck.of(probabilities, DECADES, [face(age="12")] * len(drawn)).passed
    hits = [at.under_age.hits for at in passed]
    assert hits == sorted(hits, reverse=True)


def test_faces_without_an_age_are_not_counted() -> None:
    at = AgeCheck.of(surely([3], 8), DECADES, [face("male")]).passed[0]
    assert at.under_age.value is None
    assert at.adults.value is None
