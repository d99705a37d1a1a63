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


def evidence() -> TemporalFusion:
    return TemporalFusion(DECADES, LABELS)


def age_of(group: int, confidence: float = 0.7) -> np.ndarray:
    probabilities = np.full(len(DECADES), (1 - confidence) / (len(DECADES) - 1))
    probabilities[group] = confidence
    return probabilities


def test_evidence_of_one_crop_is_that_crop() -> None:
    fused = evidence()
    assert fused.estimate() is None
    fused.add(np.array([0.8, 0.2]), age_of(3), 1.0, 0.0)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender_probabilities == pytest.approx((0.8, 0.2))
    assert estimate.age_probabilities == pytest.approx(tuple(age_of(3)))


def test_looking_longer_at_the_same_does_not_make_surer() -> None:
    fused = evidence()
    for step in range(200):
        fused.add(np.array([0.8, 0.2]), age_of(3), 1.0, step * 0.04)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender_probability == pytest.approx(0.8)


def test_a_better_crop_counts_for_more() -> None:
    fused = evidence()
    fused.add(np.array([0.8, 0.2]), age_of(3), 1.0, 0.0)
    fused.add(np.array([0.2, 0.8]), age_of(5), 0.3, INDEPENDENT)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender == "female"
    assert estimate.group.label == "20-29"


def test_a_change_of_person_shows_in_time() -> None:
    fused = evidence()
    for step in range(100):
        fused.add(np.array([0.9, 0.1]), age_of(3), 1.0, step * 0.1)
    for step in range(100, 150):
        fused.add(np.array([0.1, 0.9]), age_of(6), 1.0, step * 0.1)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender == "male"


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.floats(0.35, 1.0)), min_size=1, max_size=8))
def test_evidence_is_weighted_by_quality_and_fades_with_age(crops: list[tuple[float, float]]) -> None:
    fused = evidence()
    for step, (chance, quality) in enumerate(crops):
        fused.add(np.array([chance, 1 - chance]), age_of(2), quality, step * INDEPENDENT)
    fading = [math.exp(-step * INDEPENDENT / DECAY_TIME) for step in reversed(range(len(crops)))]
    weights = [quality * left for (_, quality), left in zip(crops, fading, strict=True)]
    odds = np.average([math.log(chance / (1 - chance)) for chance, _ in crops], weights=weights)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender_probabilities[0] == pytest.approx(1 / (1 + math.exp(-odds)))
    assert fused.weight == pytest.approx(sum(weights))


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "reversed"])
def test_the_order_of_evidence_within_a_moment_hardly_matters(turn: int) -> None:
    fused = evidence()
    for step, chance in enumerate([0.9, 0.6, 0.4, 0.7, 0.8][::turn]):
        fused.add(np.array([chance, 1 - chance]), age_of(2), 1.0, step * INDEPENDENT)
    estimate = fused.estimate()
    assert estimate is not None
    assert estimate.gender_probabilities[0] == pytest.approx(0.7, abs=0.02)


def test_more_frames_a_second_are_not_more_evidence() -> None:
    slow, fast = evidence(), evidence()
    for step in range(50):
        slow.add(np.array([0.8, 0.2]), age_of(3), 1.0, step / 5)
    for step in range(600):
        fast.add(np.array([0.8, 0.2]), age_of(3), 1.0, step / 60)
    assert fast.weight == pytest.approx(slow.weight, rel=0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=10))
def test_a_fused_estimate_is_a_distribution(chances: list[float]) -> None:
    fused = evidence()
    for step, chance in enumerate(chances):
        fused.add(np.array([chance, 1 - chance]), np.eye(len(DECADES))[step % len(DECADES)], 0.5, step / 10)
    estimate = fused.estimate()
    assert estimate is not None
    assert sum(estimate.gender_probabilities) == pytest.approx(1)
    assert sum(estimate.age_probabilities) == pytest.approx(1)
    assert min(estimate.age_probabilities) >= 0


def watched(fused: TemporalFusion, ages: list[np.ndarray], begin: float = 0.0, rate: float = 10.0) -> list[Estimate]:
    """What is shown while crops with these ages come in."""
    shown = []
    for step, age in enumerate(ages):
        time = begin + step / rate
        fused.add(np.array([0.8, 0.2]), age, 1.0, time)
        fused.update_status(time, trusted=True)
        estimate = fused.estimate()
        assert estimate is not None
        shown.append(estimate)
    return shown


def border(one: int, other: int, lead: float) -> np.ndarray:
    """Two groups, of which `one` is likelier by `lead`."""
    probabilities = np.full(len(DECADES), 0.1 / (len(DECADES) - 2))
    probabilities[one], probabilities[other] = 0.45 + lead / 2, 0.45 - lead / 2
    return probabilities


def test_a_label_at_the_border_does_not_flicker() -> None:
    fused = evidence()
    ages = [border(3, 4, 0.3)] * 5 + [border(3, 4, 0.8 * math.sin(step / 9)) for step in range(600)]
    shown = watched(fused, ages)
    likeliest = [int(np.argmax(estimate.age_probabilities)) for estimate in shown]
    assert set(likeliest) == {3, 4}  # without a steady label it would change
    assert {estimate.group for estimate in shown} == {DECADES[3]}


def test_the_probabilities_stay_what_they_are_under_a_steady_label() -> None:
    fused = evidence()
    last = watched(fused, [border(3, 4, 0.3)] * 5 + [border(4, 3, 0.1)] * 300)[-1]
    assert last.group == DECADES[3]
    assert last.age_probabilities == pytest.approx(tuple(border(4, 3, 0.1)), abs=1e-3)


def test_a_clear_lead_changes_the_label_once_it_has_lasted() -> None:
    fused = evidence()
    shown = watched(fused, [age_of(3)] * 50 + [age_of(6)] * 100)
    likeliest = [int(np.argmax(estimate.age_probabilities)) for estimate in shown]
    labels = [DECADES.index(estimate.group) for estimate in shown]
    assert sorted(set(labels)) == [3, 6]
    late = (labels.index(6) - likeliest.index(6)) / 10
    assert LEAD_SECONDS <= late < 3


def test_a_lead_that_is_interrupted_begins_anew() -> None:
    label = SteadyLabel()
    for step in range(100):
        lead = step % 8 != 0  # 0.7 s of lead, then none
        label.update([0.2, 0.8] if lead and step else [0.5, 0.5], step / 10)
    assert label.index == 0


def test_a_label_that_is_hardly_true_any_more_goes_though_none_leads_clearly() -> None:
    label = SteadyLabel()
    label.update([0.5, 0.2, 0.2, 0.1], 0.0)
    for step in range(1, 20):
        label.update([0.12, 0.3, 0.29, 0.29], step / 10)
        if step / 10 <= UNLIKELY_SECONDS:
            assert label.index == 0
    assert label.index == 1


def test_among_many_that_are_a_little_likely_the_label_stays_for_a_while() -> None:
    label = SteadyLabel()
    label.update([0.3, 0.25, 0.25, 0.2], 0.0)
    for step in range(1, 100):
        label.update([0.19, 0.27, 0.27, 0.27] if step % 5 else [0.19, 0.28, 0.27, 0.26], step / 10)
    assert label.index == 0


def test_until_it_is_known_the_label_is_the_likeliest() -> None:
    fused = evidence()
    fused.add(np.array([0.8, 0.2]), age_of(3), 0.5, 0.0)
    fused.update_status(0.0, trusted=False)
    fused.add(np.array([0.2, 0.8]), age_of(5), 1.0, 0.2)
    fused.update_status(0.2, trusted=False)
    estimate = fused.estimate()
    assert estimate is not None
    assert (estimate.gender, estimate.group) == ("male", DECADES[5])


def test_another_person_in_the_same_place_is_shown_within_seconds() -> None:
    fused = evidence()
    for step in range(200):
        first = step < 100
        fused.add(np.array([0.95, 0.05] if first else [0.05, 0.95]), age_of(3 if first else 6), 1.0, step / 10)
        fused.update_status(step / 10, trusted=True)
        estimate = fused.estimate()
        assert estimate is not None
        if step == 99:
            assert (estimate.gender, estimate.group) == ("female", DECADES[3])
        if step == 150:
            assert (estimate.gender, estimate.group) == ("male", DECADES[6])


def test_what_is_likelier_no_face_is_never_known() -> None:
    fused = evidence()
    for step in range(30):
        fused.add(np.array([0.9, 0.1]), age_of(3), 1.0, step / 10, face=-0.5)
        fused.update_status(step / 10, trusted=True)
        assert fused.status != "known"
    assert fused.status == "unknown"


def test_one_odd_look_does_not_make_a_face_something_else() -> None:
    fused = evidence()
    for step in range(30):
        fused.add(np.array([0.9, 0.1]), age_of(3), 1.0, step / 10, face=-4.0 if step == 20 else 5.0)
        fused.update_status(step / 10, trusted=True)
    assert fused.status == "known"
    assert fused.face is not None
    assert fused.face > 4


def test_of_somebody_who_walks_up_no_age_is_known_that_only_a_small_face_far_away_said() -> None:
    fused = evidence()
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
