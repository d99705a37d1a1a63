from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.estimate import DECADES
from kiosk.vision.evidence import Evidence

LABELS = ("female", "male")


def evidence() -> Evidence:
    return Evidence(DECADES, LABELS)


def age_of(group: int, confidence: float = 0.7) -> np.ndarray:
    probabilities = np.full(len(DECADES), (1 - confidence) / (len(DECADES) - 1))
    probabilities[group] = confidence
    return probabilities


def test_evidence_of_one_chip_is_that_chip() -> None:
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


def test_a_better_chip_counts_for_more() -> None:
    fused = evidence()
    fused.add(np.array([0.8, 0.2]), age_of(3), 1.0, 0.0)
    fused.add(np.array([0.2, 0.8]), age_of(5), 0.3, 0.0)
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


@given(st.lists(st.floats(0.01, 0.99), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_evidence_at_one_time_does_not_matter(chances: list[float], random: object) -> None:
    shuffled = list(chances)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    said = []
    for order in (chances, shuffled):
        fused = evidence()
        for chance in order:
            fused.add(np.array([chance, 1 - chance]), age_of(2), 0.7, 0.0)
        estimate = fused.estimate()
        assert estimate is not None
        said.append(estimate.gender_probabilities)
    assert said[0] == pytest.approx(said[1], abs=1e-6)


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
