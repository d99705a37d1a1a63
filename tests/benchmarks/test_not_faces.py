"""The benchmark of things that are no faces: its table is made of its results, and its figures are right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.not_faces.run import area, clip, table, told_apart

RESULTS = Path(__file__).parents[2] / "benchmarks" / "not_faces"


def test_the_table_is_made_of_the_results() -> None:
    results = json.loads((RESULTS / "results.json").read_text(encoding="utf-8"))
    assert (RESULTS / "results.md").read_text(encoding="utf-8") == table(results)


@pytest.mark.parametrize(
    ("faces", "others", "chance"), [([3, 4], [1, 2], 1), ([1, 2], [3], 0), ([1, 3], [1, 2], 0.625)]
)
def test_the_area_is_the_chance_that_a_face_is_higher(faces: list[int], others: list[int], chance: float) -> None:
    assert area(np.array(faces, float), np.array(others, float)) == chance


def test_false_accepts_are_counted_where_one_face_in_a_hundred_is_lost() -> None:
    faces, others = {"score": np.arange(100.0)}, {"score": np.array([0.5, 0.9, 1.5, 50.0])}
    (told,) = told_apart(faces, others, np.array([True, True, True, False]))
    assert told["accepted_found"] == pytest.approx(1 / 3, abs=1e-4)
    assert told["accepted_all"] == 0.5


def test_a_clip_moves_its_picture_and_keeps_time() -> None:
    frames = list(clip(np.full((100, 100), 20, np.uint8), 0))
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert frames[1].time == pytest.approx(0.1)
    assert frames[0].image.shape == (480, 640, 3)
    assert not np.array_equal(frames[0].image, frames[-1].image)
