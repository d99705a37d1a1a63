from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.estimate import DECADES, Estimate
from kiosk.vision.tracking.fusion import (
    DECAY_TIME,
    INDEPENDENT,
    LEAD_SECONDS,
    UNLIKELY_SECONDS,
    SteadyLabel,
    TemporalFusion,
)

LABELS = ("female", "male")


def make_fusion() -> TemporalFusion:
    return TemporalFusion(DECADES, LABELS)


def age_probabilities_of(group: int, confidence: float = 0.7) -> np.ndarray:
    probabilities = np.full(len(DECADES), (1 - confidence) / (len(DECADES) - 1))
    probabilities[group] = confidence
    return probabilities


def test_fusion_of_one_crop_equals_its_probabilities() -> None:
    fused = make_fusion()
    assert fused.estimate() is None
    fused.add(np.array([0.8, 0.2]), age_probabilities_of(3), 1.0, 0.0)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender_probabilities == pytest.approx((0.8, 0.2))
    assert estimate.age_probabilities == pytest.approx(tuple(age_probabilities_of(3)))


def test_repeated_equal_crops_do_not_raise_the_probability() -> None:
    fused = make_fusion()
    for step in range(200):
        fused.add(np.array([0.8, 0.2]), age_probabilities_of(3), 1.0, step * 0.04)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender_probability == pytest.approx(0.8)


def test_crop_of_higher_quality_counts_for_more() -> None:
    fused = make_fusion()
    fused.add(np.array([0.8, 0.2]), age_probabilities_of(3), 1.0, 0.0)
    fused.add(np.array([0.2, 0.8]), age_probabilities_of(5), 0.3, INDEPENDENT)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender == "female"
    assert estimate.group.label == "20-29"


def test_estimate_follows_a_change_of_person() -> None:
    fused = make_fusion()
    for step in range(100):
        fused.add(np.array([0.9, 0.1]), age_probabilities_of(3), 1.0, step * 0.1)
    for step in range(100, 150):
        fused.add(np.array([0.1, 0.9]), age_probabilities_of(6), 1.0, step * 0.1)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender == "male"


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0.35, 1.0)), min_size=1, max_size=8))
def test_crops_are_weighted_by_quality_and_age(crops: list[tuple[float, float]]) -> None:
    fused = make_fusion()
    for step, (chance, quality) in enumerate(crops):
        fused.add(np.array([chance, 1 - chance]), age_probabilities_of(2), quality, step * INDEPENDENT)
    fading = [math.exp(-step * INDEPENDENT / DECAY_TIME) for step in reversed(range(len(crops)))]
    weights = [quality * left for (_, quality), left in zip(crops, fading, strict=True)]
    odds = np.average([math.log(chance / (1 - chance)) for chance, _ in crops], weights=weights)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender_probabilities[0] == pytest.approx(1 / (1 + math.exp(-odds)))
    assert fused.weight == pytest.approx(sum(weights))


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "reversed"])
def test_order_of_crops_within_a_moment_hardly_matters(turn: int) -> None:
    fused = make_fusion()
    for step, chance in enumerate([0.9, 0.6, 0.4, 0.7, 0.8][::turn]):
        fused.add(np.array([chance, 1 - chance]), age_probabilities_of(2), 1.0, step * INDEPENDENT)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender_probabilities[0] == pytest.approx(0.7, abs=0.02)


def test_higher_frame_rate_adds_no_weight() -> None:
    slow, fast = make_fusion(), make_fusion()
    for step in range(50):
        slow.add(np.array([0.8, 0.2]), age_probabilities_of(3), 1.0, step / 5)
    for step in range(600):
        fast.add(np.array([0.8, 0.2]), age_probabilities_of(3), 1.0, step / 60)
    assert fast.weight == pytest.approx(slow.weight, rel=0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_fused_probabilities_sum_to_1(chances: list[float]) -> None:
    fused = make_fusion()
    for step, chance in enumerate(chances):
        fused.add(np.array([chance, 1 - chance]), np.eye(len(DECADES))[step % len(DECADES)], 0.5, step / 10)
    estimate = fused.estimate()
    assert estimate is not None
    assert sum(estimate.gender_probabilities) == pytest.approx(1)
    assert sum(estimate.age_probabilities) == pytest.approx(1)
    assert min(estimate.age_probabilities) >= 0


def show_estimates(
    fused: TemporalFusion, ages: list[np.ndarray], begin: float = 0.0, rate: float = 10.0
) -> list[Estimate]:
    """Adds crops with these age probabilities at `rate` a second; returns the estimate shown after each."""
    shown = []
    for step, age in enumerate(ages):
        time = begin + step / rate
        fused.add(np.array([0.8, 0.2]), age, 1.0, time)
        fused.update_status(time, trusted=True)
        estimate = fused.estimate()
        assert estimate is not None
        shown.append(estimate)
    return shown


def border_probabilities(one: int, other: int, lead: float) -> np.ndarray:
    """Returns (8,) age probabilities of two likely groups, in which `one` leads `other` by `lead`."""
    probabilities = np.full(len(DECADES), 0.1 / (len(DECADES) - 2))
    probabilities[one], probabilities[other] = 0.45 + lead / 2, 0.45 - lead / 2
    return probabilities


def test_label_near_the_border_of_two_groups_does_not_flicker() -> None:
    fused = make_fusion()
    ages = [border_probabilities(3, 4, 0.3)] * 5 + [
        border_probabilities(3, 4, 0.8 * math.sin(step / 9)) for step in range(600)
    ]
    shown = show_estimates(fused, ages)
    likeliest = [int(np.argmax(estimate.age_probabilities)) for estimate in shown]
    assert set(likeliest) == {3, 4}  # without a steady label it would change
    assert {estimate.group for estimate in shown} == {DECADES[3]}


def test_steady_label_does_not_change_the_probabilities() -> None:
    fused = make_fusion()
    last = show_estimates(fused, [border_probabilities(3, 4, 0.3)] * 5 + [border_probabilities(4, 3, 0.1)] * 300)[-1]
    assert last.group == DECADES[3]
    assert last.age_probabilities == pytest.approx(tuple(border_probabilities(4, 3, 0.1)), abs=1e-3)


def test_clear_lead_changes_the_label_after_lead_seconds() -> None:
    fused = make_fusion()
    shown = show_estimates(fused, [age_probabilities_of(3)] * 50 + [age_probabilities_of(6)] * 100)
    likeliest = [int(np.argmax(estimate.age_probabilities)) for estimate in shown]
    labels = [DECADES.index(estimate.group) for estimate in shown]
    assert sorted(set(labels)) == [3, 6]
    late = (labels.index(6) - likeliest.index(6)) / 10
    assert LEAD_SECONDS <= late < 3


def test_interrupted_lead_starts_again() -> None:
    label = SteadyLabel()
    for step in range(100):
        lead = step % 8 != 0  # 0.7 s of lead, then none
        label.update([0.2, 0.8] if lead and step else [0.5, 0.5], step / 10)
    assert label.index == 0


def test_unlikely_label_is_replaced_without_a_clear_lead() -> None:
    label = SteadyLabel()
    label.update([0.5, 0.2, 0.2, 0.1], 0.0)
    for step in range(1, 20):
        label.update([0.12, 0.3, 0.29, 0.29], step / 10)
        if step / 10 <= UNLIKELY_SECONDS:
            assert label.index == 0
    assert label.index == 1


def test_label_stays_while_no_other_is_clearly_likelier() -> None:
    label = SteadyLabel()
    label.update([0.3, 0.25, 0.25, 0.2], 0.0)
    for step in range(1, 100):
        label.update([0.19, 0.27, 0.27, 0.27] if step % 5 else [0.19, 0.28, 0.27, 0.26], step / 10)
    assert label.index == 0


def test_unknown_estimate_shows_the_likeliest_label() -> None:
    fused = make_fusion()
    fused.add(np.array([0.8, 0.2]), age_probabilities_of(3), 0.5, 0.0)
    fused.update_status(0.0, trusted=False)
    fused.add(np.array([0.2, 0.8]), age_probabilities_of(5), 1.0, 0.2)
    fused.update_status(0.2, trusted=False)
    estimate = fused.estimate()
    assert estimate is not None
    assert (estimate.gender, estimate.group) == ("male", DECADES[5])


def test_labels_follow_a_change_of_person_within_seconds() -> None:
    fused = make_fusion()
    for step in range(200):
        first = step < 100
        fused.add(
            np.array([0.95, 0.05] if first else [0.05, 0.95]), age_probabilities_of(3 if first else 6), 1.0, step / 10
        )
        fused.update_status(step / 10, trusted=True)
        estimate = fused.estimate()
        assert estimate is not None
        if step == 99:
            assert (estimate.gender, estimate.group) == ("female", DECADES[3])
        if step == 150:
            assert (estimate.gender, estimate.group) == ("male", DECADES[6])


def test_probable_nonface_is_never_known() -> None:
    fused = make_fusion()
    for step in range(30):
        fused.add(np.array([0.9, 0.1]), age_probabilities_of(3), 1.0, step / 10, face=-0.5)
        fused.update_status(step / 10, trusted=True)
        assert fused.status != "known"
    assert fused.status == "unknown"


def test_one_low_filter_score_does_not_change_the_status() -> None:
    fused = make_fusion()
    for step in range(30):
        fused.add(np.array([0.9, 0.1]), age_probabilities_of(3), 1.0, step / 10, face=-4.0 if step == 20 else 5.0)
        fused.update_status(step / 10, trusted=True)
    assert fused.status == "known"
    assert fused.face is not None
    assert fused.face > 4


def test_approaching_person_is_not_known_from_small_faces_alone() -> None:
    fused = make_fusion()
    far = np.array([0.0, 0.0, 0.11, 0.58, 0.25, 0.05, 0.01, 0.0])
    near = np.array([0.0, 0.0, 0.02, 0.30, 0.46, 0.19, 0.03, 0.0])
    ages = []
    for number, weight in enumerate((0.47, 0.7, 1.0, *(1.0,) * 15)):
        time = 0.08 * number
        fused.add(np.array([0.8, 0.2]), far if number < 2 else near, weight, time)
        fused.update_status(time, trusted=True)
        estimate = fused.estimate()
        if fused.status == "known" and estimate is not None:
            ages.append(estimate.expected_age)
    assert len(ages) > 10
    assert max(ages) - min(ages) < 2
