from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from kiosk.vision.liveness.parallax import MIN_POINTS, Turn, estimate_turn, nose_height
from tests.fakes.surfaces import bent_height, folded_height, head_height, project, sheet_height

Height = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]

NOISE = 0.004  # eye distances: a fifth of a pixel


def sample_points(count: int = 70, seed: int = 0) -> NDArray[np.float64]:
    """Returns (count, 2) points spread over a face, in eye distances from the point between the eyes."""
    random = np.random.default_rng(seed)
    angle, reach = random.uniform(0, 2 * math.pi, count), np.sqrt(random.uniform(0, 1, count))
    return np.column_stack([0.9 * reach * np.cos(angle), 0.4 + 1.1 * reach * np.sin(angle)])


def add_noise(points: NDArray[np.float64], seed: int = 1) -> NDArray[np.float64]:
    return points + np.random.default_rng(seed).normal(0, NOISE, points.shape)


def turn_of(height: Height, yaw: float, pitch: float = 0.0, seed: int = 0) -> Turn:
    before = sample_points(seed=seed)
    after = np.column_stack(project(*before.T, height(*before.T), yaw, pitch))
    turn = estimate_turn(add_noise(before, seed + 1), add_noise(after, seed + 2), nose=0.0)
    assert turn is not None
    return turn


@pytest.mark.parametrize("degrees", [-20, -12, 12, 20])
def test_turn_of_a_head_is_estimated_with_sign_and_size(degrees: int) -> None:
    aside = turn_of(head_height, degrees)
    assert aside.exceeds(0.15, 3)
    assert aside.across == pytest.approx(math.sin(math.radians(degrees)), rel=0.6)
    assert turn_of(head_height, 0, degrees).down == pytest.approx(math.sin(math.radians(degrees)), rel=0.6)


@pytest.mark.parametrize("height", [sheet_height, bent_height, folded_height])
@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (30, 0), (0, 30), (25, -20), (-35, 10)])
@pytest.mark.parametrize("seed", range(5))
def test_flat_bent_or_folded_sheet_shows_no_turn(height: Height, yaw: int, pitch: int, seed: int) -> None:
    assert not turn_of(height, yaw, pitch, seed).exceeds(0.15, 3)


@pytest.mark.parametrize("seed", range(5))
def test_sheet_in_perspective_shows_no_turn(seed: int) -> None:
    before = sample_points(seed=seed)
    tilted = np.array(
        [[0.9, 0.05, 0.1], [-0.06, 0.95, 0.2], [0.08, -0.06, 1.0]]
    )  # the strongest perspective of a hand-held sheet
    after = np.column_stack([before, np.ones(len(before))]) @ tilted.T
    turn = estimate_turn(add_noise(before, seed), add_noise(after[:, :2] / after[:, 2:], seed + 9), nose=0.0)
    assert turn is not None
    assert not turn.exceeds(0.15, 3)


def test_outlying_points_hardly_change_the_turn() -> None:
    before = sample_points()
    after = add_noise(before)
    after[::12] += (0.3, -0.2)
    turn = estimate_turn(before, after, nose=0.0)
    assert turn is not None
    assert not turn.exceeds(0.15, 3)


def test_no_turn_from_too_few_points_or_none_on_the_nose() -> None:
    assert estimate_turn(sample_points(MIN_POINTS - 1), sample_points(MIN_POINTS - 1), nose=0.0) is None
    off_the_nose = np.array([point for point in sample_points(200) if nose_height(*point[:, None], 0.0) < 1e-9])
    turn = estimate_turn(off_the_nose, add_noise(off_the_nose) * 1.2, nose=0.0)
    assert turn is not None
    assert not turn.exceeds(0.15, 3)


def test_nose_height_is_greatest_on_the_slanted_nose_line() -> None:
    y = np.array([0.6])
    for nose in (-0.3, 0.0, 0.3):
        across = np.linspace(-1, 1, 201)
        highest = across[nose_height(across, y.repeat(201), nose).argmax()]
        assert highest == pytest.approx(1.2 * nose, abs=0.02)
