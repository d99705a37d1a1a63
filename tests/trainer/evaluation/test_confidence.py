"""Tests of shares, their means and their standard errors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.confidence import MeanShare, Share


@st.composite
def shares(draw: st.DrawFn) -> Share:
    faces = draw(st.integers(0, 5000))
    return Share(draw(st.integers(0, faces)), faces)


def test_a_share_counts_hits() -> None:
    share = Share.of(np.array([True, False, True, True]))
    assert share == Share(3, 4)
    assert share.value == 0.75


def test_a_share_of_no_faces_is_none() -> None:
    share = Share.of(np.array([], dtype=bool))
    assert share.value is None
    assert share.error is None
    assert share.to_dict() == {"share": None, "error": None, "faces": 0}


def test_the_error_for_many_faces_is_the_binomial_one() -> None:
    assert Share(900, 1000).error == pytest.approx((0.9 * 0.1 / 1000) ** 0.5, rel=0.02)


def test_a_share_of_0_out_of_10_has_an_error() -> None:
    # two hits and two misses more: 2 of 14
    assert Share(0, 10).error == pytest.approx((2 / 14 * 12 / 14 / 14) ** 0.5)
    assert Share(10, 10).error == pytest.approx(Share(0, 10).error)


@given(shares())
def test_a_share_is_in_0_to_1_and_its_error_is_above_0(share: Share) -> None:
    if share.value is not None and share.error is not None:
        assert 0 <= share.value <= 1
        assert 0 < share.error < 0.26
    assert (share.value is None) == (share.error is None) == (share.faces == 0)


def test_a_mean_gives_every_share_the_same_weight() -> None:
    mean = MeanShare.of([Share(90, 100), Share(1, 2), Share(0, 0)])
    assert mean.value == pytest.approx(0.7)
    assert mean.cells == 2


def test_the_error_of_a_mean_of_equal_shares_falls_with_the_root_of_their_number() -> None:
    one = Share(30, 60)
    assert one.error is not None
    assert MeanShare.of([one] * 9).error == pytest.approx(one.error / 3)


def test_a_mean_without_faces_is_none() -> None:
    assert MeanShare.of([Share(0, 0)]) == MeanShare(None, None, 0)


def test_json_has_four_digits() -> None:
    assert Share(1, 3).to_dict() == {"share": 0.3333, "error": 0.1870, "faces": 3}
    assert MeanShare(2 / 3, 0.12345, 5).to_dict() == {"share": 0.6667, "error": 0.1235, "cells": 5}
