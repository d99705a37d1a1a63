"""Tests of the calibration error on bins computed by hand, and of removing temperatures."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.fakes.judged import surely
from trainer.evaluation.reliability import BINS, Calibration, reliability, without_temperature


def softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    raised = np.exp(logits / temperature)
    return raised / raised.sum(axis=1, keepdims=True)


def test_a_worked_example() -> None:
    # Four faces at 0.9, three of them right; six at 0.6, three of them right:
    # (4 × |0.9 - 0.75| + 6 × |0.6 - 0.5|) / 10 = 0.12
    sure = np.concatenate([surely([0] * 4, 2, 0.9), surely([1] * 6, 2, 0.6)])
    true = np.array([0, 0, 0, 1, 1, 1, 1, 0, 0, 0])
    result = reliability(sure, true)
    assert result.error == pytest.approx(0.12)
    filled = {round(each.confidence, 6): (each.faces, each.accuracy) for each in result.bins if each.confidence}
    assert filled == {0.9: (4, 0.75), 0.6: (6, 0.5)}


def test_confidence_equal_to_accuracy_has_no_error() -> None:
    assert reliability(surely([0] * 5, 2, 0.8), np.array([0, 0, 0, 0, 1])).error == pytest.approx(0)


def test_a_bin_includes_its_upper_edge_only() -> None:
    third = 5 / BINS  # the edge between the fifth bin and the sixth
    bins = reliability(np.array([[third, third, third], [third + 1e-6, third - 1e-6, third]]), np.array([0, 0])).bins
    assert [each.faces for each in bins[4:6]] == [1, 1]
    assert bins[0].low == 0
    assert bins[-1].high == 1
    assert all(one.high == other.low for one, other in pairwise(bins))


def test_a_confidence_rounded_above_one_is_in_the_last_bin() -> None:
    assert reliability(np.array([[1.0000001, 0.0]], np.float32), np.array([0])).bins[-1].faces == 1


def test_without_faces_the_error_is_none() -> None:
    result = reliability(np.empty((0, 8)), np.empty(0, np.int64))
    assert result.error is None
    assert len(result.bins) == BINS
    assert all(each.accuracy is None and each.confidence is None for each in result.bins)


@given(arrays(np.float64, (3, 8), elements=st.floats(-8, 8)), st.floats(0.3, 4))
def test_a_temperature_can_be_removed(logits: np.ndarray, temperature: float) -> None:
    calibrated = softmax(logits, temperature)
    np.testing.assert_allclose(without_temperature(calibrated, temperature), softmax(logits, 1), atol=1e-9)


def test_a_probability_rounded_to_0_stays_0() -> None:
    out = without_temperature(np.array([[1.0, 0.0]], np.float32), 2.0)
    np.testing.assert_allclose(out, [[1, 0]], atol=1e-9)


def test_before_is_without_and_after_is_with_the_temperature() -> None:
    # Sure of 0.9 after a temperature of 2; without it 0.9² against 0.1², which is 0.988 of both.
    head = Calibration.of(surely([0] * 10, 2, 0.9), np.array([0] * 9 + [1]), temperature=2.0)
    assert head.after.error == pytest.approx(0.0)
    assert head.before.error == pytest.approx(0.81 / 0.82 - 0.9)


def test_unknown_labels_do_not_count() -> None:
    head = Calibration.of(surely([0, 0, 0], 2, 0.9), np.array([0, -1, 1]), temperature=1.0)
    assert sum(each.faces for each in head.after.bins) == 2
    assert head.after.error == pytest.approx(0.4)
