"""Each label is used for what it says: its years, in whatever groups the network has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.estimate import ADIENCE, DECADES
from trainer.data.labels import DEFAULT_GROUPS, OLDEST, FaceLabel, Years
from trainer.training.targets import age_targets, gender_targets


def target(age: str, noise_std: float = 0.0, groups: tuple = DEFAULT_GROUPS) -> list[float]:
    return [float(value) for value in age_targets([FaceLabel("a", age=Years.parse(age))], groups, noise_std)[0]]


@pytest.mark.parametrize(
    ("age", "group"), [("0", 0), ("2", 0), ("3", 1), ("20-29", 3), ("59", 6), ("60-79", 7), ("80", 7), ("70-120", 7)]
)
def test_an_age_in_one_group_is_that_group(age: str, group: int) -> None:
    assert target(age) == pytest.approx(np.eye(8)[group].tolist())


def test_a_span_over_two_groups_is_shared_by_its_years() -> None:
    assert target("25-32") == pytest.approx([0, 0, 0, 5 / 8, 3 / 8, 0, 0, 0])
    assert target("8-12") == pytest.approx([0, 2 / 5, 3 / 5, 0, 0, 0, 0, 0])


def test_years_that_belong_to_no_group_count_for_none() -> None:
    assert target("20-29", groups=ADIENCE) == pytest.approx([0, 0, 0, 1 / 6, 5 / 6, 0, 0, 0])
    assert target("22", groups=ADIENCE) == [0] * 8


def test_an_unknown_age_teaches_none() -> None:
    assert age_targets([FaceLabel("a")], DECADES).tolist() == [[0] * 8]


def test_doubt_reaches_into_the_groups_beside() -> None:
    beside = target("20-29", noise_std=0.07)
    assert beside[3] > 0.8
    assert beside[2] > 0.04
    assert beside[4] > 0.04
    assert max(beside[0], beside[1], beside[5], beside[6], beside[7]) < 0.01


def test_doubt_is_a_share_of_the_age() -> None:
    """A toddler is not taken for ten; a man of 59 may well be 61."""
    assert target("2", noise_std=0.1)[0] > 0.9
    assert target("59", noise_std=0.1)[7] > 0.4


def test_doubt_grows_towards_the_nearer_edge() -> None:
    late, early = target("29", noise_std=0.1), target("20", noise_std=0.1)
    assert late[4] > late[2]
    assert early[2] > early[4]


@given(
    st.integers(0, OLDEST).flatmap(lambda low: st.tuples(st.just(low), st.integers(low, OLDEST))),
    st.sampled_from([ADIENCE, DECADES, DEFAULT_GROUPS]),
    st.floats(0, 0.5),
)
def test_a_target_is_a_distribution_or_nothing(span: tuple[int, int], groups: tuple, noise_std: float) -> None:
    [row] = age_targets([FaceLabel("a", age=Years(*span))], groups, noise_std)
    assert (row >= 0).all()
    assert row.sum() == pytest.approx(1, abs=1e-5) or row.sum() == 0


def test_genders_are_one_hot_smoothed_or_unknown() -> None:
    labels = [FaceLabel("a", "female"), FaceLabel("b", "male"), FaceLabel("c")]
    assert gender_targets(labels).tolist() == [[1, 0], [0, 1], [0, 0]]
    np.testing.assert_allclose(gender_targets(labels, 0.1), [[0.95, 0.05], [0.05, 0.95], [0, 0]], atol=1e-6)
