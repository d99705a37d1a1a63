"""The benchmark of presentation attacks: what it draws is where optics put it, and its table is made of its results."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.presentation_attacks.run import Result, interval, table
from benchmarks.presentation_attacks.scenes import FOCAL, GRID, HEIGHT, WIDTH, Plane, Pose, Surface, render

RESULTS = Path(__file__).parents[2] / "benchmarks" / "presentation_attacks"
SCALE = 10.0  # pixels of the picture per cm
SIDE = 301
DARK = np.zeros((HEIGHT, WIDTH), np.float32)


def dot_at(x: float, y: float) -> Plane:
    """A picture 30 cm wide with one bright dot, cm from its middle."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] - SIDE // 2
    return np.asarray(255 * np.exp(-((columns / SCALE - x) ** 2 + (rows / SCALE - y) ** 2) / 0.1), np.float32)


def where(picture: Plane) -> tuple[float, float]:
    """Pixels from the middle to the middle of the light."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    weight = picture / picture.sum()
    return float((columns * weight).sum()) - (WIDTH - 1) / 2, float((rows * weight).sum()) - (HEIGHT - 1) / 2


def sheet_of(picture: Plane, **more: object) -> Surface:
    return dataclasses.replace(Surface(picture, np.ones_like(picture), SCALE), **more)


@pytest.mark.parametrize(
    ("pose", "x", "y"),
    [
        (Pose(z=50), 5 / 50, -3 / 50),
        (Pose(x=2, y=1, z=40), 7 / 40, -2 / 40),
        (Pose(z=50, roll=90), 3 / 50, 5 / 50),
        # Turned by 30 degrees its right side comes nearer by half of 5 cm.
        (Pose(z=50, yaw=30), 5 * np.cos(np.pi / 6) / 47.5, -3 / 47.5),
    ],
)
def test_a_sheet_is_seen_where_a_pinhole_camera_sees_it(pose: Pose, x: float, y: float) -> None:
    seen = where(render(sheet_of(dot_at(5, -3)), pose, DARK))
    assert seen == (pytest.approx(FOCAL * x, abs=0.3), pytest.approx(FOCAL * y, abs=0.3))


def test_what_stands_out_is_nearer_and_moves_when_it_is_turned() -> None:
    relief = np.full((round(30 * GRID), round(30 * GRID)), 5.0, np.float32)
    raised = sheet_of(dot_at(4, 0), relief=relief)
    assert where(render(raised, Pose(z=50), DARK))[0] == pytest.approx(FOCAL * 4 / 45, abs=0.3)
    middle = sheet_of(dot_at(0, 0), relief=relief)
    assert abs(where(render(middle, Pose(z=50, yaw=20), DARK))[0]) == pytest.approx(
        FOCAL * 5 * np.sin(np.pi / 9) / (50 - 5 * np.cos(np.pi / 9)), abs=0.5
    )


def test_a_bent_sheet_keeps_its_length() -> None:
    radius, arc = 10.0, 6.0
    bent = sheet_of(dot_at(arc, 0), bend=1 / radius)
    across, back = radius * np.sin(arc / radius), radius * (1 - np.cos(arc / radius))
    assert where(render(bent, Pose(z=50), DARK))[0] == pytest.approx(FOCAL * across / (50 + back), abs=0.5)


@pytest.mark.parametrize(
    ("errors", "of", "low", "high"), [(0, 20, 0.0, 0.161), (10, 20, 0.299, 0.701), (20, 20, 0.839, 1.0), (0, 0, 0, 1)]
)
def test_intervals_are_wilson_s(errors: int, of: int, low: float, high: float) -> None:
    assert interval(errors, of) == (pytest.approx(low, abs=1e-3), pytest.approx(high, abs=1e-3))


def test_an_attack_errs_when_accepted_and_a_living_face_when_refused() -> None:
    assert Result("print", True, True, 20, 3, 0).errors == 3
    assert Result("head", False, True, 20, 3, 0).errors == 17


def test_the_table_is_made_of_the_results() -> None:
    names = [field.name for field in dataclasses.fields(Result)]
    written = json.loads((RESULTS / "results.json").read_text(encoding="utf-8"))["results"]
    results = [Result(**{name: each[name] for name in names}) for each in written]
    assert (RESULTS / "results.md").read_text(encoding="utf-8") == table(results)
